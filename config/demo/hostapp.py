"""The host app that some of the simulated players come from: it has keys of its own and signs for its users."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ISSUER, AUDIENCE, KEY_ID = "https://wallet.example", "five-fortunes", "demo"
LIFETIME_S = 120


class HostApp:
    """One that `founded` has made in a folder; the servers read its public key there."""

    def __init__(self, folder: Path) -> None:
        self._key = (folder / "key.pem").read_bytes()

    def token(self, user: str) -> str:
        """What the app hands to its own client for a user: good once, for two minutes."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": user, "iat": now, "exp": now + LIFETIME_S, "jti": str(uuid4())}
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": KEY_ID})


def found(folder: Path) -> Path:
    """Make an app's keys, and the file for FEDERATION_FILE that names them."""
    folder.mkdir(mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    issuer = {
        "slug": "wallet", "issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["ES256"], "jwks_file": "keys.json"
    }  # fmt: skip
    (folder / "key.pem").write_bytes(private)
    (folder / "keys.json").write_text(json.dumps({"keys": [public | {"kid": KEY_ID, "alg": "ES256", "use": "sig"}]}))
    (folder / "issuers.json").write_text(json.dumps([issuer]))
    return folder / "issuers.json"


def known() -> HostApp | None:
    """The app that the servers of this environment know, if it is one of ours."""
    file = os.environ.get("FEDERATION_FILE")
    return HostApp(Path(file).parent) if file and (Path(file).parent / "key.pem").exists() else None
