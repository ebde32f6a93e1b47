"""The restore drill in small: a real server, a real base backup, a real archive; and that it would tell a loss."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from config.local import environment
from config.soak import restore
from config.soak.acts import COUPLES, Act

MOMENT = datetime.fromtimestamp(100, UTC)


@pytest.mark.slow
def test_a_server_comes_back_as_it_was() -> None:
    command = [sys.executable, "manage.py", "soak", "restore", "--acts", "60"]
    done = subprocess.run(command, cwd=environment.ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "restored as it was"
    assert done.stdout.count("invariants hold") == 2
    assert not list(environment.LOCAL.glob("restore-*"))


class TestJudging:
    acts = [Act("scan", "a", 10, 11), Act("gift", "b", 11, 12), Act("scan", "c", 99, 101), Act("gift", "d", 101, 102)]

    def judge(self, scans: str, gifts: str, moment: datetime | None = None) -> list[str]:
        there = restore.Restored(dict.fromkeys(scans, 0.0), dict.fromkeys(gifts, 0.0), "32 invariants hold", "x", 1.0)
        return list(restore._judge("last", there, self.acts, moment, lambda text: None))

    def test_all_is_there(self) -> None:
        assert self.judge("ac", "bd") == []

    def test_what_nobody_was_told_may_be_there(self) -> None:
        assert self.judge("ac" + "stuvwxyz"[: 2 * COUPLES], "bd") == []
        assert self.judge("acefghijklmno", "bd") == ["last: 15 writes of 4"]

    @pytest.mark.parametrize(("scans", "gifts"), [("a", "bd"), ("ac", "b"), ("", "")])
    def test_a_loss_is_told(self, scans: str, gifts: str) -> None:
        assert self.judge(scans, gifts)[0].startswith("last: ")

    def test_up_to_a_moment(self) -> None:
        assert self.judge("a", "b", MOMENT) == self.judge("ac", "b", MOMENT) == []
        assert self.judge("ac", "bd", MOMENT) == ["last: 0 missing, 1 from later"]
        assert self.judge("c", "b", MOMENT) == ["last: 1 missing, 0 from later"]

    def test_nothing_played_is_no_success(self) -> None:
        self.acts = []
        assert self.judge("", "") == ["last: nothing was played, so nothing was shown"]
