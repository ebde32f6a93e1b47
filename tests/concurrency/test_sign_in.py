"""Sign-ups and refresh tokens under races, each with a control."""

from __future__ import annotations

import secrets
import threading
from typing import Any

import pytest
from django.db import IntegrityError

from accounts import errors, families
from accounts.actions import players, sessions
from accounts.models import Player, RefreshFamily
from tests.concurrency.together import PATIENCE_S, together
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.committed


def test_of_many_sign_ups_one_gets_the_username():
    username = f"wanted-{secrets.token_hex(4)}"
    outcomes = together(*[lambda: players.sign_up(username=username, password="six lucky carps")] * 12)
    assert sum(isinstance(outcome, errors.UsernameTaken) for outcome in outcomes) == 11
    (session,) = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
    assert Player.objects.get(username=username).public_id == session.player.id


def test_control_a_look_before_the_insert_does_not_help():
    username, looked = f"wanted-{secrets.token_hex(4)}", threading.Barrier(4)

    def look_and_insert() -> Player:
        assert not Player.objects.filter(username=username).exists()
        looked.wait(PATIENCE_S)
        return PlayerFactory.create(username=username)

    outcomes = together(*[look_and_insert] * 4)
    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 3


def test_of_many_who_spend_one_refresh_token_one_wins_and_the_family_is_revoked():
    alice = PlayerFactory.create()
    token = families.start(alice)
    outcomes = together(*[lambda: sessions.refresh(token=token)] * 16)
    (winner,) = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
    kinds = [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)]
    assert (kinds.count(errors.RefreshReused), kinds.count(errors.RefreshInvalid)) == (1, 14)
    with pytest.raises(errors.RefreshInvalid):
        sessions.refresh(token=winner.tokens.refresh)


def test_control_compared_in_python_many_win(monkeypatch: pytest.MonkeyPatch):
    alice = PlayerFactory.create()
    token = families.start(alice)
    compared = threading.Barrier(4)

    def rotate(token: str) -> Any:
        public_id, secret = families._parse(token)
        family = RefreshFamily.objects.get(public_id=public_id)
        if bytes(family.token_hash) != families._hash(secret):
            return families.Trouble.REUSED
        compared.wait(PATIENCE_S)
        family.token_hash = families._hash("following")
        family.save(update_fields=["token_hash"])
        return family.player, families._token(family.public_id, "following")

    monkeypatch.setattr(families, "rotate", rotate)
    outcomes = together(*[lambda: sessions.refresh(token=token)] * 4)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
