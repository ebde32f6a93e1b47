from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from accounts import errors, families
from accounts.actions import sessions
from accounts.models import Player, RefreshFamily
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


def test_a_refresh_token_gives_the_next_pair(alice: Player):
    first = families.start(alice)
    answer = APIClient().post("/api/v1/sessions/refresh", {"refresh": first}, format="json")
    assert answer.status_code == 200
    following = answer.json()["tokens"]["refresh"]
    assert following != first
    assert sessions.refresh(token=following).tokens.refresh not in {first, following}


def test_an_old_token_revokes_its_family_and_no_other(alice: Player):
    first, other = families.start(alice), families.start(alice)
    following = sessions.refresh(token=first).tokens.refresh
    with pytest.raises(errors.RefreshReused):
        sessions.refresh(token=first)
    with pytest.raises(errors.RefreshInvalid):
        sessions.refresh(token=following)
    sessions.refresh(token=other)


def test_only_a_hash_is_kept(alice: Player):
    token = families.start(alice)
    family = RefreshFamily.objects.get(player=alice)
    assert len(family.token_hash) == 32
    assert token.partition(".")[2] not in repr(vars(family))


@pytest.mark.parametrize("token", ["x", "", ".", "a.b", "0" * 32 + ".secret", "福" * 32])
def test_what_was_never_a_token(token: str):
    with pytest.raises(errors.RefreshInvalid):
        sessions.refresh(token=token)


def test_it_expires_by_the_databases_clock(alice: Player, clock: Clock):
    token = families.start(alice)
    clock.shift(timedelta(seconds=settings.REFRESH_LIFETIME_S + 1))
    with pytest.raises(errors.RefreshExpired):
        sessions.refresh(token=token)


def test_a_shut_out_player_gets_no_more(alice: Player):
    token = families.start(alice)
    Player.objects.filter(pk=alice.pk).update(is_active=False)
    with pytest.raises(errors.RefreshInvalid):
        sessions.refresh(token=token)
