"""What the actions of accounts answer: plain structs, rendered by the API as they are."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, cast
from uuid import UUID

import msgspec

from accounts.models import Player
from fortunes.answers import instant

# A player who was blocked isn't told, so "barred" is never shown.
ShownState = Literal["asking", "asked", "friends", "blocked"]


class PlayerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A player as others see them."""

    id: UUID
    username: str
    nickname: str


class MeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A player as they see themselves."""

    id: UUID
    username: str
    nickname: str
    joined_at: str
    friend_count: int


class TokensAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`access` goes into the Authorization header until it expires; `refresh` is good once, for the next pair."""

    access: str
    access_expires_at: str
    refresh: str


class SessionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A player, signed in."""

    player: PlayerAnswer
    tokens: TokensAnswer


class RefreshedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A session's next tokens."""

    tokens: TokensAnswer


class FriendshipAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How you stand to `player`: you are `asking` them, were `asked` by them, are `friends`, or have `blocked` them."""

    player: PlayerAnswer
    state: ShownState
    since: str


def player(row: Player) -> PlayerAnswer:
    return PlayerAnswer(id=row.public_id, username=row.username, nickname=row.nickname)


def me(row: Player) -> MeAnswer:
    return MeAnswer(
        id=row.public_id,
        username=row.username,
        nickname=row.nickname,
        joined_at=instant(row.joined_at),
        friend_count=row.friend_count,
    )


def friendship(friend: Player, state: str, since: datetime) -> FriendshipAnswer:
    return FriendshipAnswer(player=player(friend), state=cast(ShownState, str(state)), since=instant(since))
