"""A host app: a real HTTP service with keys of its own, which signs tokens for its users."""

from __future__ import annotations

import base64
import itertools
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from fortunes import clock

AUDIENCE = "five-fortunes"


# Making one takes a tenth of a second. Two apps at once, or one that rotates, have different ones.
_rsa_keys = itertools.cycle([rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(3)])


class HostApp:
    """Serves its public keys at `url`; `behave` says how well (see the handler below)."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/keys.json"
        self.issuer = f"https://{secrets.token_hex(4)}.host.example"
        self.behave = "well"
        self.asked = 0
        self.released = threading.Event()
        self.generation = 0
        self.rotate()

    def rotate(self) -> None:
        """New keys under new names; the old ones are published no more."""
        self.rsa = next(_rsa_keys)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.generation += 1

    def key_id(self, algorithm: str) -> str:
        return f"{algorithm.lower()}-{self.generation}"

    def jwks(self) -> dict[str, Any]:
        public = [
            (RSAAlgorithm.to_jwk(self.rsa.public_key(), as_dict=True), "RS256"),
            (ECAlgorithm.to_jwk(self.ec.public_key(), as_dict=True), "ES256"),
        ]
        return {"keys": [{**key, "kid": self.key_id(name), "use": "sig", "alg": name} for key, name in public]}

    def claims(self, subject: str, **others: Any) -> dict[str, Any]:
        """What the app says of a user, by the database's clock. A claim that is None is left out."""
        now = int(clock.now().timestamp())
        said = {"iss": self.issuer, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 300}
        said |= {"jti": secrets.token_hex(8), **others}
        return {name: value for name, value in said.items() if value is not None}

    def token(
        self, subject: str, algorithm: str = "ES256", *, headers: dict[str, Any] | None = None, **others: Any
    ) -> str:
        key = self.rsa if algorithm == "RS256" else self.ec
        headers = {"kid": self.key_id(algorithm)} | (headers or {})
        return jwt.encode(self.claims(subject, **others), key, algorithm=algorithm, headers=headers)

    def configuration(self, **others: Any) -> dict[str, Any]:
        said = {"slug": "host", "issuer": self.issuer, "audience": AUDIENCE, "algorithms": ["RS256", "ES256"]}
        said |= {"jwks_url": self.url, **others}
        return {name: value for name, value in said.items() if value is not None}

    def public_pem(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.rsa.public_key().public_bytes(serialization.Encoding.PEM, form)


@contextmanager
def running() -> Iterator[HostApp]:
    """A host app on a port of its own, while the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.app = app = HostApp(f"http://127.0.0.1:{server.server_address[1]}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield app
    finally:
        app.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def configured(folder: Path, *apps: dict[str, Any]) -> str:
    """A file of issuers."""
    file = folder / f"{secrets.token_hex(4)}.json"
    file.write_text(json.dumps(apps))
    return str(file)


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """A token put together by hand."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        app: HostApp = self.server.app  # type: ignore[attr-defined]
        app.asked += 1
        if app.behave == "down":
            return
        if app.behave == "hang":
            app.released.wait(30)
            return
        if app.behave == "redirect" and self.path == "/keys.json":
            self._head(302, {"Location": "/elsewhere.json"})
            return
        body = {"garbage": b"<html>", "huge": b" " * 100_000}.get(app.behave, json.dumps(app.jwks()).encode())
        self._head(500 if app.behave == "error" else 200, {"Content-Length": str(len(body))})
        if app.behave == "drip":
            self._drip(app, body)
        else:
            self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _drip(self, app: HostApp, body: bytes) -> None:
        for byte in body:
            if app.released.is_set():
                return
            self.wfile.write(bytes([byte]))
            time.sleep(0.05)

    def log_message(self, *_: Any) -> None:
        """Nothing."""
