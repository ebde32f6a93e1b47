"""Figures for Prometheus: counted in each web process, read together from a folder that all of a host share.

Until `activate` is called, and where the settings want no metrics, counting does nothing. Workers count nothing: what
they do is in the database, and read from there when /metrics is asked for (config/exposition.py).
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

# What players do, by the route or the command that does it.
DEEDS = {
    ("POST", "/api/v1/campaigns/<slug:slug>/scans"): "scan",
    ("POST", "/api/v1/campaigns/<slug:slug>/trades"): "trade",
    ("POST", "/api/v1/trades/<uuid:trade_id>/acceptance"): "acceptance",
    ("POST", "/api/v1/links/<str:code>/acceptance"): "acceptance",
    ("POST", "/api/v1/campaigns/<slug:slug>/steals"): "play",
    ("POST", "/api/v1/campaigns/<slug:slug>/wilds"): "play",
    ("POST", "/api/v1/campaigns/<slug:slug>/copies"): "play",
    ("POST", "/api/v1/campaigns/<slug:slug>/packet/opening"): "opening",
    ("POST", "/api/v1/campaigns/<slug:slug>/check-ins"): "check_in",
    ("POST", "/api/v1/proposals/<uuid:proposal_id>/ballot"): "ballot",
}
COMMAND_DEEDS = {
    "trade.gift": "trade",
    "trade.request": "trade",
    "trade.swap": "trade",
    "trade.accept": "acceptance",
    "steal": "play",
    "wild": "play",
    "copy": "play",
    "ballot.cast": "ballot",
}


class Meters:
    """All that is counted. Making one starts this process's files in the folder."""

    def __init__(self) -> None:
        # Only now: the package decides at its import whether it counts in files.
        from prometheus_client import Counter, Gauge, Histogram

        self.requests: Counter = Counter(
            "fortunes_http_requests", "Requests, by route, method and status.", ["route", "method", "status"]
        )
        self.seconds: Histogram = Histogram(
            "fortunes_http_request_seconds",
            "From the last byte of a request to its answer, waiting for a thread included.",
            ["route", "method"],
            buckets=SECONDS,
        )
        self.refusals: Counter = Counter(
            "fortunes_refusals", "Refusals by REST and sockets, by problem code: throttles and lockouts too.", ["code"]
        )
        self.deeds: Counter = Counter("fortunes_deeds", "What players did, first answers and repeated ones.", ["deed"])
        self.commands: Counter = Counter("fortunes_socket_commands", "Commands through sockets.", ["op", "outcome"])
        self.frames: Counter = Counter("fortunes_socket_frames", "Frames through sockets.", ["direction"])
        self.database: Counter = Counter(
            "fortunes_database_refusals", "Statements that the database refused, by SQLSTATE.", ["sqlstate"]
        )
        self.sockets: Gauge = Gauge("fortunes_sockets", "Open sockets.", multiprocess_mode="livesum")
        self.doorbell: Gauge = Gauge(
            "fortunes_doorbell_healthy",
            "1 if every process with sockets hears the doorbell.",
            multiprocess_mode="livemin",
        )
        self.busy: Gauge = Gauge("fortunes_http_threads_busy", "Threads at work.", multiprocess_mode="livesum")
        self.waiting: Gauge = Gauge("fortunes_http_waiting", "Requests without a thread.", multiprocess_mode="livesum")
        # Finding the child of some labels costs more than counting.
        self.requests_of = cache(self.requests.labels)
        self.seconds_of = cache(self.seconds.labels)
        self.frames_of = cache(self.frames.labels)


_meters: Meters | None = None
_claim: IO[str] | None = None


def activate() -> None:
    """Begin to count, if the settings want it. Once a process, before its first request."""
    global _meters
    if is_wanted() and _meters is None:
        _prepare(folder())
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder())
        _meters = Meters()


def is_wanted() -> bool:
    return bool(settings.METRICS_ENABLED or settings.METRICS_TOKEN)


def may_read(scope: Mapping[str, Any]) -> bool:
    """Whether the request bears the token; without one set, METRICS_ENABLED opens the page to all who reach it."""
    if not settings.METRICS_TOKEN:
        return bool(settings.METRICS_ENABLED)
    given = dict(scope["headers"]).get(b"authorization", b"")
    return hmac.compare_digest(given, b"Bearer " + settings.METRICS_TOKEN.encode())


def folder() -> Path:
    """Where the processes of this host and installation count."""
    if settings.METRICS_DIR:
        return Path(settings.METRICS_DIR)
    database = settings.DATABASES["default"]
    installation = ":".join(str(database.get(part)) for part in ("HOST", "PORT", "NAME"))
    mark = hashlib.sha256(installation.encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"five-fortunes-metrics-{os.getuid()}-{mark}"


def _prepare(directory: Path) -> None:
    """The first process of an installation empties the folder, the others join it.

    Each keeps a shared lock on it as long as it lives, so that only who finds nobody else there gets the exclusive one.
    """
    global _claim
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    if found.st_uid != os.getuid() or directory.is_symlink():
        raise PermissionError(f"{directory} is not ours; name another folder as METRICS_DIR")
    _claim = (directory / "lock").open("a")
    try:
        fcntl.flock(_claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    else:
        for file in directory.glob("*.db"):
            file.unlink(missing_ok=True)
    fcntl.flock(_claim, fcntl.LOCK_SH)


def request(method: str, route: str, status: int, seconds: float) -> None:
    """A request was answered."""
    if _meters is None:
        return
    method = method if method in _METHODS else "other"
    _meters.requests_of(route, method, str(status)).inc()
    _meters.seconds_of(route, method).observe(seconds)
    if status < 300 and (deed := DEEDS.get((method, route))):
        _meters.deeds.labels(deed).inc()


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def refused(code: str) -> None:
    """Something was refused, with this code of docs/errors.md."""
    if _meters is not None:
        _meters.refusals.labels(code).inc()


def command(op: str, outcome: str) -> None:
    """A socket's command was carried out ("ok") or refused ("refused"). `op` must be one that is known."""
    if _meters is None:
        return
    _meters.commands.labels(op, outcome).inc()
    if outcome == "ok" and (deed := COMMAND_DEEDS.get(op)):
        _meters.deeds.labels(deed).inc()


def frame(direction: str) -> None:
    """A frame came "in" or went "out"."""
    if _meters is not None:
        _meters.frames_of(direction).inc()


def database_refused(sqlstate: str | None) -> None:
    if _meters is not None:
        _meters.database.labels(sqlstate or "none").inc()


def sample(*, sockets: int, doorbell_healthy: bool | None, busy: int, waiting: int) -> None:
    """How this process is doing right now; `doorbell_healthy` is None for one that has no sockets yet."""
    if _meters is None:
        return
    _meters.sockets.set(sockets)
    _meters.busy.set(busy)
    _meters.waiting.set(waiting)
    # Who has no sockets needs no doorbell, and must not look deaf.
    _meters.doorbell.set(0 if doorbell_healthy is False else 1)
