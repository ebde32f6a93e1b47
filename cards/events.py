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


@event("invitation.credited", pushed=True)
class InvitationCredited(msgspec.Struct, frozen=True, kw_only=True):
    """To the inviter: a player who came by their invitation has drawn a first card, and this is theirs for it."""

    draw: str
    invited: str
    kind: str
    serial: int | None
    hand_version: int
    complete: bool


@event("draw.granted", pushed=True)
class DrawGranted(msgspec.Struct, frozen=True, kw_only=True):
    """To a player: support has given them a card, for a `reason` that is a slug."""

    draw: str
    kind: str
    serial: int | None
    reason: str
    hand_version: int
    complete: bool


@event("gift.received", pushed=True, by="sender")
class GiftReceived(msgspec.Struct, frozen=True, kw_only=True):
    """To the receiver: the cards are in the hand."""

    trade: str
    sender: str
    gives: list[str]
    hand_version: int
    complete: bool


@event("card.stolen", pushed=True, by="by")
class CardStolen(msgspec.Struct, frozen=True, kw_only=True):
    """To the victim, at once: a friend has stolen a card of this kind."""

    play: str
    by: str
    kind: str
    hand_version: int
    complete: bool


@event("card.taken")
class CardTaken(msgspec.Struct, frozen=True, kw_only=True):
    """To the thief (their other devices): a steal card has become a card of a friend's."""

    play: str
    friend: str
    kind: str
    hand_version: int
    complete: bool


@event("card.turned")
class CardTurned(msgspec.Struct, frozen=True, kw_only=True):
    """To a player (their other devices): a wild card has been turned into this kind."""

    play: str
    kind: str
    hand_version: int
    complete: bool


@event("card.copied")
class CardCopied(msgspec.Struct, frozen=True, kw_only=True):
    """To a player (their other devices): a copy card has become a card of a kind that a friend holds."""

    play: str
    friend: str
    kind: str
    hand_version: int
    complete: bool


@event("card.converted", pushed=True)
class CardConverted(msgspec.Struct, frozen=True, kw_only=True):
    """To a player: the rules have removed a kind, and the `cards` of it that they held are gone. For them they have
    `into`, one slug a card, or are paid `fen` (conversion.paid says when).
    """

    conversion: str
    kind: str
    cards: int
    into: list[str]
    fen: int
    hand_version: int
    complete: bool


@event("trade.proposed", pushed=True, by="proposer", about="trade")
class TradeProposed(msgspec.Struct, frozen=True, kw_only=True):
    """To the proposer (their other devices) and all who are asked: cards are wanted or offered, until `expires_at`."""

    trade: str
    type: str
    audience: str
    proposer: str
    gives: list[str]
    takes: list[str]
    expires_at: str
    has_note: bool


@event("trade.accepted", pushed=True, by="by", about="trade")
class TradeAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """To both sides of a trade: the cards have changed hands. `gives` and `takes` are the proposer's."""

    trade: str
    type: str
    proposer: str
    by: str
    gives: list[str]
    takes: list[str]
    hand_version: int
    complete: bool


@event("trade.closed", about="trade")
class TradeClosed(msgspec.Struct, frozen=True, kw_only=True):
    """To the proposer and all who were asked: nothing more comes of this trade for them.

    `state` is `declined`, `cancelled`, `expired`, `voided` by a change of the rules, or `accepted` where another
    friend was faster. `by` is who declined or cancelled it. `hand_version` is the proposer's where cards came back from
    escrow.
    """

    trade: str
    state: str
    by: str | None
    hand_version: int | None
