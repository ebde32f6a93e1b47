"""Cards: kinds, stock, hands, sources, draws and trades.

Kinds and sources are numbered inside a campaign (`ordinal`, from 0); hot tables keep the ordinal, so a Hand is one
array and a Draw is one narrow row. Draws and Transfers are append-only: a Hand is a cache of them and can be rebuilt.
"""

from cards.models.aftermaths import Aftermath, Conversion
from cards.models.catalogue import CardKind, CodeBatch, Source
from cards.models.draws import (
    Draw,
    DrawCount,
    DrawReader,
    DrawTotal,
    InvitationCredit,
    Stock,
    StockTranche,
    SupportReason,
)
from cards.models.hands import Hand, NoneNegative
from cards.models.trades import Addressee, LinkOpen, Play, ShareLink, Trade, TradeNote, Transfer

__all__ = [
    "Addressee",
    "Aftermath",
    "CardKind",
    "CodeBatch",
    "Conversion",
    "Draw",
    "DrawCount",
    "DrawReader",
    "DrawTotal",
    "Hand",
    "InvitationCredit",
    "LinkOpen",
    "NoneNegative",
    "Play",
    "ShareLink",
    "Source",
    "Stock",
    "StockTranche",
    "SupportReason",
    "Trade",
    "TradeNote",
    "Transfer",
]
