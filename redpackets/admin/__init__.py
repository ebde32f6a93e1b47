"""Campaigns from the preset to the opening, and the money to look at."""

from redpackets.admin.campaigns import CampaignAdmin
from redpackets.admin.money import (
    CompensationFundAdmin,
    LedgerEntryAdmin,
    LiveShareAdmin,
    PacketAdmin,
    PoolAdmin,
    SettlementAdmin,
    SettlementChunkAdmin,
    WalletAdmin,
)
from redpackets.admin.players import SupportedPlayerAdmin

__all__ = [
    "CampaignAdmin",
    "CompensationFundAdmin",
    "LedgerEntryAdmin",
    "LiveShareAdmin",
    "PacketAdmin",
    "PoolAdmin",
    "SettlementAdmin",
    "SettlementChunkAdmin",
    "SupportedPlayerAdmin",
    "WalletAdmin",
]
