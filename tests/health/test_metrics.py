"""/metrics of two web processes that share a folder, read by Prometheus's own parser."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from django.db import transaction
from django.urls import get_resolver
from prometheus_client.parser import text_string_to_metric_families

from config import metrics
from config.celery import intervals
from config.socket import COMMANDS
from fortunes import deadletters, jobs
from fortunes.models import DeadLetter, Process
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.realtime import servers
from tests.realtime.people import Person
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed

Labels = frozenset[tuple[str, str]]


@pytest.fixture(scope="module")
def pair(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    folder = tmp_path_factory.mktemp("web")
    given = {"METRICS_DIR": str(folder / "metrics"), "METRICS_ENABLED": "1"}
    with servers.running(folder / "a.log", **given) as a, servers.running(folder / "b.log", **given) as b:
        yield a, b


@pytest.fixture
def alice(pair: tuple[Server, Server]) -> Person:
    """At home on the process that isn't asked."""
    return Person(PlayerFactory.create(), make.SeasonFactory.create(), pair[1])


def ask(server: Server, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{server.url}{path}", headers=headers, trust_env=False, timeout=10)


def read(server: Server) -> dict[str, dict[Labels, float]]:
    answer = ask(server, "/metrics")
    assert answer.status_code == 200
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def of(**labels: str) -> Labels:
    return frozenset(labels.items())


HEALTHY = "fortunes_doorbell_healthy"
CAMPAIGN = "/api/v1/campaigns/<slug:slug>"


class TestCounting:
    def test_requests_by_route_of_all_processes(self, pair: tuple[Server, Server]) -> None:
        a, b = pair
        mine = of(route=CAMPAIGN, method="GET", status="404")
        before = read(a).get("fortunes_http_requests_total", {}).get(mine, 0)
        for server in (a, b, b):
            assert ask(server, "/api/v1/campaigns/swordfish").status_code == 404
        figures = read(a)
        assert figures["fortunes_http_requests_total"][mine] == before + 3
        assert figures["fortunes_http_request_seconds_count"][of(route=CAMPAIGN, method="GET")] >= 3
        assert "swordfish" not in ask(a, "/metrics").text

    def test_what_one_asks_for_makes_no_new_series(self, pair: tuple[Server, Server]) -> None:
        a, _ = pair
        for number in range(5):
            ask(a, f"/nowhere/{number}")
        for method in ("LOCK", "PROPFIND"):
            httpx.request(method, f"{a.url}/nowhere", trust_env=False)
        requests = read(a)["fortunes_http_requests_total"]
        assert {labels for labels in requests if ("route", "unmatched") in labels} == {
            of(route="unmatched", method="GET", status="404"),
            of(route="unmatched", method="other", status="404"),
        }

    def test_refusals_by_code(self, pair: tuple[Server, Server]) -> None:
        a, _ = pair
        before = read(a).get("fortunes_refusals_total", {}).get(of(code="not-signed-in"), 0)
        ask(a, "/api/v1/wallet")
        assert read(a)["fortunes_refusals_total"][of(code="not-signed-in")] == before + 1

    async def test_sockets_frames_and_the_doorbell(self, pair: tuple[Server, Server], alice: Person) -> None:
        a, _ = pair
        async with await alice.connect() as socket:
            await socket.command("ping")
            ends = time.monotonic() + 20
            while (figures := read(a))["fortunes_sockets"] != {of(): 1} or figures[HEALTHY] != {of(): 1}:
                assert time.monotonic() < ends, figures
                time.sleep(0.1)
            assert figures["fortunes_socket_commands_total"][of(op="ping", outcome="ok")] == 1
            assert figures["fortunes_socket_frames_total"][of(direction="in")] >= 2
            assert figures["fortunes_socket_frames_total"][of(direction="out")] >= 2
        assert figures["fortunes_http_threads_busy"] == {of(): 0}
        assert figures["fortunes_http_waiting"] == {of(): 0}

    def test_a_process_that_died_leaves_its_counts_and_takes_its_gauges(
        self, django_db_setup: None, tmp_path: Path
    ) -> None:
        given = {"METRICS_DIR": str(tmp_path / "metrics"), "METRICS_ENABLED": "1"}
        with servers.running(tmp_path / "a.log", **given) as a:
            with servers.running(tmp_path / "b.log", **given) as b:
                ask(b, "/api/v1/campaigns")
                b.process.send_signal(signal.SIGKILL)
                b.process.wait()
            figures = read(a)
            asked = of(route="/api/v1/campaigns", method="GET", status="200")
            assert figures["fortunes_http_requests_total"] == {asked: 1}
            assert len(list((tmp_path / "metrics").glob("gauge_live*"))) == 2
        with servers.running(tmp_path / "c.log", **given) as c:
            # Nobody was left, so the folder was emptied: a new installation begins at nought.
            assert "fortunes_http_requests_total" not in read(c)


class TestTheDatabase:
    def test_jobs_processes_settlements_and_letters(self, pair: tuple[Server, Server]) -> None:
        jobs.register(intervals())
        jobs.seen("somewhere:1", Process.Kind.BEAT)
        jobs.failed("redpackets.tasks.settle_due", ValueError())
        with transaction.atomic():
            letter = deadletters.bury(job="redpackets.settlements", subject_id=0, error="ValueError")
        try:
            figures = read(pair[0])
        finally:
            DeadLetter.objects.filter(pk=letter).delete()
            jobs.ran("redpackets.tasks.settle_due")
            Process.objects.filter(name="somewhere:1").delete()
        for name in ("age_seconds", "failures", "stuck"):
            assert {dict(labels)["job"] for labels in figures[f"fortunes_job_{name}"]} == set(intervals())
        assert figures["fortunes_job_failures"][of(job="redpackets.tasks.settle_due")] >= 1
        assert figures["fortunes_process_silence_seconds"][of(kind="beat")] < 60
        assert figures["fortunes_dead_letters"][of(job="redpackets.settlements")] >= 1
        assert figures["fortunes_database_up"] == {of(): 1}
        assert "fortunes_settlements" in ask(pair[0], "/metrics").text

    def test_without_one_the_rest_is_told(self, tmp_path: Path) -> None:
        given = {"DATABASE_URL": "postgres://fortunes_app:swordfish@127.0.0.1:1/fortunes", "METRICS_ENABLED": "1"}
        with servers.running(tmp_path / "a.log", METRICS_DIR=str(tmp_path / "metrics"), **given) as server:
            assert ask(server, "/api/v1/campaigns").status_code == 503
            figures = read(server)
        assert figures["fortunes_database_up"] == {of(): 0}
        assert figures["fortunes_database_refusals_total"][of(sqlstate="none")] == 1
        assert figures["fortunes_refusals_total"][of(code="busy")] == 1


class TestWhoMayRead:
    def test_nobody_by_default(self, tmp_path: Path) -> None:
        with servers.running(tmp_path / "a.log", DJANGO_DEBUG="0") as server:
            assert ask(server, "/metrics").status_code == 404
            assert ask(server, "/metrics", Authorization="Bearer").status_code == 404

    def test_who_bears_the_token(self, tmp_path: Path) -> None:
        given = {"DJANGO_DEBUG": "0", "METRICS_TOKEN": "swordfish", "METRICS_DIR": str(tmp_path / "metrics")}
        with servers.running(tmp_path / "a.log", **given) as server:
            for authorization in ("", "swordfish", "Bearer sword", "bearer swordfish", "Bearer swordfish"):
                expected = 200 if authorization == "Bearer swordfish" else 404
                assert ask(server, "/metrics", Authorization=authorization).status_code == expected

    def test_a_folder_of_somebody_else_is_not_used(self, tmp_path: Path) -> None:
        (tmp_path / "theirs").mkdir()
        (tmp_path / "ours").symlink_to(tmp_path / "theirs")
        with pytest.raises(PermissionError, match="METRICS_DIR"):
            metrics._prepare(tmp_path / "ours")


def test_every_deed_has_its_route() -> None:
    routes = {"/" + route for route in _routes(get_resolver().url_patterns)}
    assert {route for _, route in metrics.DEEDS} <= routes
    assert set(metrics.COMMAND_DEEDS) <= set(COMMANDS)


def _routes(patterns: Sequence[object], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        here = prefix + str(pattern.pattern)  # type: ignore[attr-defined]
        inner = getattr(pattern, "url_patterns", None)
        if inner is None:
            yield here
        else:
            yield from _routes(inner, here)
