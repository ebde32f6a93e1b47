"""What is logged is of use and holds nothing of a person: formats, and canaries sent through real processes."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest

from accounts import tokens
from config import logs
from config.client.sockets import Lost, Refused, Socket
from fortunes import clock as database_clock
from fortunes import jobs
from fortunes.models import DeadLetter, IdempotencyKey, Job
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.health import system
from tests.realtime.conftest import ONE_CARD

KEYS = "fortunes.tasks.forget_old_keys"


class TestLines:
    def formatted(self, message: str, *args: Any, readable: bool = False, **given: Any) -> str:
        extra = given.pop("extra", {})
        record = logging.getLogger("fortunes.test").makeRecord(
            "fortunes.test", logging.WARNING, __file__, 1, message, args, given.pop("exc_info", None), extra=extra
        )
        return logs.Formatter(readable=readable).format(record)

    def test_one_is_an_object_of_plain_values(self) -> None:
        line = self.formatted("job %s is stuck", KEYS, extra={"age": 70.5, "request": HttpRequest(), "player": None})
        told = json.loads(line)
        assert "\n" not in line
        assert told.pop("at").endswith("+00:00")
        assert told.pop("process") > 0
        assert told == {
            "level": "warning", "logger": "fortunes.test", "event": f"job {KEYS} is stuck", "age": 70.5, "player": None,
        }  # fmt: skip

    def test_for_eyes(self) -> None:
        line = self.formatted("request", extra={"route": "/livez", "status": 200}, readable=True)
        assert line.endswith(" WARNING fortunes.test request route=/livez status=200")

    def test_errors_are_told_without_what_they_quote(self) -> None:
        try:
            try:
                int("swordfish")
            except ValueError as error:
                raise RuntimeError("can't call 13800138000") from error
        except RuntimeError:
            for readable in (False, True):
                line = self.formatted("it failed: %r", sys.exception(), exc_info=sys.exc_info(), readable=readable)
                assert "swordfish" not in line.replace('int("swordfish")', "").replace('int(\\"swordfish\\")', "")
                assert "13800138000" not in line.split("Traceback", 1)[0]
                assert "ValueError: invalid literal" in line
                assert "RuntimeError: can't call …" in line
                assert "in test_errors_are_told_without_what_they_quote" in line

    def test_an_address_is_told_as_its_route(self) -> None:
        request = HttpRequest()
        request.path = "/api/v1/invitations/swordfish"
        told = json.loads(self.formatted("Internal Server Error: %s", request.path, extra={"request": request}))
        assert told["event"] == "Internal Server Error: unmatched"

    @pytest.mark.django_db
    def test_what_a_database_quotes_is_left_out(self) -> None:
        alice = PlayerFactory.create(username="swordfish")
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            make_null = "UPDATE accounts_player SET is_active = NULL WHERE id = %s"
            with connection.cursor() as cursor:
                cursor.execute(make_null, [alice.pk])
        line = self.formatted("it failed", exc_info=(type(caught.value), caught.value, caught.value.__traceback__))
        assert "NotNullViolation" in line
        assert "swordfish" not in line


CANARIES = {
    "username": f"canary{secrets.token_hex(5)}",
    "password": f"parrot-{secrets.token_hex(8)}",
    "nickname": f"金丝雀{secrets.token_hex(3)}",
    "note": f"a note about {secrets.token_hex(4)}",
    "phone": f"+86138{secrets.randbelow(10**8):08}",
    # Longer than a real one, so that it doesn't come up by chance among milliseconds.
    "code": f"{secrets.randbelow(10**10):010}",
    "invitation": f"inv{secrets.token_hex(8)}",
    "scan code": f"scan-{secrets.token_urlsafe(40)}",
    "token": f"{secrets.token_urlsafe(20)}.{secrets.token_urlsafe(60)}.{secrets.token_urlsafe(32)}",
    "address": f"203.0.113.{secrets.randbelow(250)}",
    "query": f"query{secrets.token_hex(8)}",
}
FROM = {"X-Forwarded-For": CANARIES["address"]}
# A constraint that is broken by whatever a job or a request does, and tells the canaries in its DETAIL.
FAILING = """
CREATE FUNCTION canary_for_a_test() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE unique_violation USING DETAIL = {}; END $$;
CREATE TRIGGER canary_for_a_test BEFORE DELETE ON fortunes_idempotencykey
FOR EACH STATEMENT EXECUTE FUNCTION canary_for_a_test();
CREATE TRIGGER canary_for_an_insert BEFORE INSERT ON fortunes_idempotencykey
FOR EACH ROW WHEN (NEW.key = 'canary') EXECUTE FUNCTION canary_for_a_test()
"""


@pytest.fixture
def failing(committed_db: None, owner_connection: psycopg.Connection) -> Iterator[None]:
    words = " ".join(CANARIES.values()).replace("'", "")
    owner_connection.execute(FAILING.replace("{}", f"'Key (words)=({words}) exists.'").encode())
    yield
    owner_connection.execute("DROP FUNCTION canary_for_a_test CASCADE")


@pytest.mark.slow
def test_no_canary_comes_out(failing: None, tmp_path: Path) -> None:
    """A season's calls, the wrong ones too, and failures of web and worker whose errors quote all of it."""
    production = {"DJANGO_DEBUG": "0", "LOG_LEVEL": "DEBUG", "SMS_SENDER": "gateway", "ADMIN_ENABLED": "1",
                  "SMS_GATEWAY_URL": "https://127.0.0.1:1/send", "PASSWORD_ITERATIONS": "1000"}  # fmt: skip
    with (
        system.web(tmp_path / "web.log", **production) as url,
        system.worker(tmp_path / "worker.log", **production),
        system.beat(tmp_path / "beat.log", **production),
    ):
        with httpx.Client(base_url=url, trust_env=False, timeout=20, headers=FROM) as client:
            token = _live(client)
        asyncio.run(_connect(url, token))
        IdempotencyKey.objects.create(
            player_id=0, route="old", key="old", body_hash=b"", at=database_clock.now() - timedelta(days=3)
        )
        system.eventually(lambda: Job.objects.filter(pk=KEYS, interval_s__isnull=False).exists())
        jobs.run_again(name=KEYS, by=PlayerFactory.create().pk)
        system.eventually(lambda: Job.objects.filter(pk=KEYS, failures__gt=0).exists())
        kept = [*Job.objects.values_list("last_error", flat=True), *DeadLetter.objects.values_list("error", flat=True)]
    written = {log.name: log.read_text() for log in tmp_path.glob("*.log")} | {"rows": "\n".join(kept)}

    # It was about something: both failures are told, with the places in the code.
    assert '"status":500' in written["web.log"]
    assert "UniqueViolation [23505]" in written["web.log"] and "UniqueViolation [23505]" in written["worker.log"]
    assert "forget_old_keys" in written["worker.log"]
    assert "IntegrityError [23505]" in written["rows"]
    assert [line for line in written["web.log"].splitlines() if not line.startswith("{")] == []
    for line in [*written["web.log"].splitlines(), *written["worker.log"].splitlines()]:
        assert not line.startswith("{") or json.loads(line)["logger"]
    requests = [json.loads(line) for line in written["web.log"].splitlines() if '"fortunes.request"' in line]
    assert {"/api/v1/players", "/api/v1/sessions", "/api/v1/invitations/<str:code>"} <= {r["route"] for r in requests}
    assert next(r["player"] for r in requests if r["route"] == "/api/v1/wallet") > 0

    secret = {**CANARIES, "bare phone": CANARIES["phone"][3:], "real token": token.split(".")[-1]}
    assert not {(what, where) for what, text in secret.items() for where, log in written.items() if text in log}


def _live(client: httpx.Client) -> str:
    """What a player does in a season, and what goes wrong; the token they got."""
    c = CANARIES
    client.post("/api/v1/players", json={"username": c["username"], "password": "short", "nickname": c["nickname"]})
    whole = {"username": c["username"], "password": c["password"], "nickname": c["nickname"]}
    client.post("/api/v1/players", json={**whole, "invitation": c["invitation"]})
    made = client.post("/api/v1/players", json=whole)
    assert made.status_code == 201, made.text
    client.post("/api/v1/sessions", json={"username": c["username"], "password": c["password"] + "x"})
    signed_in = client.post("/api/v1/sessions", json={"username": c["username"], "password": c["password"]})
    token: str = signed_in.json()["tokens"]["access"]
    me = {"Authorization": f"Bearer {token}"}
    client.post("/api/v1/phone-codes", json={"phone": c["phone"]})
    client.post("/api/v1/sessions/phone", json={"phone": c["phone"], "code": c["code"], "nickname": c["nickname"]})
    client.post("/api/v1/sessions/refresh", json={"refresh": c["token"]})
    client.post("/api/v1/sessions/federated", json={"token": c["token"]})
    client.post("/admin/login/", data={"username": c["username"], "password": c["password"]})
    client.get("/api/v1/wallet", headers=me, params={"q": c["query"], "token": c["token"]})
    client.get("/api/v1/wallet", headers={"Authorization": f"Bearer {c['token']}"})
    client.patch("/api/v1/me", json={"nickname": c["nickname"]}, headers=me)
    client.get(f"/api/v1/invitations/{c['invitation']}")
    client.post("/api/v1/friendships", json={"username": c["username"]}, headers=me)
    client.post("/api/v1/players", content=c["note"].encode() + b'{"', headers={"Content-Type": "application/json"})
    season = make.SeasonFactory.create(rulebook=ONE_CARD)
    base = f"/api/v1/campaigns/{season.slug}"
    key = {"Idempotency-Key": secrets.token_hex(4)}
    client.post(f"{base}/scans", json={"code": c["scan code"]}, headers={**me, **key})
    client.get(f"/api/v1/campaigns/{c['query']}")

    # A request that fails with a 500, whose error quotes everything.
    friendship = FriendshipFactory.create()
    make.redeem(season, friendship.player)
    body = {"type": "gift", "to": str(friendship.friend.public_id), "gives": ["patriotism"]}
    giver = {"Authorization": f"Bearer {tokens.issue(friendship.player).token}", "Idempotency-Key": "canary"}
    assert client.post(f"{base}/trades", json=body, headers=giver).status_code == 500
    return token


async def _connect(url: str, token: str) -> None:
    for given in (token, CANARIES["token"]):
        with pytest.raises((Refused, Lost)):
            await Socket.open(url, given, CANARIES["query"])
