"""How many passwords are judged: exactly so many, however many come at once.

A try is taken before the password is looked at, in a transaction of its own, and given back if it was right. So a
hundred parallel tries take five places between them, and the others are refused without the cost of a hash.

Counted are username and network together, which locks out who guesses without locking out the player at home; and the
username alone, far wider, against those who guess from everywhere. Whether there is such a player makes no difference.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from django.conf import settings
from django.db.models import F

from accounts import errors
from accounts.models import Lockout
from fortunes import secretkeys, sql


class Limit(NamedTuple):
    """So many tries in a window; who has used them up waits for `lock_s`."""

    most: int
    window_s: int
    lock_s: int


FROM_ONE_NETWORK = Limit(5, 15 * 60, 15 * 60)
FROM_EVERYWHERE = Limit(50, 3600, 3600)


class Try(NamedTuple):
    """A try that was taken, by what it is counted for."""

    here: bytes
    everywhere: bytes


def take(username: str, network: str) -> Try:
    """Take a try, in the caller's transaction. Raises LockedOut."""
    taken = Try(_subject("password", username, network), _subject("password", username))
    # In this order everywhere, so that two can't wait for each other.
    _take(taken.here, FROM_ONE_NETWORK)
    _take(taken.everywhere, FROM_EVERYWHERE)
    return taken


def give_back(taken: Try) -> None:
    """It was right. Here the count begins anew; elsewhere somebody may still be guessing."""
    Lockout.objects.filter(pk=taken.here).delete()
    Lockout.objects.filter(pk=taken.everywhere, tries__gt=0).update(tries=F("tries") - 1)


def _take(subject: bytes, limit: Limit) -> None:
    params = {"subject": subject, **limit._asdict()}
    if not sql.fetch(sql.text("accounts", "take_try"), params):
        rows = sql.fetch(sql.text("accounts", "lockout_wait"), params)
        raise errors.LockedOut(retry_after_s=max(1, rows[0].seconds) if rows else 1)


def _subject(*words: str) -> bytes:
    """Hashed with a key: names and addresses are personal, and few enough to be tried out."""
    key = secretkeys.current(settings.SIGN_IN_KEYS)[1]
    return hmac.digest(key, "\0".join(("try", *words)).encode(errors="replace"), "sha256")
