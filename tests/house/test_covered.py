"""The gate of `./dev test --coverage` finds what was never exercised."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config import covered
from config.local import environment
from config.management.commands import suite

PROJECT = """
[tool.fortunes]
least_branch_coverage = 95
[[tool.importlinter.contracts]]
id = "pure"
source_modules = ["cards.draws"]
"""


def measured(branches: int, never: list[list[int]]) -> dict[str, Any]:
    return {
        "summary": {"num_branches": branches, "covered_branches": branches - len(never)},
        "missing_branches": never,
    }


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project of one statement, one function with three statuses, and a run in which all was exercised."""
    for name, text in {
        "pyproject.toml": PROJECT,
        "cards/sql/give.sql": "SELECT * FROM cards_give(%(giver)s)",
        "cards/sql/view.sql": "CREATE VIEW nobody_runs AS SELECT 1",
        "cards/sql/functions/give.sql": "-- A gift.\n-- Statuses: given, gone.\nCREATE FUNCTION cards_give(a int)",
        "cards/sql/functions/give_v2.sql": (
            "-- Statuses: given, early\n-- (too early; whatever), no-hand.\nCREATE FUNCTION cards_give(a int)"
        ),
        "seen/1.json": json.dumps({"cards/give": ["given", "early"]}),
        "seen/2.json": json.dumps({"cards/give": ["no-hand"]}),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    report(tmp_path, {})
    return tmp_path


def report(tree: Path, changed: dict[str, Any]) -> None:
    files = {
        "cards/actions/trades.py": measured(100, []),
        "cards/draws.py": measured(100, []),
        "fortunes/sql/__init__.py": measured(10, []),
        "cards/views.py": measured(100, [[1, 2]] * 100),
    }
    (tree / "coverage.json").write_text(json.dumps({"files": files | changed}))


def faults(tree: Path) -> list[str]:
    return list(covered.faults(tree, tree / "coverage.json", tree / "seen"))


def test_all_is_well(tree: Path) -> None:
    assert faults(tree) == []


@pytest.mark.parametrize("path", ["cards/actions/trades.py", "cards/draws.py"])
def test_branches_that_were_never_taken(tree: Path, path: str) -> None:
    report(tree, {path: measured(100, [[7, 9]] * 5)})
    assert faults(tree) == []
    report(tree, {path: measured(100, [[7, 9]] * 5 + [[8, -1]])})
    first, second = faults(tree)
    assert "94.0 % of 100 branches were taken, 95 % are due" in first
    assert path in second and "7→9" in second and "8→end" in second


def test_nothing_measured_is_not_enough(tree: Path) -> None:
    (tree / "coverage.json").write_text(json.dumps({"files": {}}))
    assert len(faults(tree)) == 3


def test_a_statement_that_never_ran(tree: Path) -> None:
    (tree / "cards" / "sql" / "steal.sql").write_text("SELECT 1")
    assert faults(tree) == ["cards/steal never ran"]


def test_a_status_that_was_never_answered(tree: Path) -> None:
    (tree / "seen" / "2.json").unlink()
    assert faults(tree) == ["cards_give never answered no-hand"]


def test_our_own_functions_say_what_they_answer() -> None:
    """So that an empty list doesn't pass for a checked one."""
    known = covered._answers(environment.ROOT)
    assert {"drawn", "replayed", "no-hand"} <= known["cards_scan"]
    assert {"given", "replayed", "no-hand"} <= known["cards_give"]


def test_the_servers_are_chosen_by_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(environment.SERVERS, "")
    assert suite._choose_servers(["-q", "--servers", "debian", "tests/cards"]) == ["-q", "tests/cards"]
    assert suite.os.environ[environment.SERVERS] == "debian"
    with pytest.raises(SystemExit, match="--servers takes one of"):
        suite._choose_servers(["--servers", "windows"])
