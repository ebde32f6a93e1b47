from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from accounts import errors, tokens
from accounts.actions import players
from accounts.models import Player
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db

PASSWORD = "six lucky carps"


def test_a_new_player_is_signed_in():
    answer = APIClient().post(
        "/api/v1/players", {"username": "Alice", "password": PASSWORD, "nickname": "爱丽丝"}, format="json"
    )
    assert answer.status_code == 201
    body = answer.json()
    player = Player.objects.get(username="alice")
    assert body["player"] == {"id": str(player.public_id), "username": "alice", "nickname": "爱丽丝"}
    assert tokens.player_of(body["tokens"]["access"]).player_id == player.pk
    assert body["tokens"]["access_expires_at"].endswith("Z")
    assert not player.is_staff
    assert player.check_password(PASSWORD)


def test_a_username_belongs_to_one_player():
    players.sign_up(username="alice", password=PASSWORD)
    with pytest.raises(errors.UsernameTaken):
        players.sign_up(username="ALICE", password=PASSWORD)
    assert Player.objects.filter(username="alice").count() == 1


@pytest.mark.parametrize(
    ("fields", "refusal", "pointer"),
    [
        ({"username": "a b"}, errors.InvalidUsername, "/username"),
        ({"nickname": "\u202egnp"}, errors.InvalidNickname, "/nickname"),
        ({"password": "short"}, errors.PasswordRefused, "/password"),
        ({"password": "password1"}, errors.PasswordRefused, "/password"),
        ({"password": "alice-2026"}, errors.PasswordRefused, "/password"),
    ],
)
def test_what_is_not_valid_is_refused_with_its_place(
    fields: dict[str, str], refusal: type[errors.DomainError], pointer: str
):
    with pytest.raises(refusal) as refused:
        players.sign_up(**({"username": "alice-2026", "password": PASSWORD} | fields))
    assert {problem["pointer"] for problem in refused.value.facts["errors"]} == {pointer}
    assert not Player.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"username": "alice"},
        {"username": 5.5, "password": {}},
        {"username": "alice", "password": "x" * 129},
        {"username": "alice", "password": PASSWORD, "is_staff": True},
    ],
)
def test_a_body_of_another_shape_is_refused(body: object):
    answer = APIClient().post("/api/v1/players", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
    assert not Player.objects.exists()


def test_the_database_knows_how_a_username_is_spelt():
    with pytest.raises(IntegrityError, match="player_username_spelling"), transaction.atomic():
        PlayerFactory.create(username="Not A Name")


def test_django_makes_its_superuser(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", "--username", "Keeper", verbosity=0)
    keeper = Player.objects.get_by_natural_key("KEEPER")
    assert (keeper.username, keeper.is_staff, keeper.is_superuser) == ("keeper", True, True)
