"""The host apps whose tokens sign their users in, as configured. Pure.

The file is a JSON list with an object for each issuer:

    {"slug": "wallet", "issuer": "https://id.example.com", "audience": "five-fortunes", "algorithms": ["ES256"],
     "jwks_url": "https://id.example.com/keys.json", "nickname_claim": "nickname"}

`slug` is our name for it. The keys come from `jwks_url` or from `jwks_file`, which is relative to the list's folder.
`nickname_claim` may be left out, and so may `push_url`, the address of its push service (docs/push.md).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# What a key of each kind signs with, and nothing else: so a public key is never taken for an HMAC secret.
ALGORITHM_OF_KEY = {"RSA": "RS256", "EC": "ES256"}
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
REQUIRED = {"slug", "issuer", "audience", "algorithms"}
OPTIONAL = {"jwks_file", "jwks_url", "nickname_claim", "push_url"}


class IssuersError(ValueError):
    """The configuration is not valid; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A host app: what its tokens must say, and where its public keys are."""

    slug: str
    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    jwks_file: Path | None = None
    jwks_url: str | None = None
    nickname_claim: str | None = None
    push_url: str | None = None


def read(path: Path, *, plain_http: bool) -> tuple[Issuer, ...]:
    """The issuers of a file; addresses may be http:// only where `plain_http` says so. Raises IssuersError."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise IssuersError(f"{path} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise IssuersError(f"{path} is not JSON: {error}") from error
    if not isinstance(entries, list):
        raise IssuersError(f"{path}: a list of issuers is expected")
    found = tuple(
        _issuer(entry, place=f"{path}, issuer {number}", folder=path.parent, plain_http=plain_http)
        for number, entry in enumerate(entries, start=1)
    )
    for name in ("slug", "issuer"):
        values = [getattr(issuer, name) for issuer in found]
        if len(set(values)) < len(values):
            raise IssuersError(f"{path}: two issuers have the same {name}")
    return found


def _issuer(entry: Any, *, place: str, folder: Path, plain_http: bool) -> Issuer:
    if not isinstance(entry, dict):
        raise IssuersError(f"{place}: an object is expected")
    if missing := sorted(REQUIRED - set(entry)):
        raise IssuersError(f"{place}: missing {', '.join(missing)}")
    if unknown := sorted(set(entry) - REQUIRED - OPTIONAL):
        raise IssuersError(f"{place}: unknown {', '.join(unknown)}")
    for name, value in entry.items():
        if name != "algorithms" and not (isinstance(value, str) and value):
            raise IssuersError(f"{place}: {name} must be a text that is not empty")
    if not SLUG.fullmatch(entry["slug"]):
        raise IssuersError(f"{place}: slug must be 1 to 32 of a-z, 0-9 and dash")
    file, url, push_url = entry.get("jwks_file"), entry.get("jwks_url"), entry.get("push_url")
    if (file is None) == (url is None):
        raise IssuersError(f"{place}: give either jwks_file or jwks_url")
    return Issuer(
        slug=entry["slug"],
        issuer=entry["issuer"],
        audience=entry["audience"],
        algorithms=_algorithms(entry["algorithms"], place),
        jwks_file=folder / file if file else None,
        jwks_url=_address("jwks_url", url, place, plain_http) if url else None,
        nickname_claim=entry.get("nickname_claim"),
        push_url=_address("push_url", push_url, place, plain_http) if push_url else None,
    )


def _algorithms(names: Any, place: str) -> tuple[str, ...]:
    known = sorted(ALGORITHM_OF_KEY.values())
    if not isinstance(names, list) or not names or not all(name in known for name in names):
        raise IssuersError(f"{place}: algorithms must be some of {', '.join(known)}")
    return tuple(names)


def _address(name: str, url: str, place: str, plain_http: bool) -> str:
    try:
        parts = urlsplit(url)
        # A port that is none is only noticed when it is asked for.
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise IssuersError(f"{place}: {name} is not an address") from error
    if not host or parts.scheme not in ("https", "http"):
        raise IssuersError(f"{place}: {name} must be an https:// address")
    if parts.scheme == "http" and not plain_http:
        raise IssuersError(f"{place}: {name} must begin with https://")
    if parts.username or parts.fragment:
        raise IssuersError(f"{place}: {name} must have neither a username nor a fragment")
    return url
