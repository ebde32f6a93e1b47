"""Packets: a winner opens theirs from the reveal on, and the money is in their wallet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from fortunes import keys, sql
from fortunes.answers import instant
from fortunes.errors import CampaignNotFound
from redpackets import errors, ledger
from redpackets.answers import OpenedAnswer, PacketAnswer, PacketProof, PacketState

RETRY_UNSETTLED_S = 5


def view(*, campaign_id: int, player_id: int) -> PacketAnswer:
    """A player's packet. Raises CampaignNotFound."""
    row = _read(campaign_id, player_id)
    state, opened_at = _state(row), _opened_at(row)
    opened = state == PacketState.OPENED
    return PacketAnswer(
        state=state,
        settled=row.settled_at is not None,
        reveal_at=instant(row.reveal_at),
        server_time=instant(row.server_time),
        amount_fen=row.amount_fen if opened else None,
        opened_at=instant(opened_at) if opened and opened_at else None,
        proof=PacketProof(pool=row.pool, player=player_id) if opened else None,
    )


def open(*, asked: keys.Request, campaign_id: int, by: int) -> OpenedAnswer:
    """Post a winner's payout from the pool to their wallet, exactly once, and say what it was.

    A packet that is open already, by an earlier request or because it was credited unopened, is answered with the same
    amount and instant; nothing is posted again. Raises TooEarly, NotSettledYet, NotAWinner or CampaignNotFound.
    """
    with transaction.atomic(durable=True):
        stored = keys.claim(asked, OpenedAnswer)
        if stored is not None:
            return stored
        row = _read(campaign_id, by)
        _require_ready(row)
        if row.amount_fen:
            # The permanent key decides who is first, also against the sweeper: it waits for us, or we for it.
            ledger.post(
                source=ledger.pool(row.pool),
                destination=ledger.wallet(by),
                amount_fen=row.amount_fen,
                business_key=ledger.payout_key(row.pool, by),
            )
        # A new snapshot: what is told is what is in the ledger, whoever posted it.
        row = _read(campaign_id, by)
        answer = OpenedAnswer(
            amount_fen=row.amount_fen,
            wallet_balance_fen=row.balance_fen,
            opened_at=instant(_require_opened(row)),
        )
        keys.keep(asked, answer)
        return answer


def _read(campaign_id: int, player_id: int) -> Any:
    rows = sql.fetch(sql.text("redpackets", "packet"), {"campaign": campaign_id, "player": player_id})
    if not rows:
        raise CampaignNotFound
    return rows[0]


def _state(row: Any) -> PacketState:
    if row.amount_fen is None:
        return PacketState.NONE
    if row.server_time < row.reveal_at:
        return PacketState.SEALED
    return PacketState.READY if _opened_at(row) is None else PacketState.OPENED


def _opened_at(row: Any) -> datetime | None:
    """A share of 0 fen (more winners than fen) has no posting; it lies open from the first moment it could."""
    zero = row.amount_fen == 0
    opened_at: datetime | None = max(row.reveal_at, row.settled_at) if zero else row.opened_at
    return opened_at


def _require_ready(row: Any) -> None:
    if row.server_time < row.reveal_at:
        wait = row.reveal_at - row.server_time
        raise errors.TooEarly(
            retry_after_s=int(wait.total_seconds()) + 1,
            reveal_at=instant(row.reveal_at),
            server_time=instant(row.server_time),
        )
    if row.settled_at is None:
        raise errors.NotSettledYet(retry_after_s=RETRY_UNSETTLED_S)
    if row.amount_fen is None:
        raise errors.NotAWinner


def _require_opened(row: Any) -> datetime:
    opened_at = _opened_at(row)
    if opened_at is None:
        raise RuntimeError("a payout was posted, but its entry is not in the ledger")
    return opened_at
