"""The README's tour, typed as it stands there, against the whole running system."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.local import processes, roles, services
from config.local.environment import ROOT
from config.local.stack import Shape, manage, stack
from config.local.supervisor import Supervisor

BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SEPARATOR = "--- next step ---"


@pytest.fixture
def printed(django_db_setup: None, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a reader has in their second terminal after `./dev up`."""
    running = services.described(os.environ["FORTUNES_TEST_SERVICES"])
    # Away from other tests' messages: their workers don't know this database.
    apart = running.redis_url.rpartition("/")[0] + "/15"
    supervisor = Supervisor(tmp_path, say=lambda text: None)
    name = f"fortunes_tour_{os.getpid()}"
    shape = Shape(port=processes.free_port(), web_processes=1, worker_processes=1)
    try:
        alone = replace(running, redis_url=apart, supervisor=supervisor)
        with stack(alone, tmp_path, shape, database=name, say=lambda text: None) as system:
            said = manage(system.environment, "seed_demo_season", "--base-url", system.base_url)
            yield {
                "PATH": os.environ["PATH"],
                "BASE": system.base_url,
                "SEASON": find(r"^season +([\w-]+),", said),
                "CODE": find(r"^code 1 +(\w+)", said),
                "ALICE": find(r"^ALICE=(\S+)", said),
                "BOB": find(r"^BOB=(\S+)", said),
            }
    finally:
        supervisor.stop()
        roles.drop_database(running.owner_url(), name)


def test_tour(printed: dict[str, str], tmp_path: Path) -> None:
    if not shutil.which("curl"):
        pytest.skip("the tour is made with curl")
    blocks = BLOCK.findall((ROOT / "README.md").read_text())
    script = "set -euo pipefail\n" + f'\necho; echo "{SEPARATOR}"\n'.join(blocks)
    done = run(script, printed, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    season, scan, retry, used, gift, heard, asked, history, fairness = map(answers, done.stdout.split(SEPARATOR))
    check_season(*season)
    check_scan(*scan)
    assert retry == scan
    assert (used[0]["status"], used[0]["code"]) == (409, "code-used")
    check_gift(*gift, *heard)
    check_request(*asked, *history)
    check_fairness(*fairness)


def check_request(receipt: Any, history: Any) -> None:
    assert (receipt["trade"]["type"], receipt["trade"]["state"]) == ("request", "accepted")
    assert receipt["trade"]["note"] == "May I have it back?"
    # It was drawn, given away and given back.
    assert len(history["items"]) == 3


def check_season(campaign: Any, rules: Any) -> None:
    assert campaign["phase"] == "live"
    assert set(rules["rules"]["complete_set"]) <= set(rules["rules"]["weights"])


def check_scan(scan: Any) -> None:
    assert scan["hand"]["counts"][scan["draw"]["kind"]] == 1
    assert scan["quota"]["left_today"] == scan["quota"]["per_day"] - 1


def check_gift(gift: Any, events: Any, hand: Any) -> None:
    (kind,) = gift["trade"]["gives"]
    received = [event["data"] for event in events["items"] if event["event"] == "gift.received"]
    assert [data["trade"] for data in received] == [gift["trade"]["id"]]
    assert hand["hand"]["counts"][kind] == 1
    assert gift["hand"]["counts"][kind] == 0


def check_fairness(fairness: Any) -> None:
    """Committed to, and still kept."""
    assert re.fullmatch(r"[0-9a-f]{64}", fairness["draw_commitment"])
    assert fairness["draw_secret"] is None


def run(script: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", script]
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def answers(output: str) -> list[Any]:
    """JSON documents that follow each other, as several calls of curl print them."""
    decoder, found, rest = json.JSONDecoder(), [], output.strip()
    while rest:
        answer, end = decoder.raw_decode(rest)
        found.append(answer)
        rest = rest[end:].lstrip()
    return found


def find(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    assert found, f"./dev up doesn't print {pattern}:\n{text}"
    return found[1]
