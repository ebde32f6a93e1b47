"""Idempotency keys by themselves, and their forgetting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.db import transaction

from fortunes import errors, keys
from fortunes.actions import housekeeping
from fortunes.models import IdempotencyKey
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


class Answer(msgspec.Struct):
    b: int
    a: dict[str, int]


def ask(player: Any, key: str | None = "k1", body: Any = None, route: str = "things") -> keys.Request:
    return keys.request(player_id=player.pk, route=route, key=key, body=body or {"x": 1})


@pytest.mark.parametrize("key", ["a b", "é", "k" * 65, "tab\t", "\x7f", "new\nline"])
def test_what_is_no_key(key: str) -> None:
    with pytest.raises(errors.IdempotencyKeyInvalid):
        ask(PlayerFactory.create(), key)


def test_a_kept_result_is_answered_in_its_order() -> None:
    alice = PlayerFactory.create()
    with transaction.atomic():
        assert keys.claim(ask(alice), Answer) is None
        keys.keep(ask(alice), Answer(b=1, a={"z": 1, "y": 2}))

    assert list(keys.claim(ask(alice), Answer).a) == ["z", "y"]


def test_a_key_belongs_to_a_player_a_route_and_a_body() -> None:
    alice, bob = PlayerFactory.create(), PlayerFactory.create()
    assert keys.claim(ask(alice), Answer) is None

    assert keys.claim(ask(bob), Answer) is None
    assert keys.claim(ask(alice, route="others"), Answer) is None
    with pytest.raises(errors.IdempotencyKeyReused):
        keys.claim(ask(alice, body={"x": 2}), Answer)


def test_the_order_of_a_body_s_members_does_not_matter() -> None:
    alice = PlayerFactory.create()
    assert ask(alice, body={"x": 1, "y": 2}).body_hash == ask(alice, body={"y": 2, "x": 1}).body_hash


def test_a_result_is_kept_once_and_only_for_a_claimed_key() -> None:
    with pytest.raises(RuntimeError):
        keys.keep(ask(PlayerFactory.create()), Answer(b=1, a={}))


def test_keys_are_forgotten_after_48_hours(clock: Clock) -> None:
    alice = PlayerFactory.create()
    keys.claim(ask(alice, "old"), Answer)
    clock.shift(timedelta(hours=47))
    keys.claim(ask(alice, "new"), Answer)
    clock.shift(timedelta(hours=1, seconds=1))

    assert housekeeping.forget_old_keys() == 1
    assert list(IdempotencyKey.objects.filter(player=alice).values_list("key", flat=True)) == ["new"]
