from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from accounts import errors, otp, phones, tokens
from accounts.actions import codes, invitations, messages
from accounts.models import Message, Phone, PhoneCode, Player, Referral
from tests.accounts import texting
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

MINUTE = timedelta(seconds=otp.PAUSE_S + 1)


@pytest.fixture
def number() -> str:
    return texting.number()


def _ask(phone: str) -> Any:
    return APIClient().post("/api/v1/phone-codes", {"phone": phone}, format="json")


def _sign_in(phone: str, code: str, **more: str) -> Any:
    return APIClient().post("/api/v1/sessions/phone", {"phone": phone, "code": code, **more}, format="json")


def _refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestAsking:
    def test_a_code_is_on_its_way(self, number: str):
        answer = _ask(number)
        assert answer.status_code == 202
        body = answer.json()
        assert body["retry_after_s"] == 60
        assert body["expires_at"].endswith("Z")
        assert len(texting.code_for(number)) == 6

    def test_a_player_and_a_stranger_are_answered_alike(self, number: str):
        assert _sign_in(number, texting.ask(number)).status_code == 201
        PhoneCode.objects.all().delete()
        known, unknown = _ask(number), _ask(texting.number())
        assert (known.status_code, known.json().keys()) == (unknown.status_code, unknown.json().keys())
        assert known.json()["retry_after_s"] == unknown.json()["retry_after_s"]

    def test_one_a_minute_however_it_is_spelt(self, number: str, clock: Clock):
        _ask(number)
        again = _ask(f"{number[3:6]}-{number[6:]}")
        assert _refused(again) == (429, "codes-too-often")
        assert 1 <= int(again.headers["Retry-After"]) <= 60
        clock.shift(MINUTE)
        assert _ask(number).status_code == 202

    def test_ten_a_day(self, number: str, clock: Clock):
        for _ in range(otp.MOST_A_DAY):
            last = _ask(number)
            assert last.status_code == 202
            clock.shift(MINUTE)
        assert last.json()["retry_after_s"] > 80_000
        refused = _ask(number)
        assert _refused(refused) == (429, "codes-too-often")
        assert 80_000 < int(refused.headers["Retry-After"]) <= 24 * 3600
        clock.shift(timedelta(hours=24))
        assert _ask(number).json()["retry_after_s"] == 60

    def test_what_is_no_phone_is_422(self):
        answer = _ask("010-62161111")
        assert _refused(answer) == (422, "invalid-phone")
        assert answer.json()["errors"][0]["pointer"] == "/phone"

    def test_only_a_keyed_hash_is_kept(self, number: str):
        code = texting.ask(number)
        row = PhoneCode.objects.get(number_hash=phones.hash_of(number))
        assert len(row.code_hash) == 32
        assert code not in repr(vars(row))
        message = Message.objects.get(number_hash=row.number_hash)
        assert code.encode() not in bytes(message.sealed or b"")
        assert number.encode() not in bytes(message.sealed or b"")

    @pytest.mark.parametrize(("language", "word"), [("zh-hans", "验证码"), ("en", "code")])
    def test_the_message_speaks_the_language_of_who_asks(self, number: str, language: str, word: str):
        APIClient().post("/api/v1/phone-codes", {"phone": number}, format="json", HTTP_ACCEPT_LANGUAGE=language)
        (row,) = Message.objects.filter(number_hash=phones.hash_of(number))
        assert word in messages._outgoing(row).text

    def test_an_address_gets_so_many_a_minute(self, settings: LazySettings):
        settings.PHONE_CODES_PER_MINUTE = 3
        client = APIClient(REMOTE_ADDR="198.51.100.77")
        answers = [client.post("/api/v1/phone-codes", {"phone": "x"}, format="json") for _ in range(7)]
        assert _refused(answers[-1]) == (429, "too-many-requests")


class TestSigningIn:
    def test_a_new_number_makes_a_player(self, number: str):
        answer = _sign_in(number, texting.ask(number), nickname="福娃")
        assert answer.status_code == 201
        body = answer.json()
        player = Player.objects.get(public_id=body["player"]["id"])
        assert (player.nickname, player.has_usable_password()) == ("福娃", False)
        assert tokens.player_of(body["tokens"]["access"]).player_id == player.pk
        assert phones.number_of(player.pk) == number

    def test_a_known_number_signs_its_player_in(self, number: str, clock: Clock):
        first = _sign_in(number, texting.ask(number), nickname="福娃")
        clock.shift(MINUTE)
        again = _sign_in(number[3:], texting.ask(number), nickname="another")
        assert again.json()["player"] == first.json()["player"]
        assert Phone.objects.filter(number_hash=phones.hash_of(number)).count() == 1

    def test_codes_may_be_typed_with_blanks_and_full_width(self, number: str):
        code = texting.ask(number)
        wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
        assert _sign_in(number, f" {wide[:3]} {wide[3:]}").status_code == 201

    def test_a_wrong_code_and_none_that_was_asked_for_look_the_same(self, number: str):
        code = texting.ask(number)
        wrong, unknown = _sign_in(number, texting.another(code)), _sign_in(texting.number(), "123456")
        assert _refused(wrong) == (401, "wrong-code")
        assert wrong.content == unknown.content

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "福福福福福福", "\ud83d"])
    def test_what_is_no_code(self, number: str, code: str):
        texting.ask(number)
        with pytest.raises(errors.WrongCode):
            codes.sign_in(phone=number, code=code)

    def test_a_late_code_is_told_to_who_knows_it(self, number: str, clock: Clock):
        code = texting.ask(number)
        clock.shift(timedelta(seconds=otp.LIFE_S + 1))
        assert _refused(_sign_in(number, texting.another(code))) == (401, "wrong-code")
        assert _refused(_sign_in(number, code)) == (401, "phone-code-expired")
        assert not Phone.objects.filter(number_hash=phones.hash_of(number)).exists()

    def test_a_code_is_good_once(self, number: str):
        code = texting.ask(number)
        assert _sign_in(number, code).status_code == 201
        assert _refused(_sign_in(number, code)) == (401, "code-spent")

    def test_the_newest_code_is_the_only_good_one(self, number: str, clock: Clock):
        old = texting.ask(number)
        clock.shift(MINUTE)
        new = texting.ask(number)
        if old != new:
            assert _refused(_sign_in(number, old)) == (401, "wrong-code")
        assert _sign_in(number, new).status_code == 201
        states = (
            Message.objects.filter(number_hash=phones.hash_of(number)).order_by("pk").values_list("state", "sealed")
        )
        assert [state for state, _ in states] == ["replaced", "waiting"]
        assert states[0][1] is None

    def test_five_wrong_tries_lock_the_code(self, number: str, clock: Clock):
        code = texting.ask(number)
        for _ in range(otp.MOST_TRIES):
            assert _refused(_sign_in(number, texting.another(code))) == (401, "wrong-code")
        locked = _sign_in(number, code)
        assert _refused(locked) == (429, "locked-out")
        assert 1 <= int(locked.headers["Retry-After"]) <= 60
        clock.shift(MINUTE)
        assert _sign_in(number, texting.ask(number)).status_code == 201

    def test_a_code_is_for_its_number(self, number: str):
        code, other = texting.ask(number), texting.number()
        texting.ask(other)
        with pytest.raises(errors.WrongCode):
            codes.sign_in(phone=other, code=code)

    def test_who_is_shut_out_stays_out(self, number: str, clock: Clock):
        _sign_in(number, texting.ask(number))
        Player.objects.filter(pk=phones.find(number).pk).update(is_active=False)
        clock.shift(MINUTE)
        code = texting.ask(number)
        assert _refused(_sign_in(number, texting.another(code))) == (401, "wrong-code")
        assert _refused(_sign_in(number, code)) == (403, "player-shut-out")
        assert _refused(_sign_in(number, code)) == (401, "code-spent")

    def test_a_nickname_that_is_refused_costs_no_code(self, number: str):
        code = texting.ask(number)
        assert _refused(_sign_in(number, code, nickname="\u202egnp")) == (422, "invalid-nickname")
        assert not Phone.objects.filter(number_hash=phones.hash_of(number)).exists()
        assert _sign_in(number, code).status_code == 201

    def test_an_invitation_counts_for_who_is_new(self, number: str, clock: Clock):
        alice = PlayerFactory.create()
        link, _ = invitations.create(by=alice.pk)
        code = texting.ask(number)
        assert _refused(_sign_in(number, code, invitation="nosuchcode")) == (404, "invitation-not-found")
        assert _sign_in(number, code, invitation=link.code).status_code == 201
        player = phones.find(number)
        assert Referral.objects.get(invited=player).inviter_id == alice.pk
        clock.shift(MINUTE)
        assert _sign_in(number, texting.ask(number), invitation="nosuchcode").status_code == 201

    def test_keys_of_codes_rotate(self, number: str, settings: LazySettings):
        code = texting.ask(number)
        settings.SIGN_IN_KEYS = {"k2": b"s" * 32, **settings.SIGN_IN_KEYS}
        assert _sign_in(number, code).status_code == 201

    def test_a_key_that_was_taken_out_makes_its_codes_wrong(self, number: str, settings: LazySettings):
        code = texting.ask(number)
        settings.SIGN_IN_KEYS = {"k2": b"s" * 32}
        assert _refused(_sign_in(number, code)) == (401, "wrong-code")

    @pytest.mark.parametrize("body", [{}, [], {"phone": 5, "code": {}}, {"phone": "x", "code": "1", "is_staff": True}])
    def test_a_body_of_another_shape_is_refused(self, body: Any):
        answer = APIClient().post("/api/v1/sessions/phone", body, format="json")
        assert _refused(answer) == (400, "invalid-request")


def test_an_installation_without_a_sender_offers_none_of_it(number: str, settings: LazySettings):
    settings.SMS_SENDER = "off"
    calls: list[Callable[[], Any]] = [lambda: _ask(number), lambda: _sign_in(number, "123456")]
    assert [_refused(call()) for call in calls] == [(404, "phone-sign-in-off")] * 2
    assert not PhoneCode.objects.filter(number_hash=phones.hash_of(number)).exists()
