"""`./dev demo`: its exit code is what its checks say, and its leftovers are none."""

import io
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from config.demo import season, systems
from config.demo.journal import Diary, Journal
from config.demo.log import Log
from config.demo.mischief import Props
from config.demo.outages import Done
from config.demo.player import Vote, World
from config.demo.progress import Progress
from config.demo.staging import Stage
from config.local import environment
from config.management.commands import demo
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.factories.votes import OpenProposalFactory


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def campaign(committed_db: None) -> Campaign:
    campaign = season.short(
        slug=f"untouched-{os.getpid()}-{time.monotonic_ns()}",
        warm_up=timedelta(0),
        live=timedelta(hours=1),
        until_reveal=timedelta(seconds=1),
        pool_fen=100,
        rulebook={},
    )
    OpenProposalFactory.create(campaign=campaign)
    return campaign


def report(journal: Journal, campaign: Campaign, log: Log | None = None) -> tuple[int, str]:
    command = demo.Command(stdout=io.StringIO())
    command._log = log
    code = command._report(journal, staged(campaign), Progress(io.StringIO()))
    return code, command.stdout.getvalue()


def staged(campaign: Campaign) -> Stage:
    world = World(campaign.slug, (), iter(()), opens=1.0, closes=20.0, reveals=22.5, vote=Vote("", 5.0, 9.0))
    return Stage(campaign.pk, world, Props("", "", "", []))


def test_a_claim_that_the_database_does_not_know_fails(campaign: Campaign) -> None:
    player = str(uuid.uuid4())
    code, said = report(Journal(diaries=[Diary(player=player, draws={"0": "harmony"})]), campaign)
    assert code == 1
    assert "FAULT  every acknowledged scan is stored, once, and no other" in said
    assert f"acknowledged but not stored: draw 0 of {player}" in said
    assert "ok     check_invariants" in said


def test_the_log_tells_what_was_acknowledged_and_is_not_there(campaign: Campaign, tmp_path: Path) -> None:
    player, log = str(uuid.uuid4()), Log(tmp_path / "log")
    log.staged(staged(campaign))
    report(Journal(diaries=[Diary(player=player)], done=[Done("draw", "0", 7.0)]), campaign, log)
    first, last = log.read()
    assert first == {"campaign": campaign.pk, "opens": 1.0, "votes": 9.0, "closes": 20.0, "reveals": 22.5}
    assert (last["lost"], last["doubled"]) == ([{"what": "draw", "id": "0", "at": 7.0}], [])


def test_the_log_tells_what_is_there_and_was_acknowledged_to_nobody(campaign: Campaign, tmp_path: Path) -> None:
    player, log = PlayerFactory.create(), Log(tmp_path / "log")
    redeemed = make.redeem(campaign, player)
    report(Journal(diaries=[Diary(player=str(player.public_id))]), campaign, log)
    (doubled,) = log.read()[-1]["doubled"]
    assert (doubled["what"], doubled["id"]) == ("draw", str(redeemed.draw.id))
    # An hour before the deadline, by the clock of the players.
    assert doubled["at"] == pytest.approx(20.0 - 3600, abs=60)


def test_a_line_that_is_still_being_written_is_not_read(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    assert log.read() == []
    log.path.write_text('{"opens": 1}\n{"clo')
    assert log.read() == [{"opens": 1}]


def test_a_season_in_which_nothing_happened_fails(campaign: Campaign) -> None:
    code, said = report(Journal(), campaign)
    assert code == 1
    assert "FAULT  enough happened to be worth a check" in said


def test_progress_on_a_terminal_is_one_line_a_phase() -> None:
    terminal = Terminal()
    progress = Progress(terminal)
    progress.phase("collecting")
    progress.show(0.5, "7 scans")
    progress.done("14 scans")
    assert "\r" in terminal.getvalue() and terminal.getvalue().count("\n") == 1
    assert "50%  7 scans" in terminal.getvalue() and "100%  14 scans" in terminal.getvalue()


def test_progress_elsewhere_is_plain_lines() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.phase("collecting")
    progress.show(0.5, "7 scans")
    progress.done("14 scans")
    first, last = stream.getvalue().splitlines()
    assert first == "collecting …"
    assert last.startswith("collecting: 14 scans")


@pytest.mark.parametrize("words", [["--players", "3"], ["--players", "x"], ["--seconds", "1"]])
def test_too_small_a_season_is_refused(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", *words], cwd=environment.ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "a number, at least" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--apart", "--players", "20", "--seconds", "30"],
        cwd=environment.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said = read_until(process, "signing up")
    database = re.findall(r"database demo_(\w+): new", said)[0]
    folder = environment.LOCAL / f"{systems.PREFIX}{database}"
    assert folder.exists()
    assert folder.name in " ".join(command_lines())
    os.killpg(process.pid, number)
    said += process.communicate(timeout=60)[0]
    assert process.returncode == demo.INTERRUPTED, said
    assert "Traceback" not in said
    assert not folder.exists()
    assert folder.name not in " ".join(command_lines())


def read_until(process: subprocess.Popen[str], words: str) -> str:
    said = ""
    for line in process.stdout or ():
        said += line
        if words in line:
            return said
    raise AssertionError(said)


def command_lines() -> list[str]:
    return [path.read_text(errors="replace") for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
