"""Who is ahead: by distinct kinds of the full set, then by cards, then by since when the set is complete. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Standing:
    """A player's figures. What is in escrow still counts for its giver. `complete_since` is None without a full set."""

    player: UUID
    kinds: int
    cards: int
    complete_since: datetime | None


def standing(
    player: UUID, *, counts: Collection[int], escrow: Collection[int], full_set: Iterable[int], since: datetime | None
) -> Standing:
    """What a hand amounts to."""
    held = [count + waiting for count, waiting in zip(counts, escrow, strict=True)]
    return Standing(player, sum(held[kind] > 0 for kind in full_set), sum(held), since)


def rank(standings: Iterable[Standing]) -> list[tuple[int, Standing]]:
    """Places and figures, the first first. Equal figures share a place, and are told apart by the player's id."""
    ranked: list[tuple[int, Standing]] = []
    for number, one in enumerate(sorted(standings, key=lambda one: (_figures(one), one.player)), 1):
        shares = bool(ranked) and _figures(ranked[-1][1]) == _figures(one)
        ranked.append((ranked[-1][0] if shares else number, one))
    return ranked


def _figures(one: Standing) -> tuple[int, int, bool, float]:
    """What the order is by, the lowest first."""
    since = one.complete_since
    return -one.kinds, -one.cards, since is None, since.timestamp() if since else 0.0
