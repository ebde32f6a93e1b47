"""The house rules that no linter knows, and that those which one knows are really on."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.local.environment import ROOT
from tests.house import tree

RUFF = str(Path(sys.executable).with_name("ruff"))
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60
# A statement this short says by itself what it does.
TRIVIAL_LINES = 7
SCALARS = {"int", "str", "bytes", "bool", "float", "UUID", "datetime", "date", "timedelta"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Function):
            yield node


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield node


def code(path: Path) -> str:
    """An SQL file without its comments."""
    return re.sub(r"--.*", "", path.read_text())


def test_files_are_short() -> None:
    paths = [*tree.python(*tree.OURS), *tree.statements()]
    lengths = {tree.name(path): len(path.read_text().splitlines()) for path in paths}
    assert lengths
    assert not {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE}


def test_functions_fit_a_screen() -> None:
    long = [
        f"{tree.name(path)}: {function.name}"
        for path in tree.python(*tree.OURS)
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert not long


def test_public_actions_read_as_a_sentence() -> None:
    """What an action is told, it is told by name. Only a helper may take the one row or struct that it is about."""
    unnamed = []
    for app in tree.APPS:
        for path in tree.python(f"{app}/actions"):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, Function) and not node.name.startswith("_"):
                    positional = [*node.args.posonlyargs, *node.args.args]
                    types = {ast.unparse(argument.annotation) for argument in positional if argument.annotation}
                    if len(positional) > 1 or types & SCALARS:
                        unnamed.append(f"{tree.name(path)}: {node.name}")
    assert not unnamed


def test_transactions_are_durable() -> None:
    """The outermost transaction belongs to the action; nothing that it calls may open another."""
    weak = [
        f"{tree.name(path)}:{call.lineno}"
        for path in tree.python(*tree.APPS)
        for call in calls(path)
        if ast.unparse(call.func) == "transaction.atomic" and ast.unparse(call) != "transaction.atomic(durable=True)"
    ]
    assert not weak


def test_actions_never_catch_integrity_errors() -> None:
    """Constraints are asked with ON CONFLICT and row counts: a caught error has already spoilt the transaction."""
    actions = [path for app in tree.APPS for path in tree.python(f"{app}/actions")]
    assert actions
    assert not [tree.name(path) for path in actions if "IntegrityError" in path.read_text()]


def test_sql_asks_the_one_clock() -> None:
    """now() is the transaction's start, so that a late commit would slip past a deadline."""
    others = re.compile(r"\b(now|(clock|statement|transaction)_timestamp)\s*\(|\bcurrent_(date|time)|\blocaltime", re.I)
    asking = [tree.name(path) for path in tree.statements() if others.search(code(path))]
    assert asking == ["fortunes/sql/functions/clock.sql"]


def test_sql_plays_no_dice() -> None:
    """Chance comes from keyed hashes, which can be replayed."""
    assert not [tree.name(path) for path in tree.statements() if re.search(r"\brandom\s*\(", code(path), re.I)]


def test_sql_says_why_it_is_there() -> None:
    mute = [
        tree.name(path)
        for path in tree.statements()
        if not path.read_text().startswith("--")
        and (path.parent.name == "functions" or len(path.read_text().splitlines()) > TRIVIAL_LINES)
    ]
    assert not mute


def test_sql_is_used() -> None:
    """No dead statements: each file is named by the code, by a migration, or is an invariant."""
    sources = "\n".join(path.read_text() for app in tree.APPS for path in sorted((ROOT / app).rglob("*.py")))
    dead = [
        tree.name(path)
        for path in tree.statements()
        if path.parent.name != "invariants" and not re.search(rf'"(functions/)?{path.stem}"', sources)
    ]
    assert not dead


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("cards/draws.py", "import random"),
        ("config/socket.py", "from channels.db import database_sync_to_async"),
        ("fortunes/threads.py", "from asgiref.sync import sync_to_async"),
        ("redpackets/actions/stages.py", "from django.utils.timezone import now"),
        ("cards/actions/trades.py", "import time\nwhen = time.time()"),
        ("cards/actions/trades.py", "from datetime import UTC, datetime\nwhen = datetime.now(UTC)"),
        ("cards/models.py", "from django.db.models.functions import Now"),
        ("cards/views.py", "# TODO: later"),
        ("cards/views.py", "# total = 1 + 2"),
    ],
)
def test_linter_refuses(file: str, line: str) -> None:
    """Each line alone, as if it stood in that file."""
    command = [RUFF, "check", "--quiet", "--ignore", "F,I", "--stdin-filename", file, "-"]
    done = subprocess.run(command, cwd=ROOT, input=f"{line}\n", capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
