"""docs/push.md says what is sent, and its recipe verifies that."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts import webhooks
from accounts.actions import notifications
from accounts.models import Player
from fortunes import events
from tests.plugins.clock import Clock
from tests.pushes import away
from tests.pushes.receivers import Receiver

PAGE = (settings.BASE_DIR / "docs" / "push.md").read_text(encoding="utf-8")
BODY, CHOICE = re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
HEADER = re.search(r"^Fortunes-Signature: (.*)$", PAGE, re.MULTILINE).group(1)
KEY_ID, KEY = re.search(r"with the key `(\w+)`, `([0-9a-f]{64})`", PAGE).groups()
SENT_AT = int(HEADER.split(",")[0].removeprefix("t="))

Verified = Callable[..., bool]


@pytest.fixture
def verified() -> Verified:
    """The recipe, as somebody copies it."""
    (recipe,) = re.findall(r"```python\n(.*?)\n```", PAGE, re.DOTALL)
    copied: dict[str, Any] = {}
    exec(recipe, copied)
    return copied["verified"]


class TestRecipe:
    @pytest.mark.parametrize("late", [0, 299, -299])
    def test_it_verifies_the_example(self, verified: Verified, late: int):
        assert verified(BODY.encode(), HEADER, {KEY_ID: KEY}, now=SENT_AT + late)

    @pytest.mark.parametrize("late", [301, -301, 10**9])
    def test_not_outside_of_the_window(self, verified: Verified, late: int):
        assert not verified(BODY.encode(), HEADER, {KEY_ID: KEY}, now=SENT_AT + late)

    def test_not_another_body(self, verified: Verified):
        assert not verified(BODY.replace("user-7", "user-8").encode(), HEADER, {KEY_ID: KEY}, now=SENT_AT)

    def test_not_another_time(self, verified: Verified):
        header = HEADER.replace(str(SENT_AT), str(SENT_AT + 600))
        assert not verified(BODY.encode(), header, {KEY_ID: KEY}, now=SENT_AT + 600)

    @pytest.mark.parametrize("header", ["", "t=1", "t=x,k=k1,v=1", "t=²,k=k1,v=1", "k=k1,v=", f"t={SENT_AT},k=k9,v=00"])
    def test_not_what_is_no_signature(self, verified: Verified, header: str):
        assert not verified(BODY.encode(), header, {KEY_ID: KEY}, now=SENT_AT)

    @pytest.mark.django_db
    def test_it_verifies_what_is_sent(self, verified: Verified, service: Receiver, alice: Player, clock: Clock):
        away.ask(alice)
        away.tell(clock)
        (delivery,) = service.arrived
        said = StringIO()
        call_command("push_secret", "host", stdout=said)
        header, now = delivery.headers["fortunes-signature"], clock.now().timestamp()
        assert verified(delivery.body, header, json.loads(said.getvalue()), now=now)
        others = {key_id: key.hex() for key_id, key in webhooks.keys_of("wallet")}
        assert not verified(delivery.body, header, others, now=now), "another app's key"


class TestExample:
    def test_it_is_what_would_be_sent(self):
        news = msgspec.json.decode(BODY, type=webhooks.News)
        assert msgspec.json.encode(news).decode() == BODY
        for item in news.events:
            msgspec.convert(item.data, events.TYPES[item.event], strict=False)
            assert set(item.data) == set(events.TYPES[item.event].__struct_fields__)

    def test_fields_are_explained(self):
        table = PAGE.split("| field | meaning |")[1].split("\n\n")[0]
        assert re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in table.splitlines() if "`" in line)) == [
            *webhooks.News.__struct_fields__
        ]

    def test_types_are_listed(self):
        told = PAGE.split("## What is told, and when")[1].split("Nothing that the user did")[0]
        assert set(re.findall(r"`([a-z.]+)`", told)) == set(notifications.types())

    def test_what_users_choose(self):
        assert set(json.loads(CHOICE)) == set(notifications.CHOSEN)


class TestSecrets:
    def test_an_app_without_a_push_service_has_none(self, service: Receiver):
        with pytest.raises(CommandError, match="no push_url"):
            call_command("push_secret", "wallet")

    def test_a_web_process_has_none(self, service: Receiver, settings: Settings):
        settings.PUSH_KEYS = {}
        with pytest.raises(CommandError, match="workers' file"):
            call_command("push_secret", "host")

    @pytest.mark.django_db
    def test_keys_rotate(self, service: Receiver, alice: Player, clock: Clock, settings: Settings):
        old = dict(webhooks.keys_of("host"))
        settings.PUSH_KEYS = {"k2": b"2" * 32, **settings.PUSH_KEYS}
        away.ask(alice)
        away.tell(clock)
        (delivery,) = service.arrived
        assert ",k=k2," in delivery.headers["fortunes-signature"] and delivery.is_signed()
        assert dict(webhooks.keys_of("host")) == {**old, "k2": webhooks.keys_of("host")[0][1]}
