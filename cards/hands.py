"""Hands: what a player holds, and the row that must exist before any lock on it can be taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from fortunes import sql


@dataclass(slots=True)
class Held:
    """What a player holds at one moment. Arrays are indexed by a kind's ordinal."""

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
