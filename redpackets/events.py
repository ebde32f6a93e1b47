"""Facts about money that players are told. What a packet holds is told by opening it."""

from __future__ import annotations

import msgspec

from fortunes.events import event


@event("compensation.paid", pushed=True)
class CompensationPaid(msgspec.Struct, frozen=True, kw_only=True):
    """To the player: staff have paid `amount_fen` into the wallet, because something went wrong."""

    campaign: str
    amount_fen: int
    reason: str


@event("conversion.paid")
class ConversionPaid(msgspec.Struct, frozen=True, kw_only=True):
    """To the player: what a vote has promised for cards that it removed is in the wallet."""

    conversion: str
    campaign: str
    amount_fen: int
