"""Aftermaths: what a version of the rules leaves to be done to cards, once it is in force.

The ground says what a version promises, and doesn't know us: here we look for versions, and do what follows from each
(`cards.consequences`) chunk by chunk, in the order of their numbers. Each chunk is a transaction that moves the
aftermath's row on, so any number of workers may call, and each may die between any two statements.

A campaign is frozen only when none is unfinished (`redpackets.actions.stages`), and until then they go on, deadline or
not: what was promised before it counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from cards import catalogue, consequences, draws, suggesting, trading
from cards.actions import stock
from cards.consequences import Consequences, Into, Promise, State
from cards.models import Aftermath, CardKind
from fortunes import doorbell, rulebooks, sql
from fortunes.actions import campaigns
from fortunes.models import Campaign, Compensation, DatabaseNow, Rulebook
from fortunes.rules import Rules

# Less than a ring is away from the next; what is left is found then.
BUDGET_S = 0.8
# Of one transaction. An ask to all friends tells 200 of its end.
MOST_TRADES = 25
MOST_HOLDERS = 250
# Hands are only looked at until one is found in which something changes.
MOST_HANDS = 2_000
# A conversion numbers what it uses up and what it gains together, in a small integer.
MOST_CARDS = 16_000

# What a step asks the caller to do over.
AGAIN = ("moved", "changed", "stale-rulebook")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """An aftermath and what there is to know for going on with it."""

    row: Aftermath
    known: catalogue.Catalogue
    rules: Rules
    since: datetime
    follows: Consequences

    @property
    def next_state(self) -> str:
        return self.follows.after(State(self.row.state)).value

    @property
    def secret(self) -> bytes:
        """Of the draws."""
        return campaigns.draw_secret(self.row.campaign)


def follow_due(*, budget_s: float = BUDGET_S) -> int:
    """Go on with every aftermath that there is, for about `budget_s`; how many steps. Any number may call."""
    ends = time.monotonic() + budget_s
    steps = 0
    failures: list[Exception] = []
    for due in _due():
        try:
            while step(campaign_id=due.campaign_id):
                steps += 1
                if time.monotonic() >= ends:
                    break
        except Exception as failure:
            # One campaign that can't be gone on with holds up no other.
            failures.append(failure)
    if failures:
        raise failures[0]
    return steps


def unfinished(*, campaign_id: int) -> bool:
    """Whether a version of the rules that has taken force since the opening has an aftermath which isn't done."""
    done = Aftermath.objects.filter(campaign=campaign_id, state=State.DONE).values("version")
    since = Rulebook.objects.filter(campaign=campaign_id, version__gt=1, in_force_at__gte=F("campaign__opened_at"))
    return since.filter(in_force_at__lte=DatabaseNow()).exclude(version__in=done).exists()


def step(*, campaign_id: int) -> bool:
    """Do the next piece of the first aftermath of a campaign that isn't done.

    False if there is none, if the campaign is frozen, or if another worker is at it: come again in a moment.
    """
    for due in _due(campaign_id):
        row = Aftermath.objects.select_related("campaign").filter(campaign=campaign_id, version=due.version).first()
        if row is None:
            return _begin(campaign_id, due.version)
        # Whoever was faster may have finished it meanwhile.
        return row.state == State.DONE or _STEPS[State(row.state)](_work(row)) in AGAIN
    return False


def _due(campaign_id: int | None = None) -> list[Any]:
    return sql.fetch(sql.text("cards", "due_aftermaths"), {"campaign": campaign_id})


def _begin(campaign_id: int, version: int) -> bool:
    """Note what there is to do, with the stock of raised caps; one of several who come at once does."""
    campaign, rulebook = Campaign.objects.get(pk=campaign_id), _rulebook(campaign_id, version)
    with transaction.atomic(durable=True):
        params = {"campaign": campaign_id, "version": version, "state": _follows(rulebook).steps()[0]}
        if sql.execute(sql.text("cards", "begin_aftermath"), params):
            rules = rulebooks.version(campaign_id, version)
            stock.raise_caps(campaign=campaign, rulebook=rules, since=rulebook.in_force_at)
    return True


def _rulebook(campaign_id: int, version: int) -> Rulebook:
    return Rulebook.objects.get(campaign=campaign_id, version=version)


def _follows(rulebook: Rulebook) -> Consequences:
    """What follows from a version, which takes the place of the one before."""
    campaign_id, version = rulebook.campaign_id, rulebook.version
    promised = Compensation.objects.filter(rulebook=rulebook)
    return consequences.of(
        catalogue.of(campaign_id),
        before=rulebooks.version(campaign_id, version - 1),
        after=rulebooks.version(campaign_id, version),
        compensations={row.role: {"into": row.into, "amount_fen": row.amount_fen} for row in promised},
    )


def _work(row: Aftermath) -> Work:
    rulebook = _rulebook(row.campaign_id, row.version)
    return Work(
        row=row,
        known=catalogue.of(row.campaign_id),
        rules=rulebooks.version(row.campaign_id, row.version),
        since=rulebook.in_force_at,
        follows=_follows(rulebook),
    )


def _void(work: Work) -> str:
    """Close the open trades of some players' that have a card of a removed kind."""
    params = {
        "aftermath": work.row.pk,
        "kinds": list(work.follows.removed),
        "state": trading.after("open", "void"),
        "next": work.next_state,
        "most_hands": MOST_HANDS,
        "most_trades": MOST_TRADES,
    }
    row = sql.fetch_alone(sql.text("cards", "void"), params)[0]
    if row.closed:
        doorbell.ring_after_commit(players=dict(zip(row.players, row.seqs, strict=True)))
    status: str = row.status
    return status


def _convert(work: Work) -> str:
    """Convert the cards of some players. Here the draw secret meets the cards; SQL never sees it."""
    wanted = {
        "campaign": work.row.campaign_id,
        "after": work.row.last_player,
        "kinds": list(work.follows.promises),
        "most": MOST_HOLDERS,
        "most_hands": MOST_HANDS,
    }
    rows = sql.fetch(sql.text("cards", "holders"), wanted)
    items = [item for row in rows if row.player_id for item in _items(work, row)]
    params = {
        "aftermath": work.row.pk,
        "after": work.row.last_player,
        "upto": rows[0].upto,
        "next": work.next_state if rows[0].is_last else None,
        "slugs": list(work.known.kinds),
        **_in_force(work),
        **_arrays(items),
    }
    row = sql.fetch_alone(sql.text("cards", "convert"), params)[0]
    if row.converted:
        doorbell.ring_after_commit(players=dict(zip(row.told, row.seqs, strict=True)))
    return _settled(work, row.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A player's cards of one kind: `cards` of the `held` become `into`, or `fen`."""

    player: int
    kind: int
    held: int
    cards: int
    into: list[int]
    fen: int
    by_chance: bool


def _items(work: Work, hand: Any) -> Iterator[Item]:
    """What becomes of what one player holds. What doesn't fit into the hand stays as it is."""
    room = suggesting.FULL - max(hand.counts) - sum(hand.escrow)
    for kind, promise in sorted(work.follows.promises.items()):
        held = hand.counts[kind]
        cards = min(held, MOST_CARDS) if promise.into == Into.FEN else min(held, MOST_CARDS, room)
        if cards > 0:
            room -= 0 if promise.into == Into.FEN else cards
            yield Item(
                player=hand.player_id,
                kind=kind,
                held=held,
                cards=cards,
                into=_into(work, hand.player_id, kind, promise, cards),
                fen=cards * promise.amount_fen,
                by_chance=promise.into == Into.FORTUNE,
            )


def _into(work: Work, player_id: int, kind: int, promise: Promise, cards: int) -> list[int]:
    if promise.into == Into.FEN:
        return []
    if promise.into == Into.WILD:
        return [work.known.roles.index(CardKind.Role.WILD)] * cards
    weights, secret = work.known.fortune_weights(work.rules), work.secret
    campaign_id, version = work.row.campaign_id, work.row.version
    keys = (
        draws.conversion_key(campaign_id=campaign_id, version=version, kind=kind, place=place) for place in range(cards)
    )
    return [draws.choose(weights, draws.roll(secret, key, player_id)[0:8]) for key in keys]


def _arrays(items: list[Item]) -> dict[str, list[Any]]:
    """The parallel arrays of the SQL function."""
    got = [(place, kind) for place, item in enumerate(items, start=1) for kind in item.into]
    return {
        "players": [item.player for item in items],
        "kinds": [item.kind for item in items],
        "held": [item.held for item in items],
        "cards": [item.cards for item in items],
        "fens": [item.fen for item in items],
        "chances": [item.by_chance for item in items],
        "got_by": [place for place, _ in got],
        "got": [kind for _, kind in got],
    }


def _complete(work: Work) -> str:
    """Note since when some players' hands are complete."""
    params = {
        "aftermath": work.row.pk,
        "next": work.next_state,
        "since": work.since,
        "most": MOST_HANDS,
        **_in_force(work),
    }
    return _settled(work, sql.fetch_alone(sql.text("cards", "date_hands"), params)[0].status)


def _in_force(work: Work) -> dict[str, Any]:
    """What makes a set complete by the version that this process believes to be in force."""
    version = rulebooks.believed(work.row.campaign_id)
    in_force = rulebooks.version(work.row.campaign_id, version)
    return {"version": version, "full_set": work.known.full_set(in_force), "wild": work.known.filler(in_force)}


def _settled(work: Work, status: str) -> str:
    if status == "stale-rulebook":
        rulebooks.forget(work.row.campaign_id)
    return status


_STEPS: dict[State, Callable[[Work], str]] = {State.VOID: _void, State.CONVERT: _convert, State.COMPLETE: _complete}
