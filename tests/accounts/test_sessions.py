"""Sessions: seen, ended one by one or all, and what their tokens are worth then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from accounts import errors, families, tokens
from accounts.actions import housekeeping, sessions
from accounts.models import Player, RefreshFamily
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

SESSIONS = "/api/v1/sessions"


@pytest.fixture(autouse=True)
def _ask_every_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a process remembers for two seconds has tests of its own."""
    monkeypatch.setattr(tokens, "REMEMBER_S", 0.0)
    yield
    tokens._known.clear()


class Device:
    """Somewhere a player is signed in."""

    def __init__(self, player: Player) -> None:
        self.session = sessions.begin(player)
        self.id = str(families.id_of(self.session.tokens.refresh))
        self.client = APIClient()
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {self.session.tokens.access}")

    def get(self, path: str = "/api/v1/me") -> Any:
        return self.client.get(path)

    def is_in(self) -> bool:
        answer = self.get()
        assert answer.status_code in (200, 401)
        return answer.status_code == 200

    def listed(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get(SESSIONS).json()["items"]
        return items


def test_an_access_token_names_its_session(alice: Player):
    device = Device(alice)
    assert str(tokens.player_of(device.session.tokens.access).session) == device.id
    following = sessions.refresh(token=device.session.tokens.refresh)
    assert str(tokens.player_of(following.tokens.access).session) == device.id


def test_devices_are_listed_newest_first(alice: Player, bob: Player):
    phone, tablet = Device(alice), Device(alice)
    Device(bob)
    listed = phone.listed()
    assert [(item["id"], item["current"]) for item in listed] == [(tablet.id, False), (phone.id, True)]
    assert all(item[name].endswith("Z") for item in listed for name in ("signed_in_at", "refreshed_at", "expires_at"))


def test_signing_out_ends_this_device_and_no_other(alice: Player):
    phone, tablet = Device(alice), Device(alice)
    assert phone.client.delete(f"{SESSIONS}/current").status_code == 204
    assert (phone.is_in(), tablet.is_in()) == (False, True)
    with pytest.raises(errors.RefreshInvalid):
        sessions.refresh(token=phone.session.tokens.refresh)
    assert [item["id"] for item in tablet.listed()] == [tablet.id]


def test_another_device_can_be_signed_out(alice: Player):
    phone, tablet = Device(alice), Device(alice)
    assert phone.client.delete(f"{SESSIONS}/{tablet.id}").status_code == 204
    assert (phone.is_in(), tablet.is_in()) == (True, False)
    again = phone.client.delete(f"{SESSIONS}/{tablet.id}")
    assert (again.status_code, again.json()["code"]) == (404, "session-not-found")


def test_another_players_device_looks_like_none(alice: Player, bob: Player):
    phone, of_bob = Device(alice), Device(bob)
    theirs, nobodys = (phone.client.delete(f"{SESSIONS}/{session}") for session in (of_bob.id, uuid4()))
    assert (theirs.status_code, theirs.content) == (404, nobodys.content)
    assert of_bob.is_in()


def test_everywhere(alice: Player, bob: Player):
    phone, tablet, of_bob = Device(alice), Device(alice), Device(bob)
    assert phone.client.delete(SESSIONS).status_code == 204
    assert (phone.is_in(), tablet.is_in(), of_bob.is_in()) == (False, False, True)


def test_a_token_without_a_session_has_none_to_end(alice: Player, client_of: Callable[[Player], APIClient]):
    answer = client_of(alice).delete(f"{SESSIONS}/current")
    assert (answer.status_code, answer.json()["code"]) == (404, "session-not-found")


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("delete", ""), ("delete", "/current")])
def test_who_is_not_signed_in_has_no_sessions(method: str, path: str):
    answer = getattr(APIClient(), method)(SESSIONS + path)
    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


def test_to_sign_in_no_old_token_is_looked_at():
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer rubbish")
    answer = client.post(SESSIONS, {"username": "nobody-at-all", "password": "x"}, format="json")
    assert answer.json()["code"] == "wrong-credentials"


def test_a_refresh_token_used_twice_ends_the_access_tokens_too(alice: Player):
    phone = Device(alice)
    sessions.refresh(token=phone.session.tokens.refresh)
    with pytest.raises(errors.RefreshReused):
        sessions.refresh(token=phone.session.tokens.refresh)
    assert not phone.is_in()


def test_a_session_of_another_player_does_not_carry_a_token(alice: Player, bob: Player):
    forged = tokens.issue(alice, families.id_of(Device(bob).session.tokens.refresh))
    with pytest.raises(errors.TokenInvalid):
        tokens.player_of(forged.token)


def test_what_is_remembered_is_remembered_by_session(alice: Player, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tokens, "REMEMBER_S", 60.0)
    phone, tablet = Device(alice), Device(alice)
    assert phone.is_in()
    tablet.client.delete(f"{SESSIONS}/current")
    tokens._known.pop((alice.public_id, tokens.player_of(phone.session.tokens.access).session))
    assert phone.is_in()


def test_expired_sessions_are_not_listed_and_swept_later(alice: Player, clock: Clock, settings: LazySettings):
    Device(alice)
    clock.shift(timedelta(seconds=settings.REFRESH_LIFETIME_S + 1))
    assert not sessions.of(player_id=alice.pk).exists()
    housekeeping.forget_old()
    assert RefreshFamily.objects.filter(player=alice).count() == 1
    clock.shift(timedelta(days=1))
    device = Device(alice)
    housekeeping.forget_old()
    assert [str(row.public_id) for row in RefreshFamily.objects.filter(player=alice)] == [device.id]


def test_sweeps_go_on_until_all_is_gone(alice: Player, clock: Clock, settings: LazySettings, monkeypatch):
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    for _ in range(5):
        families.start(alice)
    clock.shift(timedelta(seconds=settings.REFRESH_LIFETIME_S, days=1, minutes=1))
    assert housekeeping.forget_old() == 5


class TestRenaming:
    def test_a_nickname_is_changed(self, alice: Player, client_of: Callable[[Player], APIClient]):
        answer = client_of(alice).patch("/api/v1/me", {"nickname": " 爱丽丝 "}, format="json")
        assert (answer.status_code, answer.json()["nickname"]) == (200, "爱丽丝")
        assert client_of(alice).get("/api/v1/me").json() == answer.json()

    def test_and_taken_away(self, alice: Player, client_of: Callable[[Player], APIClient]):
        assert client_of(alice).patch("/api/v1/me", {"nickname": ""}, format="json").json()["nickname"] == ""

    @pytest.mark.parametrize(
        ("body", "refusal"),
        [
            ({"nickname": "\u202egnp"}, (422, "invalid-nickname")),
            ({"nickname": "x" * 25}, (422, "invalid-nickname")),
            ({"nickname": "x" * 61}, (400, "invalid-request")),
            ({}, (400, "invalid-request")),
            ({"nickname": "x", "username": "boss"}, (400, "invalid-request")),
        ],
    )
    def test_what_is_refused(self, alice: Player, client_of: Callable, body: Any, refusal: tuple[int, str]):
        answer = client_of(alice).patch("/api/v1/me", body, format="json")
        assert (answer.status_code, answer.json()["code"]) == refusal
        alice.refresh_from_db()
        assert alice.nickname == "Alice"
