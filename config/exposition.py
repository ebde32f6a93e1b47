"""/metrics: what this host's web processes have counted, and what the database knows of jobs and settlements.

Imported with the first request for it: prometheus_client may not be imported before `metrics.activate`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count, F, Q
from prometheus_client import CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from config import metrics
from config.handler import Answer
from fortunes import clock, deadletters, jobs
from fortunes.models import DeadLetter
from redpackets.models import Settlement


def page() -> Answer:
    """Everything, in Prometheus's text format. On a thread of its own: it reads files and asks the database."""
    _forget_dead()
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(metrics.folder()))  # type: ignore[no-untyped-call]
    registry.register(Database())
    body = generate_latest(registry)
    length = str(len(body)).encode()
    return Answer(200, [(b"content-type", CONTENT_TYPE_LATEST.encode()), (b"content-length", length)], body)


def _forget_dead() -> None:
    """What processes that have ended said of themselves; what they counted stays."""
    for file in metrics.folder().glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)
        except PermissionError:
            continue


class Database(Collector):
    """What is the same for all processes. Without a database there is only the line that says so."""

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("fortunes_database_up", "1 if the database answers.")
        families: list[Metric] = []
        try:
            families = list(_asked())
        except (DatabaseError, InterfaceError):
            with contextlib.suppress(DatabaseError, InterfaceError):
                connection.close()
        up.add_metric([], float(bool(families)))
        return [up, *families]


def _asked() -> Iterator[Metric]:
    yield from _jobs()
    yield from _processes()
    yield from _settlements()
    letters = GaugeMetricFamily("fortunes_dead_letters", "Dead letters that wait for a person.", labels=["job"])
    counts = dict(DeadLetter.objects.filter(outcome=None).values_list("job").annotate(Count("id")))
    for job in deadletters.owners():
        letters.add_metric([job], counts.get(job, 0))
    yield letters


def _jobs() -> Iterator[Metric]:
    age = GaugeMetricFamily("fortunes_job_age_seconds", "Since a job was last done.", labels=["job"])
    failures = GaugeMetricFamily("fortunes_job_failures", "A job's failures in a row.", labels=["job"])
    stuck = GaugeMetricFamily("fortunes_job_stuck", "1 if a job was not done for too long.", labels=["job"])
    for condition in jobs.conditions():
        labels = [condition.job.name]
        age.add_metric(labels, condition.age.total_seconds())
        failures.add_metric(labels, condition.job.failures)
        stuck.add_metric(labels, float(condition.stuck))
    yield from (age, failures, stuck)


def _processes() -> Iterator[Metric]:
    silence = GaugeMetricFamily(
        "fortunes_process_silence_seconds", "Since a process gave a sign of life.", labels=["kind"]
    )
    now = clock.now()
    for kind, at in jobs.last_seen().items():
        silence.add_metric([kind], (now - at).total_seconds())
    yield silence


def _settlements() -> Iterator[Metric]:
    by_state = GaugeMetricFamily("fortunes_settlements", "Settlements by stage.", labels=["state", "paused"])
    counted = Settlement.objects.values("state", paused=Q(paused_at__isnull=False)).annotate(number=Count("pk"))
    for row in counted.order_by("state"):
        by_state.add_metric([row["state"], str(row["paused"]).lower()], row["number"])
    overdue = GaugeMetricFamily(
        "fortunes_settlement_attempts", "Failures of the present stage, the worst settlement's."
    )
    worst = Settlement.objects.order_by(F("attempts").desc()).values_list("attempts", flat=True).first()
    overdue.add_metric([], worst or 0)
    yield from (by_state, overdue)
