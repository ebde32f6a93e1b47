"""Schemathesis over the whole schema, stateful: no server error, and every answer as the schema says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.api import fuzzing
from tests.api.operations import operations
from tests.api.world import World
from tests.plugins.clock import Clock
from tests.realtime import servers

# `./dev soak api` gives it longer.
SECONDS = int(os.environ.get("FORTUNES_FUZZ_SECONDS", "60"))
SEED = os.environ.get("FORTUNES_FUZZ_SEED", "5")


# Operations that no request of a run may answer well, with the reason.
NEVER_WELL: dict[str, str] = {}


@pytest.mark.committed
@pytest.mark.slow
def test_answers_conform(clock: Clock, tmp_path: Path) -> None:
    world = World.make(clock, tmp_path)
    with servers.running(tmp_path / "web.log", FEDERATION_FILE=world.federation_file, **fuzzing.LONG) as server:
        done = fuzzing.run(tmp_path, server.url, world, "--max-time", str(SECONDS), "--seed", SEED)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    # Green only if the work was done.
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["operations"]["tested"] == len(operations())
    assert {report["phases"][phase]["status"] for phase in ("examples", "coverage", "fuzzing", "stateful")} == {
        "success"
    }
    answers = {tuple(line.split()) for line in (tmp_path / "answers").read_text().splitlines()}
    well = {name for name, status in answers if status.startswith("2")}
    assert set(operations()) - well == set(NEVER_WELL), sorted(answers)
