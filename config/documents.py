"""Documents that are made from the code, so that they can't say anything else: `manage.py write_docs` writes them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from io import StringIO

from django.conf import settings
from django.core.management import call_command
from django.utils import translation

from cards import trading
from config import problems
from config.sockets import asyncapi

ERRORS_HEAD = """\
# Error codes

Every refusal of the API is an `application/problem+json` document (RFC 9457), and every refusal of the socket an error
frame. `code` is stable and means the same in both; `title` comes in the reader's language. A refusal has changed
nothing. `manage.py write_docs` makes this page from the code.

Codes with status 425, 429 and 503 come with `Retry-After`: the same request may succeed later. `errors[]` names the
fields that are wrong, each with a JSON Pointer.

| status | code | meaning |
|---|---|---|
"""


def openapi() -> str:
    """The OpenAPI document of the API. Raises SchemaGenerationError on any warning."""
    document = StringIO()
    with translation.override("en"):
        call_command("spectacular", "--validate", "--fail-on-warn", stdout=document)
    return document.getvalue().rstrip("\n") + "\n"


def errors() -> str:
    """The table of everything that can be refused."""
    # Refusals are known once they are imported, and the addresses import all that can answer.
    import_module(settings.ROOT_URLCONF)
    with translation.override("en"):
        rows = [f"| {status} | `{code}` | {title} |" for status, code, title in sorted(problems.known())]
    return ERRORS_HEAD + "\n".join(rows) + "\n"


def trades() -> str:
    """docs/trades.md with the state machine as it is; all else in it is written by hand."""
    text = (settings.BASE_DIR / "docs/trades.md").read_text(encoding="utf-8")
    before, begin, rest = text.partition("<!-- machine -->\n")
    _, end, after = rest.partition("<!-- /machine -->\n")
    if not (begin and end):
        raise ValueError("docs/trades.md has no place for the state machine")
    return f"{before}{begin}\n```mermaid\n{trading.diagram()}\n```\n\n{end}{after}"


DOCUMENTS: dict[str, Callable[[], str]] = {
    "docs/openapi.yaml": openapi,
    "docs/asyncapi.json": asyncapi.document,
    "docs/errors.md": errors,
    "docs/trades.md": trades,
}
