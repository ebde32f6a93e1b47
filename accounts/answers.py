"""What the actions of accounts answer: plain structs, rendered by the API as they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

import msgspec

from accounts.befriending import Side
from accounts.models import InvitationLink, Player, RefreshFamily
from accounts.standings import Wishes
from fortunes.answers import instant
from fortunes.presence import Seen

# A player who was blocked isn't told, so "barred" is never shown, and "mutual" is one's own block.
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


class PhoneCodeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A code is on its way, whether a player has this number or not. Another can be asked for in `retry_after_s`."""

    expires_at: str
    retry_after_s: int


class DeviceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A session that goes on: somewhere you are signed in. `current` is where you ask from."""

    id: UUID
    signed_in_at: str
    refreshed_at: str
    expires_at: str
    current: bool


class FriendshipAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How you stand to `player`: you are `asking` them, were `asked` by them, are `friends`, or have `blocked` them."""

    player: PlayerAnswer
    state: ShownState
    since: str


class PresenceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Which of your friends are `online`. Unless it is `known`, these are only those that were heard of so far."""

    known: bool
    online: list[UUID]


class InvitationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A link that you spread. `url` says who invites; `opens` counts how often that was asked for, as nearly as it
    can without anybody waiting, and `acceptances` who became your friend by it.
    """

    code: str
    channel: str
    url: str
    created_at: str
    revoked_at: str | None
    opens: int
    acceptances: int


class InviterAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who invites, as everybody with the link may know: no username."""

    id: UUID
    nickname: str


class InvitedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that can be accepted."""

    inviter: InviterAnswer


class NotificationsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How you are told of events while you are away, by the app that you signed in with; never in quiet hours.

    `types` are those that you may be told of, and `muted` those of them that you don't want.
    """

    enabled: bool
    muted: list[str]
    quiet_from: str | None
    quiet_to: str | None
    tz: str
    types: list[str]


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


def device(row: RefreshFamily, *, current: UUID | None) -> DeviceAnswer:
    return DeviceAnswer(
        id=row.public_id,
        signed_in_at=instant(row.created_at),
        refreshed_at=instant(row.refreshed_at),
        expires_at=instant(row.expires_at),
        current=row.public_id == current,
    )


def friendship(friend: Player, state: str, since: datetime) -> FriendshipAnswer:
    shown = Side.BLOCKED if state == Side.MUTUAL else state
    return FriendshipAnswer(player=player(friend), state=cast(ShownState, str(shown)), since=instant(since))


def presence(contacts: Mapping[int, UUID], seen: Seen) -> PresenceAnswer:
    return PresenceAnswer(
        known=seen.known, online=[public_id for player, public_id in contacts.items() if player in seen.online]
    )


def invitation(row: InvitationLink) -> InvitationAnswer:
    return InvitationAnswer(
        code=row.code,
        channel=row.channel,
        url=f"/api/v1/invitations/{row.code}",
        created_at=instant(row.created_at),
        revoked_at=instant(row.revoked_at) if row.revoked_at else None,
        opens=row.opens,
        acceptances=row.acceptances,
    )


def invited(inviter: Player) -> InvitedAnswer:
    return InvitedAnswer(inviter=InviterAnswer(id=inviter.public_id, nickname=inviter.nickname))


def notifications(wishes: Wishes, types: list[str]) -> NotificationsAnswer:
    return NotificationsAnswer(
        enabled=wishes.enabled,
        muted=sorted(wishes.muted),
        quiet_from=f"{wishes.hours.begins:%H:%M}" if wishes.hours else None,
        quiet_to=f"{wishes.hours.ends:%H:%M}" if wishes.hours else None,
        tz=wishes.tz,
        types=types,
    )
