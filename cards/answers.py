"""What the actions of cards answer: plain structs, stored with the idempotency key, the same over REST and socket."""

from __future__ import annotations

from uuid import UUID

import msgspec

from cards.catalogue import Catalogue
from cards.hands import Held
from fortunes.answers import Name
from fortunes.rules import Quota


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


class TradeAnswer(Answer, frozen=True, kw_only=True):
    """A trade as both sides see it; players are public ids, cards are kind slugs."""

    id: UUID
    type: str
    state: str
    proposer: UUID
    recipient: UUID | None
    gives: list[str]
    takes: list[str]
    created_at: str
    closed_at: str | None


class GiftAnswer(Answer, frozen=True, kw_only=True):
    """A gift that was given, and the giver's hand after it."""

    trade: TradeAnswer
    hand: HandAnswer


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
    """The commitment of the draws (hex), and the secret once the split is sealed. Kinds are in the roll's order.

    `sources` are the types of the sources by the number that a proof gives, and `tz` is what a check-in's day is of.
    """

    draw_commitment: str
    draw_secret: str | None
    kinds: list[str]
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
