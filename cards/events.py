"""Facts about cards that players are told."""

from __future__ import annotations

import msgspec

from fortunes.events import event


@event("gift.sent")
class GiftSent(msgspec.Struct, frozen=True, kw_only=True):
    """To the giver (their other devices): the cards have left."""

    trade: str
    to: str
    gives: list[str]
    hand_version: int


@event("invitation.credited")
class InvitationCredited(msgspec.Struct, frozen=True, kw_only=True):
    """To the inviter: a player who came by their invitation has drawn a first card, and this is theirs for it."""

    draw: str
    invited: str
    kind: str
    serial: int | None
    hand_version: int
    complete: bool


@event("draw.granted")
class DrawGranted(msgspec.Struct, frozen=True, kw_only=True):
    """To a player: support has given them a card, for a `reason` that is a slug."""

    draw: str
    kind: str
    serial: int | None
    reason: str
    hand_version: int
    complete: bool


@event("gift.received")
class GiftReceived(msgspec.Struct, frozen=True, kw_only=True):
    """To the receiver: the cards are in the hand."""

    trade: str
    sender: str
    gives: list[str]
    hand_version: int
    complete: bool
