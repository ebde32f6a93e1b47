"""The stages of a settlement. Each function here is one small durable transaction that takes the run a little further.

Any number of workers may call them at any moment, and each may die between any two statements: what a transaction finds
decides what it does, nothing says "in progress", and what it writes depends only on the frozen hands, the pool and the
seed. Chunks are claimed with SKIP LOCKED; a barrier between two stages holds the settlement's row. Order of locks:
settlement → chunk → payouts → ledger → wallets → campaign → feed.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from functools import partial
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Max, Sum

from cards import catalogue
from cards.actions import aftermaths
from cards.models import Hand
from fortunes import rules, secretkeys, sql
from fortunes.actions import campaigns
from fortunes.models import Campaign, DatabaseNow, Rulebook
from redpackets import answers, ledger, manifests, splitting
from redpackets.actions import sharing, splits
from redpackets.manifests import known
from redpackets.models import Payout, Pool, Settlement, SettlementChunk

State = Settlement.State


class Progress(Enum):
    """What came of a step."""

    MOVED = "moved"  # something was done: come again at once
    BUSY = "busy"  # another worker is at it, or this process can't do it: come again in a moment


class Mismatch(Exception):
    """The figures don't add up. The transaction is rolled back and the run stops until somebody has looked."""


class _Stage(Protocol):
    def __call__(self, *, settlement_id: int) -> Progress: ...


def step(*, settlement_id: int) -> Progress:
    """Do the next piece of work of whichever stage is due."""
    state = Settlement.objects.values_list("state", flat=True).get(pk=settlement_id)
    stage = _STAGES.get(State(state))
    return stage(settlement_id=settlement_id) if stage else Progress.BUSY


def freeze(*, settlement_id: int) -> Progress:
    """Freeze the campaign, and note what decides who wins: the rulebook in force at that instant.

    Not before the cards have kept what changes of the rules promised; a later deadline is followed first.
    """
    campaign = Campaign.objects.get(pool__settlement=settlement_id)
    if _follow_deadline(settlement_id, campaign):
        return Progress.MOVED
    if not campaigns.freeze(campaign_id=campaign.pk, unless=partial(aftermaths.unfinished, campaign_id=campaign.pk)):
        return Progress.BUSY
    with transaction.atomic(durable=True):
        settlement = _hold(settlement_id, State.FREEZE)
        if settlement is None:
            return Progress.BUSY
        campaign.refresh_from_db()
        campaigns.mark_settling(campaign_id=campaign.pk)
        rulebook = Rulebook.objects.filter(campaign=campaign, in_force_at__lte=campaign.frozen_at).latest("version")
        in_force, kinds = rules.parse(rulebook.rules), catalogue.read(campaign.pk)
        _move(
            settlement,
            State.COUNT,
            frozen_at=campaign.frozen_at,
            last_player=Hand.objects.filter(campaign=campaign).aggregate(last=Max("player"))["last"] or 0,
            rulebook_version=rulebook.version,
            minimum_fen=in_force.split.minimum_fen,
            complete_kinds=kinds.full_set(in_force),
            wild_kind=kinds.filler(in_force),
        )
    return Progress.MOVED


def count(*, settlement_id: int) -> Progress:
    """Count the winners of one chunk, or find the next chunk, or add up."""
    with transaction.atomic(durable=True):
        _allow_minutes()
        chunk = _claim(settlement_id, State.COUNT, winners=None)
        if chunk is not None:
            row = sql.fetch(sql.text("redpackets", "count_chunk"), sharing.snapshot(chunk))[0]
            SettlementChunk.objects.filter(pk=chunk.pk).update(winners=row.winners, ids_hash=row.ids_hash)
            return Progress.MOVED
    with transaction.atomic(durable=True):
        if _carve(settlement_id):
            return Progress.MOVED
    with transaction.atomic(durable=True):
        settlement = _hold(settlement_id, State.COUNT)
        if settlement is None or _is_uncounted(settlement):
            return Progress.BUSY
        total = settlement.chunks.aggregate(winners=Sum("winners"))["winners"] or 0
        _move(settlement, State.WEIGH, winners=total)
    return Progress.MOVED


def weigh(*, settlement_id: int) -> Progress:
    """From here on the seed exists: weigh the winners of one chunk, or draw the jackpots and add up.

    In even mode everybody weighs 1 and nobody draws, so all chunks are weighed at once.
    """
    with transaction.atomic(durable=True):
        _allow_minutes()
        chunk = _claim(settlement_id, State.WEIGH, weight=None)
        if chunk is not None and splits.of(chunk.settlement).mode != "even":
            secret = _secret(chunk.settlement.pool)
            if secret is None:
                return Progress.BUSY
            weight = sharing.weigh(chunk, seed=splitting.seed(secret))
            SettlementChunk.objects.filter(pk=chunk.pk).update(weight=weight)
            return Progress.MOVED
    with transaction.atomic(durable=True):
        _allow_minutes()
        settlement = _hold(settlement_id, State.WEIGH)
        if settlement is None or _secret(settlement.pool) is None:
            return Progress.BUSY
        split = splits.of(settlement)
        if split.mode == "even":
            settlement.chunks.update(weight=F("winners"))
        elif settlement.chunks.filter(weight=None).exists():
            return Progress.BUSY
        weight = settlement.chunks.aggregate(sum=Sum("weight"))["sum"] or 0
        _move(settlement, State.ALLOT, weight=weight, **sharing.draw(settlement))
    return Progress.MOVED


def allot(*, settlement_id: int) -> Progress:
    """Give every chunk its pot. Raises Mismatch where so many winners can't have what they were promised."""
    with transaction.atomic(durable=True):
        settlement = _hold(settlement_id, State.ALLOT)
        if settlement is None:
            return Progress.BUSY
        chunks = list(settlement.chunks.order_by("number").values_list("number", "weight"))
        try:
            allotment = splitting.allot(
                amount_fen=settlement.amount_fen,
                minimum_fen=settlement.minimum_fen,
                prizes_fen=settlement.prizes_fen,
                winners=known(settlement.winners),
                weights=[known(weight) for _, weight in chunks],
                returns_remainder=splits.of(settlement).remainder == "return",
            )
        except splitting.TooLittle as fault:
            raise Mismatch(str(fault)) from fault
        params = {
            "settlement": settlement_id,
            "numbers": [number for number, _ in chunks],
            "weights_before": list(allotment.weights_before),
            "pots_fen": list(allotment.pots_fen),
        }
        sql.execute(sql.text("redpackets", "allot_chunks"), params)
        _move(settlement, State.POST, share_fen=allotment.share_fen, returned_fen=allotment.returned_fen)
    return Progress.MOVED


def post(*, settlement_id: int) -> Progress:
    """Write the payouts of one chunk; after the last one, go on to the seal. Raises Mismatch."""
    with transaction.atomic(durable=True):
        _allow_minutes()
        chunk = _claim(settlement_id, State.POST, posted_at=None)
        if chunk is not None:
            return _post_chunk(chunk)
    with transaction.atomic(durable=True):
        settlement = _hold(settlement_id, State.POST)
        if settlement is None or settlement.chunks.filter(posted_at=None).exists():
            return Progress.BUSY
        _move(settlement, State.SEAL)
    return Progress.MOVED


def seal(*, settlement_id: int) -> Progress:
    """Check the sum over all payouts, return what nobody gets, publish the secret and the manifest. Raises Mismatch."""
    with transaction.atomic(durable=True):
        _allow_minutes()
        settlement = _hold(settlement_id, State.SEAL)
        secret = settlement and _secret(settlement.pool)
        if not settlement or not secret:
            return Progress.BUSY
        pool, returned_fen = settlement.pool, known(settlement.returned_fen)
        _require_whole(settlement)
        if returned_fen:
            ledger.post(
                source=ledger.pool(pool.pk),
                destination=ledger.sponsor(pool.campaign_id),
                amount_fen=returned_fen,
                business_key=ledger.return_key(pool.pk),
            )
        credited = pool.credit_after_s is not None
        reveal_at = pool.campaign.reveal_at
        _move(
            settlement,
            State.CREDIT if credited else State.DONE,
            credit_at=reveal_at + timedelta(seconds=pool.credit_after_s or 0) if credited else None,
            secret=secret,
            manifest=answers.plain(manifests.build(settlement, split=splits.of(settlement), secret=secret)),
            sealed_at=DatabaseNow(),
        )
        # Last, because it writes to the campaign's feed.
        campaigns.mark_settled(campaign_id=pool.campaign_id, winners=known(settlement.winners))
    return Progress.MOVED


def credit(*, settlement_id: int) -> Progress:
    """Credit the unopened packets of one chunk; after the last one, the run is done."""
    with transaction.atomic(durable=True):
        _allow_minutes()
        chunk = _claim(settlement_id, State.CREDIT, credited_at=None)
        if chunk is not None:
            params = {"pool": chunk.settlement.pool_id, "low": chunk.low, "high": chunk.high}
            row = sql.fetch(sql.text("redpackets", "credit_chunk"), params)[0]
            if row.credited != row.wallets:
                raise Mismatch(f"chunk {chunk.number}: {row.credited} entries, but {row.wallets} wallets")
            SettlementChunk.objects.filter(pk=chunk.pk).update(
                credited_at=DatabaseNow(), unopened=row.credited, unopened_fen=row.fen
            )
            return Progress.MOVED
    with transaction.atomic(durable=True):
        settlement = _hold(settlement_id, State.CREDIT)
        if settlement is None or settlement.chunks.filter(credited_at=None).exists():
            return Progress.BUSY
        _move(settlement, State.DONE)
    return Progress.MOVED


_STAGES: dict[State, _Stage] = {
    State.FREEZE: freeze,
    State.COUNT: count,
    State.WEIGH: weigh,
    State.ALLOT: allot,
    State.POST: post,
    State.SEAL: seal,
    State.CREDIT: credit,
}


def _follow_deadline(settlement_id: int, campaign: Campaign) -> bool:
    """Whether a vote has moved the deadline since it was noted here; the freeze itself judges by the campaign's."""
    behind = Settlement.objects.filter(pk=settlement_id, state=State.FREEZE, due_at__lt=campaign.closes_at)
    return behind.update(due_at=campaign.closes_at) > 0


def _hold(settlement_id: int, state: State) -> Settlement | None:
    """The settlement, locked, if it is in this state and not paused; None also if another worker holds it."""
    free = Settlement.objects.select_for_update(skip_locked=True, of=("self",)).select_related("pool__campaign")
    return free.filter(pk=settlement_id, state=state, paused_at=None).first()


def _claim(settlement_id: int, state: State, **undone: None) -> SettlementChunk | None:
    """A chunk that still needs this stage, locked until the transaction ends; those of other workers are skipped."""
    free = SettlementChunk.objects.select_for_update(skip_locked=True, of=("self",)).select_related("settlement__pool")
    ready = free.filter(settlement=settlement_id, settlement__state=state, settlement__paused_at=None, **undone)
    return ready.order_by("number").first()


def _move(settlement: Settlement, state: State, **changes: Any) -> None:
    """Only from the state in which it was held, and forgetting the failures of the stage that is over."""
    changed = Settlement.objects.filter(pk=settlement.pk, state=settlement.state)
    if changed.update(state=state, attempts=0, last_error="", **changes) != 1:
        raise RuntimeError(f"settlement {settlement.pk} left {settlement.state} while it was held")


def _carve(settlement_id: int) -> bool:
    settlement = Settlement.objects.select_related("pool").get(pk=settlement_id)
    params = {
        "settlement": settlement_id,
        "campaign": settlement.pool.campaign_id,
        "last_player": settlement.last_player,
        "hands": settlement.chunk_hands,
    }
    return sql.execute(sql.text("redpackets", "carve_chunk"), params) == 1


def _is_uncounted(settlement: Settlement) -> bool:
    """A chunk without its count, or a hand without its chunk: another worker may have carved one meanwhile."""
    if settlement.chunks.filter(winners=None).exists():
        return True
    high = settlement.chunks.aggregate(high=Max("high"))["high"] or 0
    rest = Hand.objects.filter(campaign=settlement.pool.campaign_id, player__gt=high)
    return rest.filter(player__lte=settlement.last_player).exists()


def _post_chunk(chunk: SettlementChunk) -> Progress:
    secret = _secret(chunk.settlement.pool)
    if secret is None:
        return Progress.BUSY
    row = sharing.post(chunk, seed=splitting.seed(secret))
    due_fen = chunk.settlement.minimum_fen * known(chunk.winners) + known(chunk.pot_fen) + chunk.prizes_fen
    found, due = (
        (row.winners, bytes(row.ids_hash), row.paid_fen),
        (chunk.winners, bytes(chunk.ids_hash or b""), due_fen),
    )
    if found != due:
        raise Mismatch(f"chunk {chunk.number}: (winners, their hash, fen) are {found} and should be {due}")
    SettlementChunk.objects.filter(pk=chunk.pk).update(
        bonus=row.bonus,
        threshold_h=row.threshold_h,
        threshold_player=row.threshold_player,
        payouts_hash=row.payouts_hash,
        posted_at=DatabaseNow(),
    )
    return Progress.MOVED


def _require_whole(settlement: Settlement) -> None:
    paid = Payout.objects.filter(pool=settlement.pool).aggregate(winners=Count("player"), fen=Sum("amount_fen"))
    whole = (paid["fen"] or 0) + known(settlement.returned_fen)
    if (paid["winners"], whole) != (settlement.winners, settlement.amount_fen):
        raise Mismatch(
            f"{paid['winners']} payouts and the return are {whole} fen; "
            f"{settlement.winners} and {settlement.amount_fen} fen were due"
        )


def _secret(pool: Pool) -> bytes | None:
    """The settlement's secret; None where this process doesn't hold its key. Raises Mismatch if it is another."""
    key = settings.SETTLEMENT_KEYS.get(known(pool.key_id))
    if key is None:
        return None
    secret = secretkeys.derive(key, "settlement", pool.campaign.public_id)
    if pool.commitment is None or secretkeys.commitment(secret) != bytes(pool.commitment):
        raise Mismatch("the settlement's secret is not the one that was committed to")
    return secret


def _allow_minutes() -> None:
    """Set-based work may take longer than the role's 5 s."""
    sql.execute("SET LOCAL statement_timeout = '10min'")
