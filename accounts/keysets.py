"""The public keys of a host app (a JWK Set, RFC 7517), from a file or from its configured address.

What was read counts for ten minutes, and where nothing can be read any more for up to a day. A token that names a key
we don't know may mean that the keys were rotated: then they are read again, at most every 30 s. One thread reads;
others meanwhile use what there is, and wait only if there is nothing. An address is never taken from a token, and
redirects are not followed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from accounts.issuers import ALGORITHM_OF_KEY, Issuer
from fortunes import threads

log = logging.getLogger("fortunes.federation")

FRESH_S = 600.0
USABLE_S = 24 * 3600.0
# How soon they are asked for again, whether that went well or not.
PAUSE_S = 30.0
PATIENCE_S = 3.0
LARGEST = 64 * 1024
MOST_KEYS = 32
SHORTEST_RSA = 2048

Keys = Mapping[str, jwt.PyJWK]


class Unavailable(Exception):
    """The keys of a host app are not to be had now."""


class KeySet:
    """The keys of one issuer, as this process knows them."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self._asking = threading.Lock()
        self._keys: Keys = {}
        # By this process's monotonic clock.
        self._answered_at = self._asked_at = float("-inf")

    def key(self, key_id: str) -> jwt.PyJWK | None:
        """The key of that id; None if the host has none such. Raises Unavailable."""
        if self._age() > FRESH_S or key_id not in self._keys:
            self._ask()
        if self._age() > USABLE_S:
            raise Unavailable
        return self._keys.get(key_id)

    def _age(self) -> float:
        return time.monotonic() - self._answered_at

    def _ask(self) -> None:
        """Get the keys anew unless that was tried just now. With usable keys at hand nobody waits for another."""
        if time.monotonic() - self._asked_at < PAUSE_S and not self._asking.locked():
            return
        if not self._asking.acquire(timeout=0 if self._age() <= USABLE_S else PATIENCE_S):
            return
        try:
            # Whoever waited here finds what the first has asked meanwhile.
            if time.monotonic() - self._asked_at < PAUSE_S:
                return
            self._asked_at = time.monotonic()
            self._keys = parse(self._body(), self.issuer)
            self._answered_at = time.monotonic()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            log.warning("the keys of %s are not to be had: %r", self.issuer.slug, error)
        finally:
            self._asking.release()

    def _body(self) -> bytes:
        if self.issuer.jwks_file is not None:
            return self.issuer.jwks_file.read_bytes()
        if self.issuer.jwks_url is None:
            raise ValueError("an issuer has a file or an address")
        return download(self.issuer.jwks_url)


def download(url: str) -> bytes:
    """The body at an address, within three seconds in all. Raises httpx.HTTPError, TimeoutError or ValueError."""
    # On a loop of its own: only there can a request be given up that arrives byte by byte.
    return threads.run_loop(_download(url))


async def _download(url: str) -> bytes:
    # Not compressed: the limit is on what arrives.
    headers, body = {"Accept": "application/json", "Accept-Encoding": "identity"}, bytearray()
    async with (
        asyncio.timeout(PATIENCE_S),
        httpx.AsyncClient(timeout=PATIENCE_S) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"status {answer.status_code}")
        async for part in answer.aiter_raw():
            body += part
            if len(body) > LARGEST:
                raise ValueError("the answer is too large")
    return bytes(body)


def parse(body: bytes, issuer: Issuer) -> Keys:
    """The keys by id that may sign for this issuer. Raises ValueError if there is none."""
    try:
        listed = json.loads(body)["keys"]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("not a JWK Set") from error
    if not isinstance(listed, list):
        raise ValueError("not a JWK Set")
    keys = {}
    for entry in listed[:MOST_KEYS]:
        key = _key(entry, issuer)
        if key is not None:
            keys[str(key.key_id)] = key
    if not keys:
        raise ValueError("no key is of use here")
    return keys


def _key(entry: Any, issuer: Issuer) -> jwt.PyJWK | None:
    """A public key for signatures, with an id, of a kind that the configuration allows; others are passed over."""
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or entry.get("use", "sig") != "sig":
        return None
    algorithm = ALGORITHM_OF_KEY.get(str(entry.get("kty")))
    if algorithm not in issuer.algorithms or entry.get("alg", algorithm) != algorithm:
        return None
    try:
        key = jwt.PyJWK(entry, algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return key if _is_strong(key.key) else None


def _is_strong(key: Any) -> bool:
    if isinstance(key, RSAPublicKey):
        return key.key_size >= SHORTEST_RSA
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
