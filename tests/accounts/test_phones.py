from __future__ import annotations

from io import StringIO

import pytest
from cryptography.exceptions import InvalidTag
from django.conf import LazySettings
from django.core.management import call_command
from django.db import IntegrityError, transaction

from accounts import errors, phones, sealing
from accounts.actions import housekeeping
from accounts.models import Message, Phone, PhoneCode, Player
from tests.accounts import texting
from tests.factories.accounts import PlayerFactory

NUMBER = "+8613800138000"


@pytest.mark.parametrize(
    "typed",
    [
        "13800138000",
        "138 0013 8000",
        " 138-0013-8000 ",
        "(138) 0013-8000",
        "138.0013.8000",
        "013800138000",
        "8613800138000",
        "86 138 0013 8000",
        "+8613800138000",
        "+86 138 0013 8000",
        "+86-138-0013-8000",
        "+86 (0) 13800138000",
        "008613800138000",
        "tel:+8613800138000",
        "１３８００１３８０００",
        "＋８６　１３８　００１３　８０００",
        "１３８－００１３－８０００",
        "（138）00138000",
        "138\u00a00013\u20028000",
    ],
)
def test_a_number_in_a_dozen_spellings_is_one(typed: str):
    assert phones.normalise(typed) == NUMBER


@pytest.mark.parametrize(
    ("typed", "number"),
    [("+852 9123 4567", "+85291234567"), ("+44 7911 123456", "+447911123456"), ("+1 415 555 2671", "+14155552671")],
)
def test_numbers_of_other_countries_name_them(typed: str, number: str):
    assert phones.normalise(typed) == number


def test_the_region_is_the_installations(settings: LazySettings):
    settings.PHONE_REGION = "GB"
    assert phones.normalise("07911 123456") == "+447911123456"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "+",
        "12345",
        "1380013800",
        "138001380000",
        "010-62161111",
        "+86 10 6216 1111",
        "110",
        "13800138000 ext. 5",
        "13800138000;ext=5",
        "1380013800a",
        "1-800-FLOWERS",
        "一三八〇〇一三八〇〇〇",
        "+999 123456789",
        "13800138000,13800138001",
        "13800138000\x00",
        "+" * 40,
        "９" * 40,
    ],
)
def test_what_is_no_mobile_phone_is_refused_with_its_place(typed: str):
    with pytest.raises(errors.InvalidPhone) as refused:
        phones.normalise(typed)
    assert refused.value.facts["errors"][0]["pointer"] == "/phone"


@pytest.mark.django_db
class TestKeeping:
    def _attach(self, player: Player, number: str) -> Phone:
        with transaction.atomic():
            phones.attach(player.pk, number)
        return Phone.objects.get(pk=player.pk)

    def test_it_is_found_and_read_again(self):
        alice, number = PlayerFactory.create(), texting.number()
        assert phones.find(number) is None
        assert phones.number_of(alice.pk) is None
        self._attach(alice, number)
        assert phones.find(number) == alice
        assert phones.number_of(alice.pk) == number

    def test_nothing_readable_is_stored(self):
        number = texting.number()
        row = self._attach(PlayerFactory.create(), number)
        for digits in (number, number[3:]):
            assert digits.encode() not in bytes(row.sealed) + bytes(row.number_hash)
        assert len(row.number_hash) == 32
        assert bytes(row.sealed) != bytes(sealing.seal(number, about=b"phone of 1").content)

    def test_one_number_is_one_players(self):
        number = texting.number()
        self._attach(PlayerFactory.create(), number)
        with pytest.raises(RuntimeError):
            self._attach(PlayerFactory.create(), number)

    def test_a_row_that_is_moved_to_another_player_says_nothing(self):
        alice, bob, number = PlayerFactory.create(), PlayerFactory.create(), texting.number()
        self._attach(alice, number)
        Phone.objects.filter(pk=alice.pk).update(player=bob)
        with pytest.raises(InvalidTag):
            phones.number_of(bob.pk)

    def test_a_number_is_forgotten_with_all_that_is_kept_by_it(self):
        alice, number = PlayerFactory.create(), texting.number()
        self._attach(alice, number)
        texting.ask(number)
        phones.forget(alice.pk)
        kept = phones.hash_of(number)
        assert not Phone.objects.filter(number_hash=kept).exists()
        assert not PhoneCode.objects.filter(number_hash=kept).exists()
        assert not Message.objects.filter(number_hash=kept).exists()
        phones.forget(alice.pk)

    def test_keys_rotate(self, settings: LazySettings, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(housekeeping, "BATCH", 2)
        people = {texting.number(): player for player in PlayerFactory.create_batch(5)}
        for number, player in people.items():
            self._attach(player, number)
        settings.PHONE_HASH_KEYS = {"k2": b"h" * 32, **settings.PHONE_HASH_KEYS}
        settings.PHONE_ENCRYPTION_KEYS = {"k2": b"e" * 32, **settings.PHONE_ENCRYPTION_KEYS}
        assert all(phones.find(number) == player for number, player in people.items())
        said = StringIO()
        call_command("rekey_phones", stdout=said)
        assert said.getvalue() == "5 numbers are under the current keys now\n"
        settings.PHONE_HASH_KEYS = {"k2": b"h" * 32}
        settings.PHONE_ENCRYPTION_KEYS = {"k2": b"e" * 32}
        for number, player in people.items():
            assert phones.find(number) == player
            assert phones.number_of(player.pk) == number
        assert housekeeping.rekey_phones() == 0

    def test_words_of_a_sent_message_can_not_be_kept(self):
        texting.ask(number := texting.number())
        row = Message.objects.filter(number_hash=phones.hash_of(number))
        with pytest.raises(IntegrityError, match="message_erased"), transaction.atomic():
            row.update(state=Message.State.SENT)
