"""What no client sends by accident, sent to every operation of a real server: refused, in one form, and never a 500."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from accounts import tokens
from config import problems
from tests.api.operations import CATALOGUE, Operation, operations
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import SeasonFactory
from tests.realtime import servers
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed

DEEP = 100_000
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "list": b"[]",
    "text": b'"text"',
    "number": b"7",
    "truncated": b'{"code": "',
    "trailing": b'{} {"code": 1}',
    "nul": b'{"code": "a\\u0000b", "username": "a\\u0000b", "nickname": "\\u0000"}',
    "nul in a name": b'{"\\u0000": 1}',
    "raw nul": b'{"code": "a\x00b"}',
    "huge integer": b'{"code": ' + b"9" * 4000 + b"}",
    "beyond 64 bits": b'{"code": 9223372036854775808}',
    "huge float": b'{"code": 1e400}',
    "not a number": b'{"code": NaN}',
    "infinity": b'{"code": -Infinity}',
    "lone surrogate": b'{"code": "\\ud800", "username": "\\ud800abc", "password": "\\udfff\\udfff\\udfff\\udfff"}',
    "twice": b'{"code": "a", "code": "b", "username": "a", "username": "b"}',
    "deep list": b"[" * 7000 + b"]" * 7000,
    "deep object": b'{"a":' * 2500 + b"1" + b"}" * 2500,
    "byte order mark": b"\xef\xbb\xbf{}",
    "utf-16": '{"code": "x"}'.encode("utf-16"),
    "latin-1": b'{"code": "\xe9"}',
    "overlong": b'{"code": "\xc0\x80"}',
    "odd names": json.dumps({"__proto__": 1, "constructor": 2, "~1/~0": 3, "": 4, "/": 5}).encode(),
    "odd pointers": json.dumps({"a/b~c": {"d": []}, "gives": [{"x/y": 1}, None, [[]]]}).encode(),
    "objects for text": json.dumps({name: {} for name in ("code", "username", "password", "to", "token")}).encode(),
    "lists for text": json.dumps(
        {name: ["a"] for name in ("code", "refresh", "phone", "nickname", "confirm")}
    ).encode(),
    "numbers for text": json.dumps(dict.fromkeys(("code", "refresh", "phone", "nickname", "to"), 7)).encode(),
    "long text": json.dumps({"code": "c" * 16_000}).encode(),
    "too large": b'{"code": "' + b"c" * 20_000 + b'"}',
    "right to left": json.dumps({"nickname": "\u202e\u200b\ufeff" * 20, "username": "\u202eabc"}).encode(),
}
HEADERS: dict[str, dict[str, str]] = {
    "form": {"Content-Type": "application/x-www-form-urlencoded"},
    "multipart": {"Content-Type": "multipart/form-data"},
    "xml": {"Content-Type": "application/xml"},
    "no type": {"Content-Type": ""},
    "no such type": {"Content-Type": ";;;/"},
    "another charset": {"Content-Type": "application/json; charset=utf-16"},
    "html": {"Accept": "text/html"},
    "nothing acceptable": {"Accept": "*/*;q=0"},
    "garbage": {"Accept": "a/b/c;;q=x,,"},
    "many languages": {"Accept-Language": ",".join(f"x{n}-y" for n in range(500))},
    "no such language": {"Accept-Language": "\x7f-%00;q=9"},
    "empty key": {"Idempotency-Key": ""},
    "long key": {"Idempotency-Key": "k" * 65},
    "spaced key": {"Idempotency-Key": "a b"},
    "quoted key": {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'},
    "foreign key": {"Idempotency-Key": "ключ".encode().decode("latin-1")},
    "bare bearer": {"Authorization": "Bearer"},
    "other scheme": {"Authorization": "Basic YTpi"},
    "long token": {"Authorization": "Bearer " + "a" * 8000},
    "three dots": {"Authorization": "Bearer ..."},
    "no algorithm": {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."},
    "binary token": {"Authorization": "Bearer \xff\xfe"},
    "etag": {"If-None-Match": '"' * 1000 + ",*,W/"},
    "range": {"Range": "bytes=-1,0-999999999999"},
    "forwarded": {"X-Forwarded-For": "'; --, ::1%eth0, 999.1.1.1", "X-Forwarded-Proto": "gopher"},
    "override": {"X-HTTP-Method-Override": "DELETE"},
}
QUERIES = [
    "limit=0", "limit=-1", "limit=1e3", "limit=٣", "limit=999999999999999999999", "limit=1&limit=x", "limit=%00",
    "cursor=%00", "cursor=////", "cursor=cD0lMDA%3D", "cursor=cD0nIE9SIDE9MQ==", "cursor=" + "A" * 4000,
    "after=-1", "after=9223372036854775808", "after=1.0", "after[]=1", "%ff=%fe", "&&&==;", "a" * 4000,
]  # fmt: skip
PARTS = [
    "%00", "%ff", "%ed%a0%80", "%c0%af", "..%2f..%2fetc%2fpasswd", "%2e%2e", "a" * 3000, "%25%32%66", "null", "'--",
    "%0d%0a", "99999999999999999999", "-1", "%f0%9f%8e%81", "00000000-0000-0000-0000-000000000000", "a;b=c", "%20",
]  # fmt: skip
# uvicorn's own words, for what its parser doesn't take.
NOT_HTTP = "Invalid HTTP request received."
METHODS = ["TRACE", "CONNECT", "OPTIONS", "HEAD", "PROPFIND", "PATCH", "PUT", "DELETE", "FOO", "get"]


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It must not log a traceback either (`servers.running`)."""
    with servers.running(tmp_path_factory.mktemp("hostile") / "web.log") as server:
        yield server


@pytest.fixture
def client(server: Server, committed_db: None) -> Iterator[httpx.Client]:
    season, player = SeasonFactory(), PlayerFactory.create()
    headers = {"Authorization": f"Bearer {tokens.issue(player).token}", "Content-Type": "application/json"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=30) as client:
        client.slug = season.slug  # type: ignore[attr-defined]
        yield client


def path(operation: Operation, client: Any, **parts: str) -> str:
    known = {"slug": client.slug, "kind": "patriotism", "version": 1}
    names = {*CATALOGUE, *operation.objects}
    given = {name: parts.get(name, known.get(name, "00000000-0000-4000-8000-000000000000")) for name in names}
    return operation.path.format(**given)


def refused(answer: httpx.Response) -> bool:
    """Whether it is a refusal; if it is one, it has the one form, and a code that belongs to its status."""
    assert answer.status_code < 500, answer.text
    if answer.text == NOT_HTTP:
        return True
    if answer.status_code < 400 or answer.request.method == "HEAD":
        return answer.status_code >= 400
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text[:300]
    problem = answer.json()
    assert (answer.status_code, problem["code"]) in {(status, code) for status, code, _ in problems.known()}
    return True


WRITES = sorted(name for name, operation in operations().items() if operation.method in ("POST", "PUT", "PATCH"))
# They want no body, so that none is looked at.
WITHOUT_BODY = {"blocks_create", "friendships_accept", "invitations_accept", "packet_open"}


@pytest.mark.parametrize("name", WRITES)
def test_bodies(client: httpx.Client, name: str) -> None:
    operation = operations()[name]
    for label, body in BODIES.items():
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        answer = client.request(operation.method, path(operation, client), content=body, headers=headers)
        is_harmless = name in WITHOUT_BODY or (
            name in ("check_ins_create", "invitations_create") and label == "nothing"
        )
        assert refused(answer) or is_harmless or (answer.status_code == 201 and label == "nothing"), (
            label,
            answer.text,
        )


@pytest.mark.parametrize("name", sorted(operations()))
def test_headers(client: httpx.Client, name: str) -> None:
    operation = operations()[name]
    if operation.method == "DELETE" and "sessions" in operation.path:
        # They would succeed, and sign the player out.
        return
    for headers in HEADERS.values():
        raw = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]
        refused(client.request(operation.method, path(operation, client), content=b"{}", headers=raw))


@pytest.mark.parametrize("name", sorted(name for name, operation in operations().items() if operation.method == "GET"))
def test_queries(client: httpx.Client, name: str) -> None:
    for query in QUERIES:
        refused(client.get(f"{path(operations()[name], client)}?{query}"))


@pytest.mark.parametrize("name", sorted(name for name, operation in operations().items() if "{" in operation.path))
def test_paths(client: httpx.Client, name: str) -> None:
    operation = operations()[name]
    for part in PARTS:
        for parameter in {*CATALOGUE, *operation.objects}:
            if f"{{{parameter}}}" in operation.path:
                headers = {"Idempotency-Key": secrets.token_hex(8)}
                address = path(operation, client, **{parameter: part})
                assert refused(client.request(operation.method, address, content=b"{}", headers=headers)), address


@pytest.mark.parametrize("method", METHODS)
def test_methods(client: httpx.Client, method: str) -> None:
    served = {(operation.path, operation.method) for operation in operations().values()}
    for operation in operations().values():
        if (operation.path, method) not in served:
            answer = client.request(method, path(operation, client), content=b"")
            if method == "get":
                assert answer.status_code < 500
            else:
                refused(answer)


@contextmanager
def wire(server: Server) -> Iterator[socket.socket]:
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as connection:
        yield connection


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\xff\x00\xff\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /api/v1/campaigns HTTP/9.9\r\n\r\n",
        b"GET /api/v1/campaigns HTTP/1.1\r\n\r\n",
        b"GET /api/v1/campaigns HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET http://evil.example/api/v1/campaigns HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/v1/campaigns HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"GET /api/v1/campaigns HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /api/v1/campaigns HTTP/1.1\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
        b"POST /api/v1/players HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/players HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /api/v1/players HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /api/v1/players HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /api/v1/me HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        b"POST /api/v1/players HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: x\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_what_is_hardly_http(server: Server, request_bytes: bytes) -> None:
    """It is refused or the line goes dead, and the server goes on."""
    with wire(server) as connection:
        try:
            connection.sendall(request_bytes)
            connection.shutdown(socket.SHUT_WR)
            status = connection.recv(4096).partition(b" ")[2][:3]
        except OSError:
            status = b""
    assert status == b"" or status < b"500"
    assert httpx.get(f"{server.url}/livez", trust_env=False).status_code == 200
