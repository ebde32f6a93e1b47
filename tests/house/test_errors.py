"""Refusals: each has one stable code, and docs/errors.md lists them all."""

from __future__ import annotations

import re
from collections import Counter

from config import documents, problems
from config.local.environment import ROOT
from fortunes.errors import DomainError, every


def test_document_is_current() -> None:
    assert documents.errors() == (ROOT / "docs/errors.md").read_text(), "run ./dev manage write_docs"


def test_codes_are_unique() -> None:
    documents.errors()
    codes = Counter(code for _, code, _ in problems.known())
    assert not [code for code, times in codes.items() if times > 1]


def test_codes_are_slugs_with_an_error_status() -> None:
    documents.errors()
    for status, code, title in problems.known():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code), code
        assert 400 <= status < 600, code
        assert str(title).endswith("."), code


def test_every_refusal_has_its_own_code() -> None:
    documents.errors()
    assert len(list(every())) > 20
    waiting, seen = [DomainError], 0
    while waiting:
        for kind in waiting.pop().__subclasses__():
            assert "code" in vars(kind) and "title" in vars(kind), kind
            waiting.append(kind)
            seen += 1
    assert seen == len(list(every()))
