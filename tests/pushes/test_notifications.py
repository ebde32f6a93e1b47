"""How one wants to be told of events while away, over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import NotificationSettings, Player

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/me/notifications"
CHOSEN: dict[str, Any] = {
    "enabled": True,
    "muted": ["gift.received", "friendship.asked"],
    "quiet_from": "22:30",
    "quiet_to": "07:00",
    "tz": "America/New_York",
}

Clients = Callable[[Player], APIClient]


@pytest.fixture
def client(alice: Player, client_of: Clients) -> APIClient:
    return client_of(alice)


def put(client: APIClient, **changes: Any) -> Any:
    return client.put(ADDRESS, {**CHOSEN, **changes}, format="json")


def test_by_default(client: APIClient, settings: Settings):
    settings.PUSH_QUIET_HOURS, settings.PUSH_TIME_ZONE = "23:15-06:45", "Asia/Shanghai"
    said = client.get(ADDRESS).json()
    types = said.pop("types")
    assert said == {
        "enabled": True, "muted": [], "quiet_from": "23:15", "quiet_to": "06:45", "tz": "Asia/Shanghai",
    }  # fmt: skip
    assert {"gift.received", "friendship.asked", "compensation.paid"} <= set(types)
    assert not {"gift.sent", "campaign.opened"} & set(types)
    assert not NotificationSettings.objects.exists()


def test_chosen(client: APIClient, bob: Player, client_of: Clients):
    answer = put(client)
    assert answer.status_code == 200
    assert answer.json() == {**CHOSEN, "muted": sorted(CHOSEN["muted"]), "types": answer.json()["types"]}
    assert client.get(ADDRESS).json() == answer.json()
    assert put(client).json() == answer.json(), "twice is once"
    assert client_of(bob).get(ADDRESS).json()["muted"] == [], "everybody for themselves"


def test_without_quiet_hours(client: APIClient):
    said = put(client, quiet_from=None, quiet_to=None).json()
    assert (said["quiet_from"], said["quiet_to"]) == (None, None)
    assert client.get(ADDRESS).json() == said


def test_a_type_twice_is_once(client: APIClient):
    assert put(client, muted=["gift.received"] * 3).json()["muted"] == ["gift.received"]


@pytest.mark.parametrize("left_out", CHOSEN)
def test_all_of_it_is_told(client: APIClient, left_out: str):
    body = {name: value for name, value in CHOSEN.items() if name != left_out}
    answer = client.put(ADDRESS, body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
    assert answer.json()["errors"][0]["pointer"] == f"/{left_out}"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"enabled": "yes"}, "/enabled"),
        ({"enabled": 1}, "/enabled"),
        ({"enabled": None}, "/enabled"),
        ({"muted": "gift.received"}, "/muted"),
        ({"muted": [7]}, "/muted"),
        ({"muted": None}, "/muted"),
        ({"muted": ["gift.received"] * 51}, "/muted"),
        ({"quiet_from": "24:00"}, "/quiet_from"),
        ({"quiet_from": "9:00"}, "/quiet_from"),
        ({"quiet_from": "22:00:00"}, "/quiet_from"),
        ({"quiet_from": ""}, "/quiet_from"),
        ({"quiet_to": 7}, "/quiet_to"),
        ({"tz": None}, "/tz"),
        ({"tz": 8}, "/tz"),
        ({"devices": []}, "/devices"),
    ],
)
def test_what_it_may_not_look_like(client: APIClient, changes: dict[str, Any], pointer: str):
    answer = put(client, **changes)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)
    assert not NotificationSettings.objects.exists()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"muted": ["friendship.asked", "gift.sent"]}, "/muted/1"),
        ({"muted": ["of tomorrow"]}, "/muted/0"),
        ({"quiet_from": None}, "/quiet_from"),
        ({"quiet_to": None}, "/quiet_to"),
        ({"quiet_to": "22:30"}, "/quiet_to"),
        ({"tz": "Mars/Olympus"}, "/tz"),
        ({"tz": "../../etc/passwd"}, "/tz"),
        ({"tz": "asia/shanghai"}, "/tz"),
    ],
)
@pytest.mark.parametrize(("language", "title"), [("en", "Mute types of events"), ("zh-hans", "")])
def test_what_it_may_not_say(client: APIClient, changes: dict[str, Any], pointer: str, language: str, title: str):
    answer = client.put(ADDRESS, {**CHOSEN, **changes}, format="json", headers={"Accept-Language": language})
    body = answer.json()
    assert (answer.status_code, body["code"], body["errors"][0]["pointer"]) == (422, "invalid-notifications", pointer)
    assert body["title"].startswith(title)
    assert not NotificationSettings.objects.exists()


def test_only_for_players_who_are_signed_in():
    assert APIClient().get(ADDRESS).status_code == 401
    assert APIClient().put(ADDRESS, CHOSEN, format="json").status_code == 401
