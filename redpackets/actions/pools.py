"""Pools: created for a draft campaign, committed to, funded by the sponsor."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from fortunes import audit, secretkeys, sql
from fortunes.errors import CampaignAlreadyOpened, CampaignNotFound
from fortunes.models import Campaign
from redpackets import errors, ledger
from redpackets.models import POOL_LIMIT_FEN, AccountKind, LedgerEntry, Pool

MAX_CREDIT_AFTER_S = 365 * 24 * 3600


def create(
    *,
    campaign_id: int,
    amount_fen: int,
    credit_after_s: int | None = 0,
    by: int | None = None,
) -> Pool:
    """The pool of a campaign that has not been opened, with the commitment to its settlement's secret.

    `by` is the member of staff who asked for it, None for a command. Where this process holds no settlement keys,
    `commit_due` adds the commitment a little later. Raises InvalidPool, CampaignNotFound, CampaignAlreadyOpened or
    PoolAlreadyExists.
    """
    _check(amount_fen, credit_after_s)
    with transaction.atomic(durable=True):
        campaign = Campaign.objects.filter(pk=campaign_id).first()
        if campaign is None:
            raise CampaignNotFound
        if campaign.opened_at is not None:
            raise CampaignAlreadyOpened
        key_id, commitment = _commitment(campaign) if settings.SETTLEMENT_KEYS else (None, None)
        params = {
            "campaign": campaign_id,
            "amount_fen": amount_fen,
            "credit_after_s": credit_after_s,
            "key_id": key_id,
            "commitment": commitment,
        }
        if not sql.execute(sql.text("redpackets", "insert_pool"), params):
            raise errors.PoolAlreadyExists
        pool = Pool.objects.get(campaign_id=campaign_id)
        audit.record(
            actor=by, action="pool.created", subject="redpackets.pool", subject_id=pool.pk, campaign=campaign_id,
            amount_fen=amount_fen, credit_after_s=credit_after_s,
        )  # fmt: skip
        return pool


def fund(*, pool_id: int, amount_fen: int, business_key: str, by: int | None = None) -> Pool:
    """Post money from the campaign's sponsor to its pool; repeating it under the same business key changes nothing.

    `by` is the member of staff who asked for it, None for a command. Raises PoolNotFound, InvalidAmount,
    InvalidBusinessKey, PoolOverfunded or BusinessKeyReused.
    """
    if amount_fen <= 0:
        raise errors.InvalidAmount
    ledger.require_free_key(business_key)
    with transaction.atomic(durable=True):
        # The row lock makes two fundings of one pool take turns, so that together they can't overfund it.
        pool = Pool.objects.select_for_update().filter(pk=pool_id).first()
        if pool is None:
            raise errors.PoolNotFound
        source, destination = ledger.sponsor(pool.campaign_id), ledger.pool(pool_id)
        missing_fen = pool.amount_fen - ledger.funded_fen(pool_id)
        new = ledger.post(source=source, destination=destination, amount_fen=amount_fen, business_key=business_key)
        if not new:
            _require_same(business_key, pool_id, amount_fen)
            return pool
        if amount_fen > missing_fen:
            raise errors.PoolOverfunded(missing_fen=missing_fen)
        audit.record(
            actor=by, action="pool.funded", subject="redpackets.pool", subject_id=pool_id,
            campaign=pool.campaign_id, amount_fen=amount_fen,
        )  # fmt: skip
        return pool


def commit_due() -> int:
    """Stamp the commitments that are missing; how many. Does nothing in a process without the settlement keys."""
    if not settings.SETTLEMENT_KEYS:
        return 0
    stamped = 0
    for pool in Pool.objects.filter(commitment=None).select_related("campaign"):
        key_id, commitment = _commitment(pool.campaign)
        # Compare and swap: of two workers the second changes nothing, whichever key it would have taken.
        stamped += Pool.objects.filter(pk=pool.pk, commitment=None).update(key_id=key_id, commitment=commitment)
    return stamped


def _check(amount_fen: int, credit_after_s: int | None) -> None:
    if not 0 < amount_fen < POOL_LIMIT_FEN:
        raise errors.InvalidPool(f"a pool is 1 to {POOL_LIMIT_FEN - 1} fen", field="amount_fen")
    if credit_after_s is not None and not 0 <= credit_after_s <= MAX_CREDIT_AFTER_S:
        raise errors.InvalidPool("unopened packets are credited within a year or never", field="credit_after_s")


def _commitment(campaign: Campaign) -> tuple[str, bytes]:
    key_id, key = secretkeys.current(settings.SETTLEMENT_KEYS)
    return key_id, secretkeys.commitment(secretkeys.derive(key, "settlement", campaign.public_id))


def _require_same(business_key: str, pool_id: int, amount_fen: int) -> None:
    entry = LedgerEntry.objects.get(business_key=business_key)
    if (entry.destination_kind, entry.destination_owner, entry.amount_fen) != (AccountKind.POOL, pool_id, amount_fen):
        raise errors.BusinessKeyReused(business_key=business_key)
