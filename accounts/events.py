"""What players are told about their friendships; both sides get the same payload."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fortunes.events import event


@event("friendship.asked", pushed=True, by="by")
class FriendshipAsked(msgspec.Struct, frozen=True, kw_only=True):
    """`by` would like to be friends with `to`."""

    by: UUID
    to: UUID


@event("friendship.accepted", pushed=True, by="by")
class FriendshipAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """`by` accepted what `to` had asked, asked back, or followed an invitation of `to`: they are friends."""

    by: UUID
    to: UUID


@event("friendship.ended")
class FriendshipEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A friendship or an ask came to nothing, by the doing of `by`."""

    by: UUID
    to: UUID
