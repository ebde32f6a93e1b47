"""Swaps that help both: who holds a double of what the other misses, and the other way round. Pure.

A double is a card that stays at least once when it goes. What is in escrow can't be given, and yet isn't missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# What a count can be at most.
FULL = 32767


@dataclass(frozen=True, slots=True)
class Cards:
    """What a player holds, by the kinds' ordinals."""

    counts: Sequence[int]
    escrow: Sequence[int]

    def misses(self, kind: int) -> bool:
        return self.counts[kind] + self.escrow[kind] == 0

    def spares(self, kind: int) -> bool:
        return self.counts[kind] >= 2

    @property
    def has_room(self) -> bool:
        """Whether another card of any kind fits, once all that is in escrow has come back."""
        return max(self.counts) + sum(self.escrow) < FULL


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One card for one card, seen from the player to whom it is suggested."""

    friend: int
    gives: int
    takes: int


def swaps(mine: Cards, theirs: Cards, *, wanted: Iterable[int]) -> list[tuple[int, int]]:
    """What I could give and take of the `wanted` kinds, one for one, each kind once.

    Paired by ordinal, so that the other side is suggested the same swaps.
    """
    if not (mine.has_room and theirs.has_room):
        return []
    kinds = sorted(set(wanted))
    gives = [kind for kind in kinds if mine.spares(kind) and theirs.misses(kind)]
    takes = [kind for kind in kinds if theirs.spares(kind) and mine.misses(kind)]
    return list(zip(gives, takes, strict=False))


def suggest(
    mine: Cards, friends: Mapping[int, Cards], *, wanted: Sequence[int], weights: Sequence[int]
) -> list[Suggestion]:
    """All swaps with friends, by their ids: for the rarest card first, and then always in the same order."""
    found = [
        Suggestion(friend, gives, takes)
        for friend, theirs in friends.items()
        for gives, takes in swaps(mine, theirs, wanted=wanted)
    ]
    return sorted(found, key=lambda one: (weights[one.takes], one.takes, one.friend, one.gives))
