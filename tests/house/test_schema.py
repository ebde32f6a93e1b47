"""The API's document says what the API does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.urls import URLPattern, URLResolver, get_resolver

from config import documents
from config.local.environment import ROOT

DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        here = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, here)
        else:
            yield here, entry


def test_document_is_current() -> None:
    """And made without a warning, which `openapi` would raise."""
    assert documents.openapi() == (ROOT / "docs/openapi.yaml").read_text(), "run ./dev manage write_docs"


def test_every_route_is_documented() -> None:
    served = {
        "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)
        for path, _ in routes(get_resolver())
        if path.startswith("api/v1/") and not path.startswith("api/v1/problems/")
    }
    assert served == set(DOCUMENT["paths"])


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_operation_is_described(operation: dict[str, Any]) -> None:
    assert operation["description"]
    assert "application/problem+json" in operation["responses"]["default"]["content"]


@pytest.mark.parametrize(
    "action", ["scans_create", "trades_create", "steals_create", "wilds_create", "copies_create", "packet_open"]
)
def test_what_moves_a_card_or_money_needs_a_key(action: str) -> None:
    (operation,) = (known for known in OPERATIONS.values() if known["operationId"] == action)
    (key,) = (parameter for parameter in operation["parameters"] if parameter["name"] == "Idempotency-Key")
    assert key["in"] == "header"
    assert key["required"]
