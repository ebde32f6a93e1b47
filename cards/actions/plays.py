"""The special cards that a player has played, read."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from accounts import friends
from cards import answers, playing
from cards.models import Play
from fortunes.models import Campaign


def of(*, campaign: Campaign, player_id: int) -> QuerySet[Play]:
    return Play.objects.filter(player=player_id, campaign=campaign)


def describe(rows: Sequence[Play]) -> list[answers.PlayAnswer]:
    """With public ids, in two queries for all of them."""
    known = friends.public_ids(row.friend_id for row in rows if row.friend_id is not None)
    return [playing.describe(row, friend=known.get(row.friend_id or 0)) for row in rows]
