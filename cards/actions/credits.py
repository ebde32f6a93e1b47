"""Credits: a card for whoever invited a player, once that player has drawn a first card of their own.

Never inside the invited player's scan, which would have to lock the hands of two. A worker reads the draws
(`cards.drawlog`), makes a row for each that earns somebody a card, and gives the card; both may be done again at any
time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import friends
from cards import catalogue, days, drawing, drawlog, events, nonces
from cards.models import InvitationCredit, Source
from fortunes import events as feed
from fortunes import sql
from fortunes.models import Campaign, DatabaseNow

READER = "invitations"
MOST = 50
POSTPONED_S = 60
# Less than beat's interval: however much has piled up, two never hold both slots of a worker, which splits pools too.
BUDGET_S = 4.0

State = InvitationCredit.State
# What the gate and the quotas say, and what becomes of the credit. What isn't here is an error of ours.
DECIDED = {
    "drawn": State.CREDITED,
    "replayed": State.CREDITED,
    "campaign-limit": State.REFUSED,
    "frozen": State.CLOSED,
    # Another day is another quota, and the hand may have given cards away.
    "daily-limit": State.WAITING,
    "hand-full": State.WAITING,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one credit; `due_at` is when a waiting one is looked at again."""

    credit_id: int
    state: str
    draw: UUID | None
    due_at: datetime | None


def credit_due(*, budget_s: float = BUDGET_S) -> int:
    """Find who has earned a card and give it, for about `budget_s`; how many credits were looked at.

    Any number may call. What is left is found at the next ring.
    """
    ends = time.monotonic() + budget_s
    find_due(budget_s=budget_s)
    looked_at = attempts = 0
    failures: list[Exception] = []
    while attempts < drawing.ATTEMPTS and (due := _due()):
        done = 0
        for campaign_id, ids in due.items():
            try:
                done += _credit(campaign_id, ids)
            except Exception as failure:
                # One campaign that can't be drawn in holds up no other.
                failures.append(failure)
                _postpone(ids)
        looked_at += done
        attempts = 0 if done else attempts + 1
        if time.monotonic() >= ends:
            break
    if failures:
        raise failures[0]
    return looked_at


def find_due(*, budget_s: float = BUDGET_S) -> int:
    """Make the rows of the credits that new draws have earned, for about `budget_s`; how many."""
    ends = time.monotonic() + budget_s
    drawlog.register(reader=READER)
    upto, made = drawlog.horizon(), 0
    while True:
        with transaction.atomic(durable=True):
            span = drawlog.take(reader=READER, upto=upto)
            if span is None:
                return made
            made += sql.execute(sql.text("cards", "open_credits"), {"after": span.after, "upto": span.upto})
        if time.monotonic() >= ends:
            return made


def _due() -> dict[int, list[int]]:
    """The ids of credits to look at, by campaign; no inviter comes twice in one."""
    due: dict[int, list[int]] = {}
    for row in sql.fetch(sql.text("cards", "due_credits"), {"most": MOST}):
        due.setdefault(row.campaign_id, []).append(row.id)
    return due


def _credit(campaign_id: int, ids: Sequence[int]) -> int:
    """Decide about these credits of one campaign; about how many it was done."""
    campaign = Campaign.objects.get(pk=campaign_id)
    source = catalogue.of(campaign_id).source(Source.Type.INVITATION)
    with transaction.atomic(durable=True):
        # The order of locks: the gate, then what is claimed, and the hands within the draw.
        sql.fetch("SELECT fortunes_gate_lock(%(campaign)s)", {"campaign": campaign_id})
        claimed = sql.fetch(sql.text("cards", "claim_credits"), {"ids": list(ids)})
        if not claimed:
            return 0
        wishes = [_wish(source, credit) for credit in claimed]
        rows = drawing.draw_within(campaign=campaign, wishes=wishes)
        decided = [(credit, row) for credit, row in zip(claimed, rows, strict=True) if row.status not in drawing.AGAIN]
        _note([_verdict(campaign, credit.id, row) for credit, row in decided])
        _tell(campaign, [(credit, row) for credit, row in decided if row.status == "drawn"])
    drawing.prepare(campaign=campaign, wishes=wishes, rows=rows)
    return len(decided)


def _postpone(ids: Sequence[int]) -> None:
    later = DatabaseNow() + timedelta(seconds=POSTPONED_S)
    InvitationCredit.objects.filter(pk__in=ids, state=State.WAITING).update(due_at=later)


def _wish(source: int, credit: Any) -> drawing.Wish:
    return drawing.Wish(
        player_id=credit.inviter,
        # No client's key has a space in it.
        key=f"invitation {credit.invited}",
        body_hash=b"",
        source=source,
        nonce=nonces.invitation(invited_id=credit.invited),
    )


def _verdict(campaign: Campaign, credit_id: int, row: Any) -> Verdict:
    state = DECIDED[row.status]
    due_at = None
    if state == State.WAITING:
        # With the deadline it is looked at for the last time.
        due_at = min(days.end(row.quota_day, campaign.tz), campaign.closes_at)
    return Verdict(credit_id, state.value, row.draw_id, due_at)


def _note(verdicts: Sequence[Verdict]) -> None:
    sql.execute(
        sql.text("cards", "decide_credits"),
        {
            "ids": [verdict.credit_id for verdict in verdicts],
            "states": [verdict.state for verdict in verdicts],
            "draws": [verdict.draw for verdict in verdicts],
            "dues": [verdict.due_at for verdict in verdicts],
        },
    )


def _tell(campaign: Campaign, credited: Sequence[tuple[Any, Any]]) -> None:
    if not credited:
        return
    names = friends.public_ids(credit.invited for credit, _ in credited)
    entries = []
    for credit, row in credited:
        given = drawing.redemption(campaign, credit.inviter, row)
        told = events.InvitationCredited(
            draw=str(row.draw_id),
            invited=str(names[credit.invited]),
            kind=given.draw.kind,
            serial=row.serial,
            hand_version=row.hand_version,
            complete=given.complete,
        )
        entries.append((credit.inviter, told))
    feed.append(campaign_id=campaign.pk, entries=entries)
