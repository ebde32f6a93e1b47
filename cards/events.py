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


@event("gift.received")
class GiftReceived(msgspec.Struct, frozen=True, kw_only=True):
    """To the receiver: the cards are in the hand."""

    trade: str
    sender: str
    gives: list[str]
    hand_version: int
    complete: bool
