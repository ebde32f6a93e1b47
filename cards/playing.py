"""Plays of special cards: a steal card, a wild card or a copy card is consumed, and its player gains a fortune card.

The SQL function `cards_play` judges and does all of them. What is here tells it the rules that this process believes in
and the roll that SQL must not know, and makes answers and refusals of its rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from psycopg.types.json import Jsonb

from cards import answers, catalogue, days, draws, errors, events, hands
from cards.models import CardKind, Play
from fortunes import doorbell, gate, keys, rulebooks, sql
from fortunes import errors as ground
from fortunes.actions import campaigns
from fortunes.answers import instant
from fortunes.errors import DomainError
from fortunes.identity import SignedIn
from fortunes.models import Campaign

ATTEMPTS = 4
# What the next attempt may find in order.
AGAIN = ("stale-rulebook", "stale-number")

REFUSALS: dict[str, type[DomainError]] = {
    **gate.REFUSALS,
    "key-reused": ground.IdempotencyKeyReused,
    "rule-forbids": errors.RuleForbids,
    "friend-not-found": errors.FriendNotFound,
    "card-not-held": errors.CardNotHeld,
    "kind-held": errors.KindHeld,
    "friend-lacks-card": errors.FriendLacksCard,
    "hand-full": errors.HandFull,
    "steal-limit": errors.StealLimitReached,
    "pair-limit": errors.StealLimitReached,
    "player-protected": errors.PlayerProtected,
    "last-card-spared": errors.LastCardSpared,
    "no-doubles": errors.NoDoubles,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Who plays which type of special card, for which kind (None: a random double) and on which friend."""

    type: Play.Type
    campaign: Campaign
    by: SignedIn
    kind: str | None
    friend: UUID | None = None


class PlayFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a play with its key; with the request it makes the answer."""

    play: UUID
    at: datetime
    kind: int
    number: int | None
    among: list[int] | None
    counts: list[int]
    escrow: list[int]
    version: int


def play(*, asked: keys.Request, move: Move) -> answers.PlayReceipt:
    """Play a special card, at once. The same key and body answer again what the first call answered.

    Refusals: KindUnknown, NotAFortune, those of REFUSALS, Busy.
    """
    kinds = catalogue.of(move.campaign.pk)
    wanted = None if move.kind is None else _fortune(kinds, move.kind)
    for _ in range(ATTEMPTS):
        given = params(asked, move, kinds, wanted)
        row = sql.fetch_alone(sql.text("cards", "play"), given)[0]
        if row.status == "stale-rulebook":
            rulebooks.forget(move.campaign.pk)
        if row.status not in AGAIN:
            return _receipt(kinds, _done(row, move, given), move)
    raise ground.Busy(retry_after_s=1)


def _fortune(kinds: catalogue.Catalogue, slug: str) -> int:
    """Special cards can't be gained by a play: they come from draws, and from friends who give them away."""
    (ordinal,) = kinds.ordinals([slug])
    if kinds.roles[ordinal] != CardKind.Role.FORTUNE:
        raise errors.NotAFortune
    return ordinal


def params(asked: keys.Request, move: Move, kinds: catalogue.Catalogue, wanted: int | None) -> dict[str, Any]:
    """What the SQL function is given: the request, and what this process believes of the rules and the next roll."""
    version = rulebooks.believed(move.campaign.pk)
    rules = rulebooks.version(move.campaign.pk, version)
    special = kinds.special(CardKind.Role(move.type))
    number, roll = _roll(move) if wanted is None else (None, None)
    play_id = uuid4()
    told = _told(move, str(play_id))
    return {
        "campaign": move.campaign.pk,
        "version": version,
        "full_set": kinds.full_set(rules),
        "wild": kinds.filler(rules),
        "stealing": Jsonb(msgspec.to_builtins(rules.stealing)),
        "cooling_h": rules.trading.cooling_h,
        "type": move.type,
        "allowed": special is not None and move.type in rules.specials,
        "special": special,
        "player": move.by.pk,
        "friend": move.friend,
        "wanted": wanted,
        "fortunes": [ordinal for ordinal, role in enumerate(kinds.roles) if role == CardKind.Role.FORTUNE],
        "slugs": list(kinds.kinds),
        "number": number,
        "roll": roll,
        **keys.within(asked, campaign_id=move.campaign.pk),
        "play": play_id,
        "told": list(told),
        "news": [Jsonb(msgspec.to_builtins(news)) for news in told.values()],
    }


def _roll(move: Move) -> tuple[int, int]:
    """The number of the player's next steal, and 64 bits of its roll. Here the draw secret meets the steal."""
    mine = Play.objects.filter(player=move.by.pk, campaign=move.campaign.pk, type=Play.Type.STEAL)
    number = mine.count() + 1
    key = draws.steal_key(campaign_id=move.campaign.pk, number=number)
    return number, int.from_bytes(draws.roll(campaigns.draw_secret(move.campaign), key, move.by.pk)[0:8])


def _told(move: Move, play_id: str) -> dict[str, msgspec.Struct]:
    """What the player is told, and then the friend if it costs them a card; the function adds kind and hand."""
    unknown: dict[str, Any] = {"play": play_id, "kind": "", "hand_version": 0, "complete": False}
    if move.type == Play.Type.WILD:
        return {"card.turned": events.CardTurned(**unknown)}
    if move.type == Play.Type.COPY:
        return {"card.copied": events.CardCopied(friend=str(move.friend), **unknown)}
    return {
        "card.taken": events.CardTaken(friend=str(move.friend), **unknown),
        "card.stolen": events.CardStolen(by=str(move.by.public_id), **unknown),
    }


def _done(row: Any, move: Move, given: dict[str, Any]) -> PlayFacts:
    if row.status in REFUSALS:
        facts = _FACTS.get(row.status)
        raise REFUSALS[row.status](**(facts(row, move, given["version"]) if facts else {}))
    if row.status == "played":
        doorbell.ring_after_commit(players=dict(zip(row.players, row.seqs, strict=True)))
    return msgspec.json.decode(row.facts, type=PlayFacts)


def _limit(row: Any, move: Move, version: int) -> dict[str, Any]:
    limits = rulebooks.version(move.campaign.pk, version).stealing
    per, limit = ("day", limits.per_day) if row.status == "steal-limit" else ("friend", limits.per_pair_per_day)
    return {"per": per, "limit": limit, "next_at": instant(days.end(row.today, move.campaign.tz))}


# What there is to say of a refusal, by the version of the rules that was believed in.
_FACTS: dict[str, Callable[[Any, Move, int], dict[str, Any]]] = {
    "rule-forbids": lambda row, move, version: {"role": str(move.type)},
    "steal-limit": _limit,
    "pair-limit": _limit,
    "player-protected": lambda row, move, version: {"until": instant(row.until)},
}


def _receipt(kinds: catalogue.Catalogue, facts: PlayFacts, move: Move) -> answers.PlayReceipt:
    play = Play(
        public_id=facts.play, campaign=move.campaign, type=move.type, player_id=move.by.pk, kind=facts.kind,
        number=facts.number, among=facts.among, at=facts.at,
    )  # fmt: skip
    held = hands.Held(move.by.pk, facts.counts, facts.escrow, facts.version)
    return answers.PlayReceipt(play=describe(play, friend=move.friend), hand=answers.hand(kinds, held))


def describe(play: Play, *, friend: UUID | None) -> answers.PlayAnswer:
    """A play with public ids and slugs, and what is needed to replay its chance."""
    kinds = catalogue.of(play.campaign_id)
    chance = None
    if play.among is not None and play.number is not None:
        chance = answers.Chance(
            campaign=play.campaign_id, player=play.player_id, number=play.number, among=kinds.slugs(play.among)
        )
    return answers.PlayAnswer(
        id=play.public_id,
        type=str(play.type),
        friend=friend,
        kind=kinds.kinds[play.kind],
        chance=chance,
        played_at=instant(play.at),
    )
