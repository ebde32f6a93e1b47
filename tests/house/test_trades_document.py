"""docs/trades.md shows the state machine and the limits as they are."""

from __future__ import annotations

import re

from cards import trading
from config import documents
from config.local.environment import ROOT
from fortunes.rules import Trading

TEXT = (ROOT / "docs/trades.md").read_text()


def test_the_diagram_is_current() -> None:
    assert documents.trades() == TEXT, "run ./dev manage write_docs"


def test_the_diagram_has_every_transition_and_every_end() -> None:
    drawn = re.findall(r"^    (\S+) --> (\S+): (\w+)$", TEXT, re.MULTILINE)
    assert {(before, verb): then for before, then, verb in drawn} == {
        (state or "[*]", verb): then for (state, verb), then in trading.TRANSITIONS.items()
    }
    ends = re.findall(r"^    (\w+) --> \[\*\]$", TEXT, re.MULTILINE)
    assert sorted(ends) == ["accepted", "cancelled", "declined", "expired", "voided"]


def test_every_limit_is_explained_with_its_default() -> None:
    told = re.findall(r"^\| `(\w+)` \| (\d+) \|", TEXT, re.MULTILINE)
    default = Trading()
    assert {name: int(value) for name, value in told} == {
        name: getattr(default, name) for name in default.__struct_fields__
    }
