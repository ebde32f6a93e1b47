"""Seasons in which friends steal from each other."""

from __future__ import annotations

from typing import Any

from accounts.models import Player
from cards import catalogue
from cards.models import Hand
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory

PLENTY = {"per_day": 1_000, "per_pair_per_day": 1_000, "protection_h": 0, "spares_last": False}


def season_with(**limits: Any) -> Campaign:
    return make.TradingSeasonFactory.create(rules={"specials": ["steal"], "stealing": PLENTY | limits})


def friends_of(player: Player, number: int) -> list[Player]:
    """Made after the player, so that the player's hand is the first that any of them locks."""
    friends: list[Player] = PlayerFactory.create_batch(number)
    for friend in friends:
        FriendshipFactory.create(player=player, friend=friend)
    return friends


def cards_of(season: Campaign) -> dict[str, int]:
    """All cards of a kind that anybody holds, by slug."""
    hands_ = Hand.objects.filter(campaign=season).values_list("counts", flat=True)
    return catalogue.of(season.pk).counts([sum(counts) for counts in zip(*hands_, strict=True)])
