"""Text messages: written with the fact that asks for them, sent by the worker after the commit.

A message may be sent twice, when the worker dies between the gateway's answer and its note of it; both carry the same
id, by which the gateway knows. It is never sent late: a code that has expired only puzzles.
"""

from __future__ import annotations

import time
import uuid
from datetime import datetime

import msgspec
from django.db import transaction

from accounts import errors, sealing, senders
from accounts.models import Message
from fortunes import clock, deadletters, sql
from fortunes.models import DatabaseNow

JOB = "accounts.messages"
BUDGET_S = 20.0
BATCH = 16
# Longer than a batch can take.
LEASE_S = 60
MOST_ATTEMPTS = 6
ONE_SENDER = 5526
UNREADABLE = senders.Failure("sealed with a key that is missing", final=True)


class Content(msgspec.Struct, frozen=True):
    """What is sealed."""

    to: str
    text: str


def write(*, number: str, number_hash: bytes, text: str, expires_at: datetime) -> None:
    """A message to a number, in the caller's transaction. One that still waits for this number is replaced."""
    erased = {"state": Message.State.REPLACED, "sealed": None}
    unsent = (Message.State.WAITING, Message.State.GIVEN_UP)
    Message.objects.filter(number_hash=number_hash, state__in=unsent).update(**erased)
    public_id = uuid.uuid4()
    sealed = sealing.seal(msgspec.json.encode(Content(number, text)).decode(), about=_about(public_id))
    Message.objects.create(
        public_id=public_id,
        number_hash=number_hash,
        sealed=sealed.content,
        seal_key_id=sealed.key_id,
        expires_at=expires_at,
    )


def send_due(*, budget_s: float = BUDGET_S) -> int:
    """Send what waits, for at most `budget_s`; how many were sent.

    One worker process at a time does so: a gateway that hangs must not hold up all of them, and with them settlements.
    """
    if not sql.fetch("SELECT pg_try_advisory_lock(%(key)s, 0) AS mine", {"key": ONE_SENDER})[0].mine:
        return 0
    try:
        return _send_while_due(time.monotonic() + budget_s)
    finally:
        sql.fetch("SELECT pg_advisory_unlock(%(key)s, 0)", {"key": ONE_SENDER})


@deadletters.reviver(JOB)
def _revive(message_id: int) -> None:
    """Try a message that was given up anew, in the caller's transaction. Raises MessageWorthless."""
    given_up = Message.objects.filter(pk=message_id, state=Message.State.GIVEN_UP, expires_at__gt=DatabaseNow())
    waiting = {"state": Message.State.WAITING, "attempts": 0, "next_try_at": DatabaseNow()}
    if not given_up.filter(sealed__isnull=False).update(**waiting):
        raise errors.MessageWorthless


def _send_while_due(ends: float) -> int:
    sent = 0
    _expire()
    sender = senders.chosen()
    while batch := _claim():
        readable = {row: message for row in batch if (message := _outgoing(row))}
        outcomes = senders.send(sender, list(readable.values()), at=clock.estimate())
        for row, outcome in zip(readable, outcomes, strict=True):
            _note(row, outcome)
            sent += outcome is None
        for row in batch:
            if row not in readable:
                _note(row, UNREADABLE)
        if time.monotonic() >= ends:
            break
    return sent


def _claim() -> list[Message]:
    """Messages that are due, each leased to this process, its try counted: who is killed from here on has tried."""
    with transaction.atomic(durable=True):
        rows = sql.fetch(sql.text("accounts", "claim_messages"), {"batch": BATCH, "lease_s": LEASE_S})
    return [Message(**row._asdict()) for row in rows]


def _note(row: Message, failure: senders.Failure | None) -> None:
    """What became of a try, unless it isn't ours any more: replaced meanwhile, or taken by another after the lease."""
    mine = Message.objects.filter(pk=row.pk, state=Message.State.WAITING, attempts=row.attempts)
    with transaction.atomic(durable=True):
        if failure is None:
            mine.update(state=Message.State.SENT, sealed=None, sent_at=DatabaseNow())
        elif failure.final or row.attempts >= MOST_ATTEMPTS:
            if mine.update(state=Message.State.GIVEN_UP, last_error=failure.reason):
                deadletters.bury(job=JOB, subject_id=row.pk, error=failure.reason)
        else:
            tried = {"id": row.pk, "attempts": row.attempts, "reason": failure.reason}
            sql.execute(sql.text("accounts", "retry_message"), {**tried, "wait_s": 2 ** (row.attempts - 1)})


def _expire() -> None:
    """What couldn't be sent in time is erased and told of."""
    with transaction.atomic(durable=True):
        for row in sql.fetch(sql.text("accounts", "expire_messages"), {"batch": BATCH * 10}):
            deadletters.bury(job=JOB, subject_id=row.id, error="too late to be sent")


def _outgoing(row: Message) -> senders.Outgoing | None:
    """What is to be sent; None if it can't be read, which must not stop the others."""
    sealed = sealing.Sealed(row.seal_key_id, bytes(row.sealed or b""))
    try:
        content = msgspec.json.decode(sealing.unseal(sealed, about=_about(row.public_id)), type=Content)
    except sealing.UNREADABLE:
        return None
    return senders.Outgoing(id=row.public_id, to=content.to, text=content.text)


def _about(public_id: uuid.UUID) -> bytes:
    return b"message " + public_id.bytes
