"""Signing in by a one-time code that is sent to a phone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import answers, errors, otp, phones
from accounts.actions import messages, players, sessions
from accounts.models import Player
from fortunes import sql
from fortunes.answers import instant


def ask(*, phone: str) -> answers.PhoneCodeAnswer:
    """Send a new code to a number; the one before is worth nothing any more.

    Nothing depends on whether a player has this number. Raises InvalidPhone, CodesTooOften or PhoneSignInOff.
    """
    _require_offered()
    number = phones.normalise(phone)
    code, number_hash = otp.new(), phones.hash_of(number)
    key_id, code_hash = otp.hashed(code, number_hash)
    limits = {"number": number_hash, "pause_s": otp.PAUSE_S, "day_s": otp.DAY_S, "most": otp.MOST_A_DAY}
    with transaction.atomic(durable=True):
        kept = {**limits, "code": code_hash, "key": key_id, "life_s": otp.LIFE_S}
        rows = sql.fetch(sql.text("accounts", "ask_code"), kept)
        wait_s = sql.fetch(sql.text("accounts", "code_wait"), limits)[0].seconds
        if not rows:
            raise errors.CodesTooOften(retry_after_s=wait_s)
        text = _("%(code)s is your code for Five Fortunes. It is good for five minutes. Tell it to nobody.")
        messages.write(
            number=number, number_hash=number_hash, text=text % {"code": code}, expires_at=rows[0].expires_at
        )
    return answers.PhoneCodeAnswer(expires_at=instant(rows[0].expires_at), retry_after_s=wait_s)


def sign_in(*, phone: str, code: str, nickname: str = "", invitation: str = "") -> answers.SessionAnswer:
    """A new session of the player with this number, who is made if there is none yet.

    `nickname` and `invitation` are a new player's. Raises InvalidPhone, WrongCode, PhoneCodeExpired, CodeSpent,
    LockedOut, PlayerShutOut, InvalidNickname, InvitationNotFound or PhoneSignInOff.
    """
    _require_offered()
    number = phones.normalise(phone)
    number_hash = phones.hash_of(number)
    found = _try(number_hash)
    if not otp.is_right(code, number_hash, key_id=found.key_id, code_hash=bytes(found.code_hash)):
        raise errors.WrongCode
    if found.used_at is not None:
        raise errors.CodeSpent
    if found.late:
        raise errors.PhoneCodeExpired
    with transaction.atomic(durable=True):
        if not sql.execute(sql.text("accounts", "use_code"), {"id": found.id, "code": found.code_hash}):
            raise errors.CodeSpent
        # From here on until commit nobody else signs in with this number: its code's row is locked.
        player = phones.find(number) or _arrive(number, nickname, invitation)
        if player.is_active:
            return sessions.begin(player)
    raise errors.PlayerShutOut


def _try(number_hash: bytes) -> Any:
    """Take one of the code's tries. Committed before the code is compared, and not given back: it lives five minutes.

    Raises WrongCode if none was asked for, and LockedOut if its tries are used up.
    """
    params = {"number": number_hash, "most": otp.MOST_TRIES}
    with transaction.atomic(durable=True):
        rows = sql.fetch(sql.text("accounts", "try_code"), params)
        if rows:
            return rows[0]
        params = {**params, "pause_s": otp.PAUSE_S, "day_s": otp.DAY_S, "most": otp.MOST_A_DAY}
        waits = sql.fetch(sql.text("accounts", "code_wait"), params)
    if not waits:
        raise errors.WrongCode
    raise errors.LockedOut(retry_after_s=waits[0].seconds)


def _arrive(number: str, nickname: str, invitation: str) -> Player:
    player = players.arrive(nickname=nickname, invitation=invitation)
    phones.attach(player.pk, number)
    return player


def _require_offered() -> None:
    if settings.SMS_SENDER == "off":
        raise errors.PhoneSignInOff
