"""The stand-alone verifier: published for strangers, and here the independent second opinion on every payout."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from redpackets.models import Settlement
from tests.factories import redpackets as make

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "verify" / "settlement.py"


def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_settlement", SCRIPT)
    assert spec and spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def verify(run: Settlement) -> None:
    """Every payout in the database is what the verifier makes of the manifest."""
    paid, verifier = make.payouts(run), module()
    assert run.manifest is not None
    verifier.check(run.manifest)
    verifier.check_all(run.manifest, list(paid))
    assert {player: verifier.amount(run.manifest, player) for player in paid} == paid


def verify_as_a_stranger(run: Settlement, folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run the script as its reader would, isolated from everything installed here."""
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(run.manifest))
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(manifest), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
