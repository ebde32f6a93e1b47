"""What a host serves besides the API: with DEBUG everything, in production only what it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from django.test import Client

from config.local import secrets
from tests.realtime import servers

ADMIN, DOCUMENTATION = ["/admin/", "/admin/login/", "/i18n/setlang/"], ["/api/docs/", "/api/schema"]


@pytest.fixture(scope="module")
def production(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    log = tmp_path_factory.mktemp("production") / "web.log"
    with (
        servers.running(log, DJANGO_DEBUG="0") as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=10) as client,
    ):
        yield client


@pytest.mark.parametrize("address", ADMIN + DOCUMENTATION)
def test_a_public_host_has_neither_admin_nor_documentation(production: httpx.Client, address: str) -> None:
    answer = production.get(address)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_it_serves_the_page_but_no_demo(production: httpx.Client) -> None:
    page = production.get("/")
    assert (page.status_code, "/api/docs/" in page.text) == (200, False)
    assert production.get("/static/page/main.js").status_code == 200
    assert production.post("/page/demo-code", json={"campaign": "any"}).status_code == 404


def test_without_the_page_the_front_is_the_documentation_if_anything(django_db_setup: None, tmp_path: Path) -> None:
    for docs, answer in (("0", 404), ("1", 302)):
        with servers.running(tmp_path / "web.log", DJANGO_DEBUG="0", PAGE_ENABLED="0", PUBLIC_DOCS=docs) as server:
            assert httpx.get(f"{server.url}/", trust_env=False).status_code == answer


def test_it_serves_the_api(production: httpx.Client) -> None:
    assert production.get("/livez").status_code == 200
    assert production.get("/api/v1/campaigns").status_code == 200
    assert production.get("/api/v1/problems/not-found").json()["status"] == 404


def test_staff_and_documentation_are_turned_on_one_by_one(django_db_setup: None, tmp_path: Path) -> None:
    with servers.running(tmp_path / "web.log", DJANGO_DEBUG="0", ADMIN_ENABLED="1") as server:
        assert httpx.get(f"{server.url}/admin/login/", trust_env=False).status_code == 200
        assert httpx.get(f"{server.url}/api/docs/", trust_env=False).status_code == 404
    with servers.running(tmp_path / "web.log", DJANGO_DEBUG="0", PUBLIC_DOCS="1") as server:
        assert httpx.get(f"{server.url}/admin/login/", trust_env=False).status_code == 404
        assert httpx.get(f"{server.url}/api/docs/", trust_env=False).status_code == 200


@pytest.mark.parametrize("address", ["/api/docs/", "/api/schema"])
def test_documentation_is_only_read(db: None, client: Client, address: str) -> None:
    for method in ("get", "head"):
        assert getattr(client, method)(address).status_code == 200
    for method in ("options", "post", "put", "delete"):
        answer = getattr(client, method)(address)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(("proxy", "left"), [("127.0.0.1", [599, 599]), ("192.0.2.1", [599, 598])])
def test_limits_by_address_believe_named_proxies_only(
    proxy: str, left: list[int], django_db_setup: None, tmp_path: Path
) -> None:
    given = {"DJANGO_DEBUG": "0", "FORWARDED_ALLOW_IPS": proxy, "REDIS_PREFIX": f"proxy-{uuid4()}"}
    with servers.running(tmp_path / "web.log", **given) as server:
        answers = [
            httpx.post(
                f"{server.url}/api/v1/sessions/refresh",
                json={"refresh": "x"},
                headers={"X-Forwarded-For": f"203.0.113.9, {client}"},
                trust_env=False,
            )
            for client in ("198.51.100.1", "198.51.100.2")
        ]
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == [f"r={number}" for number in left]


def test_web_processes_get_all_secrets_but_the_workers() -> None:
    everything = secrets.fresh()
    assert set(everything) - set(secrets.for_web(everything)) == {"settlement_keys", "message_keys", "push_keys"}
