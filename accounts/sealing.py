"""Personal words at rest: AES-256-GCM with a key of settings.PHONE_ENCRYPTION_KEYS, bound to the row they belong to."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from fortunes import secretkeys

NONCE_BYTES = 12
# What reading raises: a key that was taken out of the ring, and what was tampered with.
UNREADABLE = (KeyError, InvalidTag)


class Sealed(NamedTuple):
    """What is stored: the id of the key, and nonce with ciphertext and tag."""

    key_id: str
    content: bytes


def seal(text: str, *, about: bytes) -> Sealed:
    """`text`, readable only together with the same `about`: a ciphertext copied to another row says nothing there."""
    key_id, key = secretkeys.current(settings.PHONE_ENCRYPTION_KEYS)
    nonce = secrets.token_bytes(NONCE_BYTES)
    return Sealed(key_id, nonce + AESGCM(key).encrypt(nonce, text.encode(), about))


def unseal(sealed: Sealed, *, about: bytes) -> str:
    """The text. Raises one of UNREADABLE."""
    content = bytes(sealed.content)
    key = settings.PHONE_ENCRYPTION_KEYS[sealed.key_id]
    return AESGCM(key).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], about).decode()
