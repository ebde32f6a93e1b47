"""Campaigns from the preset to the opening, and the money to look at."""

from redpackets.admin.campaigns import CampaignAdmin
from redpackets.admin.money import (
    LedgerEntryAdmin,
    PacketAdmin,
    PoolAdmin,
    SettlementAdmin,
    SettlementChunkAdmin,
    WalletAdmin,
)

__all__ = [
    "CampaignAdmin",
    "LedgerEntryAdmin",
    "PacketAdmin",
    "PoolAdmin",
    "SettlementAdmin",
    "SettlementChunkAdmin",
    "WalletAdmin",
]
