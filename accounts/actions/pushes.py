"""Players who are away are told of their events by their host app's push service: an outbox, emptied by the worker.

Who is due gets a push (accounts/actions/composing.py), and what waits is sent. A push may be sent twice, when the
worker dies between the host's answer and its note of it; both carry the same id, by which the host knows. A host that
fails is left alone for a while and then probed with one push, so that neither its trouble nor a hanging one costs the
others much, and what its users are due for meanwhile becomes one push each.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from accounts import errors, standings, webhooks
from accounts.actions import composing
from accounts.models import Push, PushHost, RefreshFamily
from accounts.standings import Standing
from accounts.webhooks import Host, Outcome, Outgoing
from fortunes import clock, deadletters, pushes, sql
from fortunes.answers import instant
from fortunes.models import DatabaseNow
from fortunes.pushes import Range, Told

log = logging.getLogger("fortunes.pushes")

JOB = "accounts.pushes"
BUDGET_S = 20.0
BATCH = 32
# Longer than a batch can take.
LEASE_S = 60
MOST_ATTEMPTS = 8
# The newest events that are in a push; it counts the others.
MOST_TOLD = 20
FIRST_WAIT_S, LONGEST_WAIT_S = 5, 600
FIRST_REST_S, LONGEST_REST_S = 2, 60
# A host that has failed for so long is somebody's business.
ALARM_S = 600
ONE_SENDER = 5527


def send_due(*, budget_s: float = BUDGET_S) -> int:
    """Tell whoever is due, for at most `budget_s`; how many pushes were taken.

    One worker process at a time does so: a host that hangs must not hold up all of them, and with them settlements.
    """
    hosts = webhooks.hosts()
    if not hosts:
        return 0
    if not sql.fetch("SELECT pg_try_advisory_lock(%(key)s, 0) AS mine", {"key": ONE_SENDER})[0].mine:
        return 0
    try:
        return _send_while_due(hosts, time.monotonic() + budget_s)
    finally:
        sql.fetch("SELECT pg_advisory_unlock(%(key)s, 0)", {"key": ONE_SENDER})


@deadletters.reviver(JOB)
def _revive(push_id: int) -> None:
    """Try a push that was given up anew, in the caller's transaction. Raises PushWorthless."""
    given_up = Push.objects.filter(pk=push_id, state=Push.State.GIVEN_UP, expires_at__gt=DatabaseNow())
    if not given_up.update(state=Push.State.WAITING, attempts=0, next_try_at=DatabaseNow()):
        raise errors.PushWorthless


def _send_while_due(hosts: Mapping[str, Host], ends: float) -> int:
    taken = 0
    while True:
        now = clock.now()
        ill = {row.host: row for row in PushHost.objects.filter(host__in=hosts, failures__gt=0)}
        resting = {host: row.rests_until for host, row in ill.items() if row.rests_until > now}
        composed = composing.compose(hosts=hosts, resting=resting, now=now, most=BATCH)
        batch = [
            push for host in hosts if host not in resting for push in _claim(host, most=1 if host in ill else BATCH)
        ]
        taken += _send(batch, hosts, now)
        if not (composed or batch) or time.monotonic() >= ends:
            return taken


def _claim(host: str, *, most: int) -> list[Any]:
    """Pushes that are due, each leased to this process, its try counted: who is killed from here on has tried."""
    fields = {"host": host, "batch": most, "lease_s": LEASE_S}
    with transaction.atomic(durable=True):
        return sql.fetch(sql.text("accounts", "claim_pushes"), fields)


def _send(batch: Sequence[Any], hosts: Mapping[str, Host], now: datetime) -> int:
    """Send what is still wanted; how many were taken."""
    ready = _ready(batch, hosts, now) if batch else []
    if not ready:
        return 0
    outcomes = webhooks.send([outgoing for _, outgoing in ready], at=clock.estimate())
    by_host: dict[str, list[Outcome]] = defaultdict(list)
    _note_taken([push for (push, _), outcome in zip(ready, outcomes, strict=True) if outcome.taken])
    for (push, outgoing), outcome in zip(ready, outcomes, strict=True):
        if not outcome.taken:
            _note(push, outcome)
        by_host[outgoing.host.slug].append(outcome)
    for host, theirs in by_host.items():
        _note_host(host, theirs)
    return sum(outcome.taken for outcome in outcomes)


def _ready(batch: Sequence[Any], hosts: Mapping[str, Host], now: datetime) -> list[tuple[Any, Outgoing]]:
    """What is to be sent now. The others are put off or dropped: since they were written the player may have changed
    their mind, fallen asleep or gone."""
    known = standings.of({push.player_id for push in batch})
    ranges = [Range(push.player_id, push.after, push.upto) for push in batch]
    found = pushes.events_of(ranges, most=composing.MOST_EVENTS)
    ready = []
    for push, events in zip(batch, found, strict=True):
        standing = known[push.player_id]
        host, told = standing.host_among(hosts), composing.news(standing, found=events, now=now)
        if push.expires_at <= now:
            _end(push, Push.State.EXPIRED)
        elif push.attempts > MOST_ATTEMPTS:
            _give_up(push, "the worker died of it")
        elif host is None or host.slug != push.host or not standing.pushes or not told:
            _end(push, Push.State.DROPPED)
        elif quiet_until := standing.quiet_until(now):
            _put_off(push, quiet_until)
        else:
            ready.append((push, Outgoing(host, push.public_id, _body(push, standing, told))))
    return ready


def _body(push: Any, standing: Standing, told: Sequence[Told]) -> bytes:
    """The same for each try, unless the player has muted something meanwhile."""
    news = webhooks.News(
        id=push.public_id,
        app=push.host,
        user=standing.subject or "",
        player=standing.public_id,
        seq=push.upto,
        counts=dict(Counter(event.type for event in told)),
        events=[
            webhooks.Item(
                event=event.type, seq=event.seq, at=instant(event.at), campaign=event.campaign, data=event.data
            )
            for event in told[-MOST_TOLD:]
        ],
    )
    return msgspec.json.encode(news)


def _mine(push: Any) -> Any:
    """The push, unless it isn't ours any more: taken by another after the lease."""
    return Push.objects.filter(pk=push.id, state=Push.State.WAITING, attempts=push.attempts)


def _end(push: Any, state: Push.State, reason: str = "") -> None:
    with transaction.atomic(durable=True):
        _mine(push).update(state=state, last_error=reason)


def _put_off(push: Any, until: datetime) -> None:
    """That was no try."""
    with transaction.atomic(durable=True):
        _mine(push).update(next_try_at=until, attempts=push.attempts - 1)


def _note_taken(done: Sequence[Any]) -> None:
    fields = {"ids": [push.id for push in done], "attempts": [push.attempts for push in done]}
    with transaction.atomic(durable=True):
        sql.execute(sql.text("accounts", "pushes_taken"), fields)


def _note(push: Any, outcome: Outcome) -> None:
    """What became of a try that failed, or was one too many."""
    with transaction.atomic(durable=True):
        if outcome.gone:
            if _mine(push).update(state=Push.State.DROPPED, last_error=outcome.reason):
                _stop_unless_back(push)
        elif push.attempts >= MOST_ATTEMPTS:
            _bury(push, outcome.reason)
        else:
            wait_s = max(_wait_s(push.attempts), outcome.retry_after_s)
            tried = {"id": push.id, "attempts": push.attempts, "reason": outcome.reason, "wait_s": wait_s}
            sql.execute(sql.text("accounts", "retry_push"), tried)


def _give_up(push: Any, reason: str) -> None:
    with transaction.atomic(durable=True):
        _bury(push, reason)


def _bury(push: Any, reason: str) -> None:
    if _mine(push).update(state=Push.State.GIVEN_UP, last_error=reason):
        deadletters.bury(job=JOB, subject_id=push.id, error=reason)


def _stop_unless_back(push: Any) -> None:
    """The host knows no device of this user. Who has signed in since it was asked has one after all.

    A sign-in locks the feed too, at its end: it either comes later and turns pushes on again, or is seen here.
    """
    pushes.lock(push.player_id)
    if not RefreshFamily.objects.filter(player=push.player_id, created_at__gt=push.at).exists():
        pushes.turn_off(push.player_id)


def _note_host(host: str, outcomes: Sequence[Outcome]) -> None:
    """One that takes anything is well. One that takes nothing is left alone for a while."""
    with transaction.atomic(durable=True):
        if any(outcome.taken or outcome.gone for outcome in outcomes):
            PushHost.objects.filter(host=host, failures__gt=0).update(failures=0, failing_since=None)
            return
        reason, asked_s = outcomes[0].reason, max(outcome.retry_after_s for outcome in outcomes)
        fields = {"host": host, "reason": reason, "asked_s": asked_s, "jitter": _jitter()}
        rests = {"first_s": FIRST_REST_S, "most_s": LONGEST_REST_S}
        (row,) = sql.fetch(sql.text("accounts", "host_failed"), fields | rests)
    level = logging.CRITICAL if row.failing_s > ALARM_S else logging.WARNING
    log.log(level, "the push service of %s fails: %s", host, reason, extra={"failures": row.failures})


def _wait_s(attempts: int) -> float:
    return _jitter() * min(FIRST_WAIT_S * 2.0 ** (attempts - 1), LONGEST_WAIT_S)


def _jitter() -> float:
    """Between a half and one: those who failed together don't come again together."""
    return 0.5 + secrets.randbelow(1000) / 2000
