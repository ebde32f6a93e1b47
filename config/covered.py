"""What the suite has exercised: branches of Python, and in SQL the statements and the statuses that functions answer.

`./dev test --coverage` fails where less than `tool.fortunes.least_branch_coverage` percent of the branches of actions,
of pure modules and of fortunes/sql were taken, or where a statement or a status was never seen.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Seen = dict[str, set[str]]

STATUSES = re.compile(r"^-- Statuses: (?P<list>.*?\.)$", re.MULTILINE | re.DOTALL)
FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)")


@dataclass(slots=True)
class Group:
    """Files that are judged together; `missing` has those with branches that were never taken."""

    name: str
    branches: int = 0
    taken: int = 0
    missing: dict[str, list[str]] = field(default_factory=dict)

    @property
    def percent(self) -> float:
        return 100.0 * self.taken / self.branches if self.branches else 0.0

    def add(self, path: str, measured: Mapping[str, Any]) -> None:
        self.branches += measured["summary"]["num_branches"]
        self.taken += measured["summary"]["covered_branches"]
        if never := [f"{first}→{'end' if then < 0 else then}" for first, then in measured["missing_branches"]]:
            self.missing[path] = never


def groups(report: Mapping[str, Any], pure: Iterable[str]) -> list[Group]:
    """From coverage's JSON report; `pure` are module names."""
    pure_files = {f"{name.replace('.', '/')}.py" for name in pure}
    actions, pure_group, ground = Group("actions"), Group("pure modules"), Group("fortunes/sql")
    for path, measured in sorted(report["files"].items()):
        if re.fullmatch(r"\w+/actions/\w+\.py", path):
            actions.add(path, measured)
        elif path in pure_files:
            pure_group.add(path, measured)
        elif path == "fortunes/sql/__init__.py":
            ground.add(path, measured)
    return [actions, pure_group, ground]


def unseen(root: Path, seen: Seen) -> Iterator[str]:
    """Statements that never ran, and statuses that no run of a function answered."""
    statements = {f"{path.parts[-3]}/{path.stem}": path.read_text() for path in root.glob("*/sql/*.sql")}
    due = sorted(name for name, text in statements.items() if not _is_view(text))
    yield from (f"{name} never ran" for name in due if name not in seen)
    for function, statuses in _answers(root).items():
        callers = [name for name, text in statements.items() if f"{function}(" in text]
        answered = set().union(*(seen.get(name, set()) for name in callers))
        yield from (f"{function} never answered {status}" for status in sorted(statuses - answered))


def _is_view(text: str) -> bool:
    """Installed by a migration, and asked for through the ORM."""
    return "CREATE VIEW" in text


def _answers(root: Path) -> dict[str, set[str]]:
    """The statuses that each function says it answers, by the newest file that defines it."""
    found: dict[str, set[str]] = {}
    for path in sorted(root.glob("*/sql/functions/*.sql"), key=lambda path: (path.stem, len(path.stem))):
        text = path.read_text()
        function, listed = FUNCTION.search(text), STATUSES.search(text)
        if function and listed:
            plain = re.sub(r"\([^)]*\)", "", listed["list"].replace("\n--", " "))
            found[function[1]] = {word.strip(" .") for word in plain.split(",")}
    return found


def faults(root: Path, report: Path, seen: Path) -> Iterator[str]:
    """A line for each thing that falls short."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    least = float(project["tool"]["fortunes"]["least_branch_coverage"])
    contract = next(c for c in project["tool"]["importlinter"]["contracts"] if c["id"] == "pure")
    for group in groups(json.loads(report.read_text()), contract["source_modules"]):
        if group.percent < least:
            yield f"{group.name}: {group.percent:.1f} % of {group.branches} branches were taken, {least:.0f} % are due"
            yield from (f"  {path}: {', '.join(never)}" for path, never in group.missing.items())
    yield from unseen(root, read(seen))


def read(folder: Path) -> Seen:
    """What the suite's processes have written, each a file (tests/plugins/seen.py)."""
    merged: Seen = {}
    for file in folder.glob("*.json"):
        for name, statuses in json.loads(file.read_text()).items():
            merged.setdefault(name, set()).update(statuses)
    return merged


def figures(root: Path, report: Path) -> Iterator[str]:
    """One line a group."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    contract = next(c for c in project["tool"]["importlinter"]["contracts"] if c["id"] == "pure")
    for group in groups(json.loads(report.read_text()), contract["source_modules"]):
        yield f"{group.name:<14}{group.percent:6.1f} % of {group.branches} branches"
