"""Slow, greedy and vanished clients of HTTP hold up nobody else."""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client

from config.http import THREADS, WAITING, Http
from tests.realtime import servers
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed

PATIENCE_S = 1.5
LARGE_FILE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
GET_LARGE_FILE = f"GET {LARGE_FILE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
SIGN_IN = b"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Its clients have less time than usual, so that tests are quick."""
    given = {"CLIENT_PATIENCE_S": str(PATIENCE_S), "ADMIN_ENABLED": "1", "PUBLIC_DOCS": "1"}
    with servers.running(tmp_path_factory.mktemp("web") / "web.log", **given) as running:
        yield running


@pytest.fixture(scope="module")
def patient(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the usual patience: whoever is slow here is so for longer than a test waits."""
    with servers.running(tmp_path_factory.mktemp("web") / "web.log") as running:
        yield running


@pytest.fixture
def crowd() -> Iterator[ExitStack]:
    """Raw connections, closed at the end."""
    with ExitStack() as stack:
        yield stack


def dial(server: Server, sent: bytes, *, buffer: int | None = None) -> socket.socket:
    host, _, port = server.url.removeprefix("http://").partition(":")
    client = socket.socket()
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.settimeout(10)
    client.connect((host, int(port)))
    client.sendall(sent)
    return client


def ask(server: Server, path: str, **options: Any) -> httpx.Response:
    with httpx.Client(base_url=server.url, trust_env=False, timeout=5) as client:
        return client.request(options.pop("method", "GET"), path, **options)


def everything(client: socket.socket) -> bytes:
    """What the server says until it closes."""
    received = b""
    while part := client.recv(65536):
        received += part
    return received


def assert_well(server: Server) -> None:
    """The process answers, and so do its threads."""
    assert ask(server, "/livez").text == "ok\n"
    assert ask(server, "/api/v1/campaigns").status_code == 200


class TestOthersAreServed:
    def test_beside_slow_bodies(self, patient: Server, crowd: ExitStack) -> None:
        for _ in range(2 * THREADS):
            crowd.enter_context(dial(patient, SIGN_IN + b"Content-Length: 100\r\n\r\n{"))
        time.sleep(0.3)
        assert_well(patient)

    def test_beside_slow_readers(self, patient: Server, crowd: ExitStack) -> None:
        for _ in range(20):
            crowd.enter_context(dial(patient, GET_LARGE_FILE * 12, buffer=2048))
        time.sleep(0.5)
        assert_well(patient)

    def test_after_aborted_pipelines(self, patient: Server) -> None:
        for _ in range(10):
            client = dial(patient, GET_LARGE_FILE * 3, buffer=2048)
            time.sleep(0.1)
            client.close()
        assert_well(patient)


class TestBodies:
    def test_slow_one_is_408(self, server: Server, crowd: ExitStack) -> None:
        client = crowd.enter_context(dial(server, SIGN_IN + b"Accept-Language: zh-CN\r\nContent-Length: 9\r\n\r\n{"))
        head, _, body = everything(client).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408")
        assert b"application/problem+json" in head
        problem = json.loads(body)
        assert problem["code"] == "request-timeout"
        assert not problem["title"].isascii()

    def test_chunked_one_arrives(self, server: Server) -> None:
        body = {"username": f"chunky{secrets.token_hex(5)}", "password": secrets.token_hex(8)}
        parts = iter([json.dumps(body).encode()[:20], json.dumps(body).encode()[20:]])
        headers = {"Content-Type": "application/json"}
        answer = ask(server, "/api/v1/players", method="POST", content=parts, headers=headers)
        assert answer.status_code == 201, answer.text
        assert answer.json()["player"]["username"] == body["username"]

    @pytest.mark.parametrize("chunked", [True, False])
    def test_large_one_is_413(self, server: Server, chunked: bool) -> None:
        body = b'{"username":"' + b"x" * 30_000 + b'"}'
        content = iter([body[:20_000], body[20_000:]]) if chunked else body
        headers = {"Content-Type": "application/json"}
        answer = ask(server, "/api/v1/sessions", method="POST", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")

    def test_large_one_is_refused_before_it_is_asked_for(self, server: Server, crowd: ExitStack) -> None:
        head = SIGN_IN + b"Content-Length: 30000\r\nExpect: 100-continue\r\n\r\n"
        assert crowd.enter_context(dial(server, head)).recv(100).startswith(b"HTTP/1.1 413")

    def test_forms_of_staff_may_be_larger(self, server: Server) -> None:
        answer = ask(server, "/admin/login/", method="POST", data={"x": "x" * 30_000})
        assert answer.status_code == 403  # It lacks the token against forgery, which is looked for in the body.


class TestAnswers:
    def test_file_arrives_whole(self, server: Server) -> None:
        answer = ask(server, LARGE_FILE, headers={"Accept-Encoding": "identity"})
        assert len(answer.content) == int(answer.headers["Content-Length"]) > 1_000_000
        part = ask(server, LARGE_FILE, headers={"Accept-Encoding": "identity", "Range": "bytes=70000-200000"})
        assert (part.status_code, part.content) == (206, answer.content[70_000:200_001])

    def test_head_has_no_body(self, server: Server) -> None:
        for path in (LARGE_FILE, "/api/docs/", "/livez"):
            answer = ask(server, path, method="HEAD")
            assert (answer.status_code, answer.content) == (200, b"")
            assert int(answer.headers["Content-Length"]) > 0

    def test_each_cookie_has_its_header(self, server: Server) -> None:
        answer = ask(server, "/i18n/setlang/", method="POST", data={"language": "en"})
        page = ask(server, "/admin/login/")
        assert answer.status_code == 403
        assert [cookie.partition("=")[0] for cookie in page.headers.get_list("set-cookie")] == ["csrftoken"]

    @pytest.mark.parametrize("query", [b"?q=\xff", b"?q=%ff", b"/%ff%00", b"?%00"])
    def test_bytes_that_are_no_text(self, server: Server, crowd: ExitStack, query: bytes) -> None:
        request = b"GET /api/v1/campaigns" + query + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        assert everything(crowd.enter_context(dial(server, request)))[9:10] in (b"2", b"4")

    def test_who_does_not_read_is_cut_off(self, server: Server, crowd: ExitStack) -> None:
        client = crowd.enter_context(dial(server, GET_LARGE_FILE * 12, buffer=2048))
        time.sleep(PATIENCE_S + 1)
        assert len(everything(client)) < 6 * 1_500_000  # What the kernel had already; without a cut all twelve come.


async def test_busy_when_too_many_wait_for_a_thread() -> None:
    http, sent = Http(), []
    http._unfinished = THREADS + WAITING

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await http({"type": "http", "path": "/api/v1/campaigns", "headers": []}, receive, send)
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"1") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["code"] == "busy"


@pytest.mark.parametrize("length", ["²", "9" * 5_000, "-1", "16385", "1_0", " 1"])
def test_lengths_that_are_none(client: Client, length: str) -> None:
    answer = client.post("/api/v1/sessions", b"{}", "application/json", CONTENT_LENGTH=length)
    assert answer.status_code == 413


def test_requests_in_hand_are_answered_at_the_end(django_db_setup: None, tmp_path: Path) -> None:
    given = {"CLIENT_PATIENCE_S": "2"}
    with servers.running(tmp_path / "web.log", **given) as server, ExitStack() as crowd:
        slow = crowd.enter_context(dial(server, SIGN_IN + b"Content-Length: 100\r\n\r\n{"))
        crowd.enter_context(dial(server, GET_LARGE_FILE, buffer=2048))
        time.sleep(0.2)
        server.terminate()
        assert everything(slow).startswith(b"HTTP/1.1 408")
        server.process.wait(30)
