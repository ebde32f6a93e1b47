"""Where a player's cards came from and where they went, read. Nothing here locks or changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from accounts import friends
from cards import answers, catalogue
from fortunes import sql
from fortunes.answers import instant
from fortunes.models import Campaign

# Beyond every id.
NEWEST = 10**18 - 1


@dataclass(frozen=True, slots=True)
class Move:
    """A card that came to a player or went from them. `other` is the player at the far end, if there is one.

    `position` is what the page after it goes on from: the lowest draw and the lowest transfer up to here.
    """

    at: datetime
    comes: bool
    kind: int
    source: int | None
    serial: int | None
    draw: UUID | None
    trade: UUID | None
    play: UUID | None
    conversion: UUID | None
    way: str | None
    other_id: int | None
    position: str


def moves(*, campaign: Campaign, player_id: int, before: str | None, limit: int) -> list[Move]:
    """The newest `limit` moves of a player's cards, of those before a position.

    Both tables are append-only, and a player's rows come into each under the lock of their hand, so in the order of the
    ids: what is written meanwhile is beyond every position, and nothing is left out or told twice.
    """
    draw, transfer = map(int, before.split(".")) if before else (NEWEST, NEWEST)
    params = {"campaign": campaign.pk, "player": player_id, "draw": draw, "transfer": transfer, "limit": limit}
    return [Move(*row) for row in sql.fetch(sql.text("cards", "history"), params)]


def describe(rows: Iterable[Move], *, campaign: Campaign) -> list[answers.HistoryEntry]:
    """Moves with the public ids of the others, in one query for all of them."""
    rows, known = list(rows), catalogue.of(campaign.pk)
    names = friends.public_ids(row.other_id for row in rows if row.other_id)
    return [
        answers.HistoryEntry(
            at=instant(row.at),
            direction="in" if row.comes else "out",
            kind=known.kinds[row.kind],
            via=cast(answers.Via, known.types[row.source] if row.source is not None else row.way),
            counterpart=names[row.other_id] if row.other_id else None,
            serial=row.serial,
            draw=row.draw,
            trade=row.trade,
            play=row.play,
            conversion=row.conversion,
        )
        for row in rows
    ]
