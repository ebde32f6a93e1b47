"""Campaigns from the preset to the opening, how their rules change, and the money to look at."""

from redpackets.admin.amendments import AmendmentAdmin
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
from redpackets.admin.rulebooks import ReadableRulebookAdmin
from redpackets.admin.votes import ProposalAdmin

__all__ = [
    "AmendmentAdmin",
    "CampaignAdmin",
    "CompensationFundAdmin",
    "LedgerEntryAdmin",
    "LiveShareAdmin",
    "PacketAdmin",
    "PoolAdmin",
    "ProposalAdmin",
    "ReadableRulebookAdmin",
    "SettlementAdmin",
    "SettlementChunkAdmin",
    "SupportedPlayerAdmin",
    "WalletAdmin",
]
