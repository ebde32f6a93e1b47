"""Players and their friendships. A friendship has a history, so it's made by the actions."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any

from django.contrib.auth import hashers
from factory.base import Factory
from factory.declarations import LazyFunction, SubFactory
from factory.django import DjangoModelFactory

from accounts.actions import friendships, invitations
from accounts.models import Friendship, Player, Referral

stored_password = cache(hashers.make_password)


class PlayerFactory(DjangoModelFactory[Player]):
    """A player. Nobody can sign in as one without a given `password`: hashing is slow, and most tests use a token."""

    class Meta:
        model = Player

    # Random, because committed players stay in the database for the whole session.
    username = LazyFunction(lambda: f"player-{secrets.token_hex(6)}")

    @classmethod
    def _create(cls, model_class: type[Player], *args: Any, password: str | None = None, **fields: Any) -> Player:
        player: Player = super()._create(model_class, *args, password=stored_password(password), **fields)
        return player


class ReferralFactory(Factory[Referral]):
    """`invited` came by an invitation of `inviter`."""

    class Meta:
        model = Referral

    invited = SubFactory(PlayerFactory)
    inviter = SubFactory(PlayerFactory)

    @classmethod
    def _create(cls, model_class: type[Referral], *args: Any, invited: Player, inviter: Player) -> Referral:
        link, _ = invitations.create(by=inviter.pk)
        # As `invitations.refer` does in the transaction of the sign-up, without the friendship.
        return model_class.objects.create(invited=invited, inviter=inviter, link=link)


class FriendshipFactory(Factory[Friendship]):
    """`player` and `friend` are friends: the one asked and the other accepted."""

    class Meta:
        model = Friendship

    player = SubFactory(PlayerFactory)
    friend = SubFactory(PlayerFactory)

    @classmethod
    def _create(cls, model_class: type[Friendship], *args: Any, player: Player, friend: Player) -> Friendship:
        friendships.ask(by=player.pk, player=friend.public_id)
        friendships.accept(by=friend.pk, player=player.public_id)
        return model_class.objects.get(player=player, friend=friend)
