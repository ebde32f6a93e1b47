"""What the actions of cards answer: plain structs, stored with the idempotency key, the same over REST and socket."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from cards.catalogue import Catalogue
from cards.hands import Held
from fortunes.answers import Name
from fortunes.rules import Quota

# How a card came or went: the type of the source that it was drawn from, that of the trade or of the special card, or
# `link` for gifts and requests that were spread by one, or `vote` where the rules have removed the card's kind.
Via = Literal[
    "code", "check-in", "invitation", "support", "gift", "request", "swap", "link", "steal", "wild", "copy", "vote"
]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all answers."""


class HandAnswer(Answer, frozen=True, kw_only=True):
    """Counts by kind slug; the version rises with every change."""

    counts: dict[str, int]
    escrow: dict[str, int]
    version: int


class QuotaAnswer(Answer, frozen=True, kw_only=True):
    """What is left of one source's scans, today (in the campaign's time zone) and in the whole campaign."""

    source: str
    per_day: int
    left_today: int
    per_campaign: int
    left: int


class DrawAnswer(Answer, frozen=True, kw_only=True):
    """The card that a scan yielded. `serial` numbers the units of a capped kind."""

    id: UUID
    kind: str
    serial: int | None
    rulebook_version: int
    drawn_at: str


class Redemption(Answer, frozen=True, kw_only=True):
    """A redeemed scan."""

    draw: DrawAnswer
    hand: HandAnswer
    quota: QuotaAnswer
    complete: bool


class Referred(Answer, frozen=True, kw_only=True):
    """A player who came by your invitation. `state` is `invited` until they draw a first card in this campaign, then
    `waiting` (for another day, when the quota of this one is used up), `credited`, `refused` (the campaign's quota is
    used up) or `closed` (by the deadline). `draw` is yours.
    """

    player: UUID
    nickname: str
    state: str
    draw: UUID | None


class LinkShared(Answer, frozen=True, kw_only=True):
    """The link of a trade, as the one who spreads it sees it. `url` says what is offered or asked for; `opens` counts
    how often it was looked at, and `claims` whether somebody has followed it: once at most.
    """

    code: str
    channel: str
    url: str
    opens: int
    claims: int


class TradeAnswer(Answer, frozen=True, kw_only=True):
    """A trade as both sides see it; players are public ids, cards are kind slugs, from the proposer's point of view.

    `audience` is who may accept: `one` friend, `some` friends, or whoever has the `link`, which is shown to the
    proposer only. An open trade is `expired` from `expires_at` on, whenever that is written down. With whom a trade was
    settled is not shown to others who were asked.
    """

    id: UUID
    type: str
    state: str
    audience: str
    proposer: UUID
    recipient: UUID | None
    gives: list[str]
    takes: list[str]
    note: str | None
    link: LinkShared | None
    created_at: str
    expires_at: str | None
    closed_at: str | None


class TradeReceipt(Answer, frozen=True, kw_only=True):
    """What became of a trade, and the hand of the one who asked after it."""

    trade: TradeAnswer
    hand: HandAnswer


class Chance(Answer, frozen=True, kw_only=True):
    """What decided over a random double: with the secret, campaign, player and the number of their steal (from 1) the
    roll, and so which of the kinds `among` that the friend held twice it was.
    """

    campaign: int
    player: int
    number: int
    among: list[str]


class PlayAnswer(Answer, frozen=True, kw_only=True):
    """A special card that was played: `kind` was gained, from or like that of `friend`. `chance` is null where the kind
    was chosen.
    """

    id: UUID
    type: str
    friend: UUID | None
    kind: str
    chance: Chance | None
    played_at: str


class PlayReceipt(Answer, frozen=True, kw_only=True):
    """A play, and the player's hand after it."""

    play: PlayAnswer
    hand: HandAnswer


class ConversionChance(Answer, frozen=True, kw_only=True):
    """What decided over random fortunes: with the secret, campaign, player, version of the rules, number of the removed
    kind and place of each card (from 0) its roll; and so which of the uncapped fortunes, by their weights in that
    version, it became.
    """

    campaign: int
    player: int
    version: int
    kind: int


class ConversionAnswer(Answer, frozen=True, kw_only=True):
    """Cards of yours whose kind this version of the rules removed: `cards` of `kind` became `into`, one slug a card, or
    `amount_fen`, which is in your wallet since `paid_at`. `chance` is null unless they became random fortunes.
    """

    id: UUID
    rulebook_version: int
    kind: str
    cards: int
    into: list[str]
    amount_fen: int
    paid_at: str | None
    chance: ConversionChance | None
    converted_at: str


class ProposerAnswer(Answer, frozen=True, kw_only=True):
    """Who spreads a link, as everybody who has it may know: no username."""

    id: UUID
    nickname: str


class LinkAnswer(Answer, frozen=True, kw_only=True):
    """What a link offers (`gives`) or asks for (`takes`). Who follows it while it is open gets or gives the cards and
    becomes the proposer's friend.
    """

    campaign: str
    type: str
    state: str
    proposer: ProposerAnswer
    gives: list[str]
    takes: list[str]
    note: str | None
    expires_at: str


class HistoryEntry(Answer, frozen=True, kw_only=True):
    """A card that came to you or went from you, and the `draw`, `trade`, `play` or `conversion` by which it did.
    `counterpart` is the player at the other end: who gave or got it, who was robbed or copied; null where it was drawn
    or used up.
    """

    at: str
    direction: Literal["in", "out"]
    kind: str
    via: Via
    counterpart: UUID | None
    serial: int | None
    draw: UUID | None
    trade: UUID | None
    play: UUID | None
    conversion: UUID | None


class Suggestion(Answer, frozen=True, kw_only=True):
    """A swap as it can be proposed: the body of `POST /api/v1/campaigns/{slug}/trades`."""

    type: Literal["swap"]
    to: UUID
    gives: list[str]
    takes: list[str]


class Suggestions(Answer, frozen=True, kw_only=True):
    """At most 50, those for the rarest cards first. Each gives a double of yours that the friend misses."""

    items: list[Suggestion]


class Ranked(Answer, frozen=True, kw_only=True):
    """You or a friend: `kinds` of the full set, and all `cards`. Who is equal in all three shares a `place`."""

    place: int
    player: UUID
    nickname: str
    kinds: int
    cards: int
    complete_since: str | None


class Ranking(Answer, frozen=True, kw_only=True):
    """You and those of your friends who play in this campaign, the first first."""

    items: list[Ranked]


class HandSnapshot(Answer, frozen=True, kw_only=True):
    """A player's own cards. `seq` is the position of their feed, read before the hand."""

    seq: int
    hand: HandAnswer
    complete: bool
    quotas: list[QuotaAnswer]


class KindAnswer(Answer, frozen=True, kw_only=True):
    """A kind of card: its identity and art. Odds and caps are in the rules."""

    slug: str
    name: Name
    role: str
    glyph: str
    colour: str


class Kinds(Answer, frozen=True, kw_only=True):
    items: list[KindAnswer]


class Proof(Answer, frozen=True, kw_only=True):
    """The scan key and the player, as numbers: what the roll was made from, besides the secret."""

    campaign: int
    source: int
    nonce: str
    player: int


class DrawRecord(DrawAnswer, frozen=True, kw_only=True):
    """A past draw: what the roll wished for, what was given, and what is needed to replay it."""

    wish: str
    proof: Proof


class Fairness(Answer, frozen=True, kw_only=True):
    """The commitment of the draws (hex), and the secret once the split is sealed. Kinds are in the roll's order, and
    `roles` those of the kinds.

    `sources` are the types of the sources by the number that a proof gives, and `tz` is what a check-in's day is of.
    """

    draw_commitment: str
    draw_secret: str | None
    kinds: list[str]
    roles: list[str]
    sources: list[str]
    tz: str


class Issue(Answer, frozen=True, kw_only=True):
    """One issued unit of a capped kind."""

    kind: str
    serial: int
    drawn_at: str


def hand(kinds: Catalogue, held: Held) -> HandAnswer:
    return HandAnswer(counts=kinds.counts(held.counts), escrow=kinds.counts(held.escrow), version=held.version)


def quota(source: str, rule: Quota, used_today: int, used: int) -> QuotaAnswer:
    return QuotaAnswer(
        source=source,
        per_day=rule.per_day,
        left_today=max(rule.per_day - used_today, 0),
        per_campaign=rule.per_campaign,
        left=max(rule.per_campaign - used, 0),
    )


def link(code: str, channel: str, *, opens: int, claims: int) -> LinkShared:
    return LinkShared(code=code, channel=channel, url=f"/api/v1/links/{code}", opens=opens, claims=claims)
