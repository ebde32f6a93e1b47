"""What a host in production says of itself: headers, addresses that aren't there, and Django's own check."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from config.local.environment import ROOT
from config.middleware import CorsMiddleware
from tests.realtime import servers

PRODUCTION = {"DJANGO_DEBUG": "0", "BEHIND_TLS": "1", "FORWARDED_ALLOW_IPS": "127.0.0.1", "PAGE_ENABLED": "1"}
ORIGIN = "https://play.example.com"
CAMPAIGNS = "/api/v1/campaigns"


@pytest.fixture(scope="module")
def production(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A web process as compose.yaml starts it, seen from a proxy that ends TLS."""
    log = tmp_path_factory.mktemp("production") / "web.log"
    headers = {"X-Forwarded-Proto": "https"}
    with (
        servers.running(log, **PRODUCTION) as server,
        httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=10) as client,
    ):
        yield client


class TestDeployment:
    def check(self, **given: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **PRODUCTION, **given}
        command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    @pytest.mark.parametrize("host", [{}, {"ADMIN_ENABLED": "1", "PAGE_ENABLED": "0"}], ids=["public", "staff"])
    def test_check_is_clean(self, django_db_setup: None, host: dict[str, str]) -> None:
        done = self.check(**host)
        assert done.returncode == 0, done.stderr
        assert "no issues (0 silenced)" in done.stdout

    def test_check_sees_what_is_wrong(self, django_db_setup: None) -> None:
        done = self.check(DJANGO_DEBUG="1", BEHIND_TLS="0")
        assert done.returncode == 1
        assert "security.W018" in done.stderr


class TestHeaders:
    @pytest.mark.parametrize("path", ["/", CAMPAIGNS, "/api/v1/me", "/api/v1/nothing", "/nothing", "/admin/"])
    def test_every_answer_is_careful(self, production: httpx.Client, path: str) -> None:
        headers = production.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "unsafe-inline" not in policy and "unsafe-eval" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "object-src 'none'" in policy
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"

    @pytest.mark.parametrize("path", ["/", CAMPAIGNS, "/livez", "/readyz", "/nothing"])
    def test_nobody_learns_what_runs_here(self, production: httpx.Client, path: str) -> None:
        assert not {"server", "x-powered-by", "via"} & {name.lower() for name in production.get(path).headers}

    def test_answers_to_players_are_kept_by_nobody(self, production: httpx.Client) -> None:
        assert production.get("/api/v1/me").headers["Cache-Control"] == "no-store"

    def test_without_tls_there_is_a_redirect(self, production: httpx.Client) -> None:
        answer = production.get(CAMPAIGNS, headers={"X-Forwarded-Proto": "http"})
        assert answer.status_code == 301
        assert answer.headers["Location"].startswith("https://")

    def test_a_foreign_host_is_refused(self, production: httpx.Client) -> None:
        answer = production.get(CAMPAIGNS, headers={"Host": "evil.example.com"})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/login/", "/api/docs/", "/api/schema", "/i18n/setlang/", "/metrics", "/__debug__/"]
)
def test_what_a_public_host_has_not(production: httpx.Client, path: str) -> None:
    answer = production.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


class TestOtherOrigins:
    """Pages of a listed origin may use the API; no other, and none with cookies."""

    @pytest.fixture(autouse=True)
    def listed(self, db: None, settings: Settings) -> None:
        settings.CORS_ORIGINS = [ORIGIN]

    def ask(self, origin: str, **headers: str) -> Any:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST", **headers}
        return Client().options("/api/v1/sessions", headers=asked)

    def test_listed_origin_asks_first(self) -> None:
        answer = self.ask(ORIGIN)
        assert answer.status_code == 204
        assert answer["Access-Control-Allow-Origin"] == ORIGIN
        assert "idempotency-key" in answer["Access-Control-Allow-Headers"]
        assert "PATCH" in answer["Access-Control-Allow-Methods"]
        assert "Access-Control-Allow-Credentials" not in answer

    @pytest.mark.parametrize(
        "origin", ["https://evil.example.com", "null", f"{ORIGIN}.evil.example", "http://play.example.com"]
    )
    def test_others_get_nothing(self, origin: str) -> None:
        for answer in (self.ask(origin), Client().get(CAMPAIGNS, headers={"Origin": origin})):
            assert "Access-Control-Allow-Origin" not in answer
            assert "Origin" in answer["Vary"]

    def test_answers_and_refusals_can_be_read(self) -> None:
        for path, status in ((CAMPAIGNS, 200), ("/api/v1/me", 401), ("/api/v1/nothing", 404)):
            answer = Client().get(path, headers={"Origin": ORIGIN})
            assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (status, ORIGIN)
            assert "Retry-After" in answer["Access-Control-Expose-Headers"]

    def test_nothing_but_the_api(self) -> None:
        assert "Access-Control-Allow-Origin" not in Client().get("/", headers={"Origin": ORIGIN})

    @pytest.mark.parametrize("origin", ["*", "https://*.example.com", f"{ORIGIN}/", "play.example.com", "null"])
    def test_no_wildcards(self, settings: Settings, origin: str) -> None:
        settings.CORS_ORIGINS = [origin]
        with pytest.raises(ImproperlyConfigured):
            CorsMiddleware(lambda request: HttpResponse())
