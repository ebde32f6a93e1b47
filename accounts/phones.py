"""Phone numbers: one spelling for the many that people type, and how they are kept.

A number is found by a keyed hash (HMAC-SHA256): there are so few numbers that a plain one could be tried out. What has
to be read again, to export it, is sealed.
"""

from __future__ import annotations

import hmac
import re
import unicodedata

import phonenumbers
from django.conf import settings
from django.db.models import QuerySet
from phonenumbers import PhoneNumberType

from accounts import errors, sealing
from accounts.models import Message, Phone, PhoneCode, Player
from fortunes import secretkeys, sql

LONGEST = 40
MOBILES = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
# What may stand in a number besides its digits. No letters: the library would take them for the digits on their keys.
_TYPED = re.compile(r"(tel:)?\+?[\d\s().\-–—・/]+")


def normalise(typed: str) -> str:
    """A mobile phone's number in E.164, as in `+8613800138000`. Raises InvalidPhone."""
    plain = unicodedata.normalize("NFKC", typed).strip()
    if not _TYPED.fullmatch(plain):
        raise _invalid()
    try:
        number = phonenumbers.parse(plain, settings.PHONE_REGION)
    except phonenumbers.NumberParseException as error:
        raise _invalid() from error
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in MOBILES:
        raise _invalid()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def hash_of(number: str) -> bytes:
    """The hash under the current key, by which one-time codes are kept."""
    return _hash(secretkeys.current(settings.PHONE_HASH_KEYS)[1], number)


def find(number: str) -> Player | None:
    """Whose number it is, stored under whichever key of the ring."""
    hashes = [_hash(key, number) for key in settings.PHONE_HASH_KEYS.values()]
    phone = Phone.objects.select_related("player").filter(number_hash__in=hashes).first()
    return phone.player if phone else None


def attach(player_id: int, number: str) -> None:
    """Keep a number that this player has shown to have, in the caller's transaction."""
    key_id, key = secretkeys.current(settings.PHONE_HASH_KEYS)
    sealed = sealing.seal(number, about=_about(player_id))
    fields = {"player": player_id, "hash": _hash(key, number), "hash_key": key_id}
    fields |= {"sealed": sealed.content, "seal_key": sealed.key_id}
    if not sql.execute(sql.text("accounts", "attach_phone"), fields):
        raise RuntimeError("this number got a player while its code was locked")


def number_of(player_id: int) -> str | None:
    """A player's number, for the player's own eyes; None if they have given none."""
    phone = Phone.objects.filter(pk=player_id).first()
    return _number(phone) if phone else None


def forget(player_id: int) -> None:
    """Erase a player's number with everything that is kept by it, in the caller's transaction."""
    number = number_of(player_id)
    if number is not None:
        hashes = [_hash(key, number) for key in settings.PHONE_HASH_KEYS.values()]
        # In the order in which they are written, so that the two don't wait for each other.
        PhoneCode.objects.filter(number_hash__in=hashes).delete()
        Message.objects.filter(number_hash__in=hashes).delete()
        Phone.objects.filter(pk=player_id).delete()


def kept_under_old_keys() -> QuerySet[Phone]:
    """Numbers that are stored under another key than the current ones."""
    hash_key_id, seal_key_id = (
        secretkeys.current(ring)[0] for ring in (settings.PHONE_HASH_KEYS, settings.PHONE_ENCRYPTION_KEYS)
    )
    return Phone.objects.exclude(hash_key_id=hash_key_id, seal_key_id=seal_key_id)


def rekey(phone: Phone) -> None:
    """Store a number under the current keys, in the caller's transaction."""
    hash_key_id, key = secretkeys.current(settings.PHONE_HASH_KEYS)
    number = _number(phone)
    sealed = sealing.seal(number, about=_about(phone.pk))
    Phone.objects.filter(pk=phone.pk).update(
        number_hash=_hash(key, number), hash_key_id=hash_key_id, sealed=sealed.content, seal_key_id=sealed.key_id
    )


def _number(phone: Phone) -> str:
    return sealing.unseal(sealing.Sealed(phone.seal_key_id, bytes(phone.sealed)), about=_about(phone.pk))


def _hash(key: bytes, number: str) -> bytes:
    return hmac.digest(key, b"phone\0" + number.encode(), "sha256")


def _about(player_id: int) -> bytes:
    return f"phone of {player_id}".encode()


def _invalid() -> errors.InvalidPhone:
    fault = {"pointer": "/phone", "code": "invalid", "detail": str(errors.InvalidPhone.title)}
    return errors.InvalidPhone(errors=[fault])
