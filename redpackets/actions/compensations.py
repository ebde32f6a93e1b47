"""Compensations in money: a sponsor sets some aside, and staff pay a player what went wrong for them.

A fund never pays more than was set aside for it, and a case is paid once, whoever presses how often.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F

from cards.errors import PlayerNotCompensated
from fortunes import audit, events, sql
from fortunes.errors import CampaignNotFound
from fortunes.models import Campaign
from redpackets import errors, ledger
from redpackets.actions import conversions
from redpackets.events import CompensationPaid
from redpackets.models import POOL_LIMIT_FEN, CompensationFund, LedgerEntry

# The number of a case elsewhere, in the staff's ticket system. It goes into the ledger: nobody's words fit in.
CASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


class Reason(StrEnum):
    """Why a player is compensated."""

    OUTAGE = "outage"
    LOST_CARD = "lost-card"
    WRONG_PAYOUT = "wrong-payout"
    GOODWILL = "goodwill"


@dataclass(frozen=True, slots=True)
class Paid:
    """A compensation, and whether this ask paid it: False if the same case had been paid just so before."""

    amount_fen: int
    paid: bool


def fund(*, campaign_id: int, amount_fen: int, business_key: str, by: int | None) -> bool:
    """Set money of a campaign's sponsor aside for compensations; False if this business key did so before.

    Raises CampaignNotFound, InvalidAmount, InvalidBusinessKey or BusinessKeyReused.
    """
    if not 0 < amount_fen < POOL_LIMIT_FEN:
        raise errors.InvalidAmount
    ledger.require_free_key(business_key)
    with transaction.atomic(durable=True):
        if not Campaign.objects.filter(pk=campaign_id).exists():
            raise CampaignNotFound
        source, destination = ledger.sponsor(campaign_id), ledger.compensation(campaign_id)
        if not ledger.post(source=source, destination=destination, amount_fen=amount_fen, business_key=business_key):
            _require_same(business_key, destination, amount_fen)
            return False
        sql.execute(
            sql.text("redpackets", "add_to_fund"), {"campaign": campaign_id, "amount_fen": amount_fen}
        )  # fmt: skip
        conversions.go_on(campaign_id=campaign_id, by=by)
        audit.record(
            actor=by, action="compensations.funded", subject="fortunes.campaign", subject_id=campaign_id,
            amount_fen=amount_fen,
        )  # fmt: skip
        return True


def pay(*, campaign_id: int, player_id: int, amount_fen: int, reason: Reason, by: int, case: str) -> Paid:
    """Pay a player from what their campaign has set aside, once for each case, and tell them.

    Raises InvalidAmount, CompensationTooHigh, InvalidCase, CampaignNotFound, PlayerNotCompensated (staff, oneself, or
    nobody), CaseAlreadyCompensated (the case was paid otherwise) or CompensationFundEmpty.
    """
    _check(amount_fen, case)
    with transaction.atomic(durable=True):
        campaign = Campaign.objects.filter(pk=campaign_id).first()
        if campaign is None:
            raise CampaignNotFound
        _require_player(player_id, by)
        source, destination = ledger.compensation(campaign_id), ledger.wallet(player_id)
        key = ledger.compensation_key(player_id, case)
        # Two who pay one case wait for each other on the key; the second is told what it was.
        if not ledger.post(source=source, destination=destination, amount_fen=amount_fen, business_key=key):
            _require_same_case(key, source, amount_fen)
            return Paid(amount_fen, paid=False)
        _spend(campaign_id, amount_fen)
        told = CompensationPaid(campaign=campaign.slug, amount_fen=amount_fen, reason=reason.value)
        events.append(campaign_id=campaign_id, entries=[(player_id, told)])
        audit.record(
            actor=by, action="compensation.paid", subject="accounts.player", subject_id=player_id,
            campaign=campaign_id, amount_fen=amount_fen, reason=reason.value, case=case,
        )  # fmt: skip
        return Paid(amount_fen, paid=True)


def _check(amount_fen: int, case: str) -> None:
    if amount_fen <= 0:
        raise errors.InvalidAmount
    if amount_fen > settings.COMPENSATION_LIMIT_FEN:
        raise errors.CompensationTooHigh(limit_fen=settings.COMPENSATION_LIMIT_FEN)
    if not CASE.fullmatch(case):
        raise errors.InvalidCase


def _require_player(player_id: int, by: int) -> None:
    player = get_user_model().objects.filter(pk=player_id).only("is_staff").first()
    if player is None or player.is_staff or player_id == by:
        raise PlayerNotCompensated


def _spend(campaign_id: int, amount_fen: int) -> None:
    """Judged by the statement that takes it, under the row's lock: what was read before would count for nothing."""
    enough = CompensationFund.objects.filter(pk=campaign_id, funded_fen__gte=F("paid_fen") + amount_fen)
    if not enough.update(paid_fen=F("paid_fen") + amount_fen):
        raise errors.CompensationFundEmpty


def _require_same(business_key: str, destination: ledger.Account, amount_fen: int) -> None:
    entry = LedgerEntry.objects.get(business_key=business_key)
    found = (entry.destination_kind, entry.destination_owner, entry.amount_fen)
    if found != (destination.kind, destination.owner, amount_fen):
        raise errors.BusinessKeyReused(business_key=business_key)


def _require_same_case(key: str, source: ledger.Account, amount_fen: int) -> None:
    entry = LedgerEntry.objects.get(business_key=key)
    if (entry.source_owner, entry.amount_fen) != (source.owner, amount_fen):
        raise errors.CaseAlreadyCompensated
