"""What the upgrade request of a socket says, before any frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

Scope = Mapping[str, Any]


async def refuse(scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """An application for all other addresses, which the router would answer with an exception: HTTP 403."""
    await receive()
    await send({"type": "websocket.close"})


def origin_allowed(scope: Scope) -> bool:
    """Whether the page that opens this socket may: its own server's pages, and settings.SOCKET_ORIGINS.

    Browsers always send an Origin and don't let pages choose it. A client without one is not a browser, and no cookie
    signs it in, so it could do nothing that it couldn't do anyway; settings.SOCKET_ALLOW_NO_ORIGIN can still refuse it.
    """
    origin = _header(scope, b"origin")
    if origin is None:
        return bool(settings.SOCKET_ALLOW_NO_ORIGIN)
    if origin in settings.SOCKET_ORIGINS:
        return True
    return _is_own(origin, _header(scope, b"host"))


def _is_own(origin: str, host: str | None) -> bool:
    """The Host must be one of ours too: a name that an attacker points at this server matches its own pages."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host or parts.netloc.lower() != host.lower():
        return False
    return validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)


def language_of(scope: Scope) -> str:
    """The language of messages on this socket, by its Accept-Language."""
    for code, _ in parse_accept_lang_header((_header(scope, b"accept-language") or "").lower()):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key.lower() == name:
            return str(value.decode("latin-1"))
    return None
