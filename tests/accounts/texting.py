"""Phones in tests: numbers that nobody else has, and the codes that are on their way to them."""

from __future__ import annotations

import secrets

from accounts import phones
from accounts.actions import codes, messages
from accounts.models import Message
from tests.accounts.gateways import CODE


def number() -> str:
    """A Chinese mobile phone's, in E.164. Random, because committed rows stay for the whole session."""
    return f"+86138{secrets.randbelow(10**8):08}"


def code_for(phone: str) -> str:
    """The code in the message that waits for this number."""
    waiting = Message.objects.get(number_hash=phones.hash_of(phone), state=Message.State.WAITING)
    return CODE.search(messages._outgoing(waiting).text).group()


def ask(phone: str) -> str:
    """Ask for a code, and get it."""
    codes.ask(phone=phone)
    return code_for(phone)


def another(code: str) -> str:
    """A code that isn't this one."""
    return f"{(int(code) + 1) % 10**6:06}"
