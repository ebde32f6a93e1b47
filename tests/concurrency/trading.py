"""What the races of trades have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import UUID

import psycopg

from accounts.models import Player
from cards.models import Trade
from fortunes import sql
from tests.concurrency.variants import meeting, without
from tests.factories.accounts import FriendshipFactory, PlayerFactory

# Where an acceptance, a gift and a proposal have judged everything, and have written nothing.
ACCEPTED = "    mine := cards_received(mine, trade.gives, cardinality(trade.gives) > 0, gate.today);\n"
GIVEN = "    mine := cards_keep_hand(mine, full_set, wild, gate.at);\n"

INVARIANTS = (
    "cards_conserved", "hands_equal_history", "hands_not_negative", "trades_moved_their_cards",
    "plays_moved_their_cards", "escrow_is_in_open_links", "trades_fit_their_audience", "open_trades_capped",
    "gifts_counted", "nothing_after_the_freeze", "both_sides_were_told",
)  # fmt: skip


def violations() -> set[str]:
    """The invariants of trades that don't hold, whatever the season."""
    return {name for name in INVARIANTS if sql.fetch(sql.text("cards", f"invariants/{name}"))}


def types(outcomes: list[Any]) -> Counter[type]:
    return Counter(type(outcome) for outcome in outcomes)


def state(trade: UUID) -> str:
    return Trade.objects.get(public_id=trade).state


def friends_of(player: Player, count: int) -> list[Player]:
    """New friends of a player, who are strangers to each other."""
    friends: list[Player] = PlayerFactory.create_batch(count)
    for friend in friends:
        FriendshipFactory.create(player=player, friend=friend)
    return friends


@contextmanager
def unlocked_hands(owner: psycopg.Connection) -> Iterator[None]:
    """No hand is locked by anybody."""
    with without(owner, "cards", "lock_hand", cut=" FOR NO KEY UPDATE"):
        yield


@contextmanager
def all_judged_first(owner: psycopg.Connection, parties: int, **places: str) -> Iterator[None]:
    """No hand is locked, and so many have come to these places of the functions before any of them goes on."""
    with ExitStack() as variants:
        meet = variants.enter_context(meeting(owner, parties))
        variants.enter_context(unlocked_hands(owner))
        for function, place in places.items():
            pause = without(owner, "cards", function, cut=place, put=f"    PERFORM {meet};\n{place}")
            variants.enter_context(pause)
        yield
