"""The import contracts of pyproject.toml hold, and a planted violation of each of them is found."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.local.environment import ROOT
from tests.house.tree import APPS

LINT_IMPORTS = str(Path(sys.executable).with_name("lint-imports"))

PLANTED = [
    ("fortunes/phases.py", "from cards import models", "Apps build on each other"),
    ("accounts/models/people.py", "import redpackets.ledger", "Apps build on each other"),
    ("redpackets/ledger.py", "from config import problems", "Apps build on each other"),
    ("fortunes/gate.py", "from fortunes.actions import campaigns", "Inside fortunes"),
    ("accounts/friends.py", "from accounts import views", "Inside accounts"),
    ("cards/models.py", "from cards import catalogue", "Inside cards"),
    ("redpackets/splitting.py", "from redpackets import ledger", "Inside redpackets"),
    ("cards/odds_and_ends.py", "", "Inside cards"),
    ("cards/actions/trades.py", "from rest_framework import status", "Actions know neither"),
    ("fortunes/actions/campaigns.py", "import channels.layers", "Actions know neither"),
    ("redpackets/actions/stages.py", "from celery import shared_task", "Actions know neither"),
    ("accounts/actions/players.py", "from config import settings", "Actions know neither"),
    ("cards/draws.py", "from django.utils import timezone", "Chance, arithmetic"),
    ("config/local/roles.py", "import django", "What starts the servers"),
    ("config/local/secrets.py", "import psycopg", "The bootstrap"),
]


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    command = [LINT_IMPORTS, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", root)
    for package in (*APPS, "config"):
        shutil.copytree(
            ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__", "locale", "static")
        )
    return root


def test_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("file", "line", "contract"), PLANTED)
def test_planted_violation_is_found(copy: Path, file: str, line: str, contract: str) -> None:
    path = copy / file
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    try:
        done = lint(copy)
    finally:
        path.unlink() if before is None else path.write_text(before)
    assert done.returncode == 1
    assert contract in done.stdout.partition("Broken contracts")[2], done.stdout
