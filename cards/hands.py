"""Hands: the doorway to their locks, and the row that must exist before any lock can be taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from fortunes import sql


@dataclass(slots=True)
class Held:
    """A locked Hand as it is in the database. Arrays are indexed by a kind's ordinal."""

    player_id: int
    counts: list[int]
    escrow: list[int]
    version: int

    @classmethod
    def of(cls, player_id: int, row: Any) -> Held:
        return cls(player_id, row.counts, row.escrow, row.version)

    @classmethod
    def empty(cls, player_id: int, kinds: int) -> Held:
        """What a player holds who has no Hand yet."""
        return cls(player_id, [0] * kinds, [0] * kinds, 0)


def ensure(*, campaign_id: int, players: Iterable[int]) -> None:
    """Make the Hand and the Membership of each player where they are missing, in a transaction of its own.

    Never inside a game transaction: a first scan that inserts rows while it holds locks deadlocks with another one.
    """
    with transaction.atomic(durable=True):
        sql.execute(sql.text("cards", "ensure_hands"), {"campaign": campaign_id, "players": sorted(set(players))})


def lock(*, campaign_id: int, players: Sequence[int]) -> dict[int, Held]:
    """The Hands of these players by player id, locked in ascending id until the transaction ends.

    One statement a player with an equality filter, so the order of locking is ours and not the planner's. A player
    without a Hand is missing from the answer.
    """
    held = {}
    for player_id in sorted(set(players)):
        params = {"campaign": campaign_id, "player": player_id}
        for row in sql.fetch(sql.text("cards", "lock_hand"), params):
            held[player_id] = Held.of(player_id, row)
    return held


def write(*, campaign_id: int, hand: Held) -> None:
    """Write a locked Hand back, its version raised by one."""
    hand.version += 1
    params = {"campaign": campaign_id, "player": hand.player_id, "counts": hand.counts, "version": hand.version}
    if sql.execute(sql.text("cards", "write_hand"), params) != 1:
        raise RuntimeError(f"the hand of player {hand.player_id} changed under its lock")
