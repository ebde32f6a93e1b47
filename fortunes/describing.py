"""What may be told of an error where it is kept or logged: enough to find it, and nothing of a person.

Messages carry values. Those of PostgreSQL quote whole rows in their DETAIL, those of Python what could not be parsed.
So of a message stays what no person can have typed: what isn't quoted, no long number and nothing like a token.
"""

from __future__ import annotations

import re

MOST = 500

_REDACTED = "…"
# In this order: a token may hold a long number, and a quotation anything.
_PATTERNS = (
    # Headers and fields that are secret whatever they look like, up to the end of the value.
    (re.compile(r"(?i)\b(authorization|cookie|set-cookie)\b(['\"]?\s*[:=]\s*).*"), r"\1\2" + _REDACTED),
    (
        re.compile(
            r"(?i)\b(password|passwd|token|secret|code|phone|nickname|username|note)\b"
            r"(['\"]?\s*[:=]\s*)(b?'[^']*'|b?\"[^\"]*\"|[^\s,;&}\])]+)"
        ),
        r"\1\2" + _REDACTED,
    ),
    (re.compile(r"(?i)\b(bearer\s+)\S+"), r"\1" + _REDACTED),
    # user:password@host, as in the addresses of the services.
    (re.compile(r"(?<=://)[^/\s@]+@"), _REDACTED + "@"),
    # Signed tokens and scan codes: long runs of base64url, with dots or without.
    (re.compile(r"[A-Za-z0-9_-]{12,}(?:\.[A-Za-z0-9_-]{4,})+"), _REDACTED),
    (re.compile(r"\b(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])[A-Za-z0-9_-]{20,}\b"), _REDACTED),
    # Phones, with whatever is put between their digits: international, Chinese mobiles, or with a trunk prefix.
    (re.compile(r"(?<![\w.])\+\(?\d(?:[\s().-]{0,2}\d){6,14}(?!\w)"), _REDACTED),
    (re.compile(r"(?<![\w.-])(?:0086|86)?[\s-]?1[3-9]\d(?:[\s-]?\d){8}(?![\w.])"), _REDACTED),
    (re.compile(r"(?<![\w.:-])\(?0\d(?:[\s().-]{0,2}\d){7,13}(?![\w:])"), _REDACTED),
)
# What these quote are names in the program.
_ABOUT_CODE = (AttributeError, NameError, ImportError)
# SQLSTATE classes of broken constraints and of wrong statements: their values are in the DETAIL, which is left out.
_ABOUT_TABLES = frozenset({"23", "42"})
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|“[^”]*”|「[^」]*」")


def redacted(text: str) -> str:
    """`text` without what looks like a token, a code, a phone or a password."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def of(error: BaseException) -> str:
    """The class of an error, its SQLSTATE if it has one, and of its message what may be told; one line."""
    name = type(error).__name__
    cause = error.__cause__ if getattr(error, "sqlstate", None) is None else error
    sqlstate = getattr(cause, "sqlstate", None)
    primary = getattr(getattr(cause, "diag", None), "message_primary", None)
    if sqlstate:
        name = f"{name} [{sqlstate}]"
    words = primary or str(error)
    quotes_names = isinstance(error, _ABOUT_CODE) or (sqlstate or "")[:2] in _ABOUT_TABLES
    message = " ".join(redacted(words if quotes_names else _QUOTED.sub("'…'", words)).split())
    return (f"{name}: {message}" if message else name)[:MOST]
