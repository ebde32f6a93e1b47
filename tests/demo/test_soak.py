"""`./dev soak`: its accidents are those of its seed, its table tells what they cost, and it finds what is off."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import psycopg
import pytest
import redis
from django.core.management import call_command
from jsonschema import Draft7Validator

from config import soak
from config.client.outages import Outage
from config.demo import outages, systems
from config.demo.outages import Done
from config.local import environment, processes, services
from config.local.stack import Stack
from config.local.supervisor import Program, Supervisor
from config.soak import crowd, faults, fuzz, hostile, memory, recovery, second_opinion
from config.soak.attacks import Tally
from config.soak.faults import Planned, Saboteur, Season
from config.soak.recovery import Struck
from config.socket import COMMANDS
from config.sockets import asyncapi
from redpackets.models import Payout, Settlement
from tests.factories import redpackets as make
from tests.plugins.clock import Clock

SEASON = Season(campaign=1, opens=100.0, votes=113.0, closes=120.0, reveals=122.5)
# Four million rows: an old backend is at it for a good while, and doesn't look up before it is done.
BUSY = "SELECT count(*) FROM generate_series(1, 4000000) a WHERE sha256(int8send(a)) = ''"


def eventually(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)


class TestPlans:
    def test_a_seed_has_its_accidents(self) -> None:
        assert faults.plan("1/1", SEASON) == faults.plan("1/1", SEASON)
        assert faults.plan("1/1", SEASON) != faults.plan("1/2", SEASON)

    def test_every_season_has_each_kind_in_its_phase(self) -> None:
        plans = [faults.plan(f"7/{number}", SEASON) for number in range(200)]
        for plan in plans:
            by_kind = {planned.kind: planned for planned in plan}
            assert len(by_kind) == len(plan) and by_kind.keys() - {faults.VALKEY} == faults.TITLES.keys() - {
                faults.VALKEY
            }
            assert SEASON.opens <= by_kind[faults.WEB].at <= SEASON.closes
            assert SEASON.opens <= by_kind[faults.POSTGRES].at <= SEASON.reveals + 1
            assert SEASON.closes <= by_kind[faults.WORKER].at
            assert 0 <= by_kind[faults.VOTE].at - SEASON.votes <= faults.AFTERMATH_S
        every = [planned for plan in plans for planned in plan]
        assert {planned.state for planned in every if planned.kind == faults.WORKER} == set(faults.KILLABLE)
        assert {planned.how for planned in every if planned.kind == faults.POSTGRES} == set(faults.WAYS_TO_RESTART)
        assert 20 < Counter(planned.kind for planned in every)[faults.VALKEY] < 80

    def test_an_accident_in_a_stage_waits_for_it(self) -> None:
        planned = Planned(faults.WORKER, "all of it", at=120.0, state="post", share=0.5)
        post = faults.STATES.index("post")
        assert not planned.is_due(121.0, post + 0.4)
        assert not planned.is_due(119.0, post + 0.6)
        assert planned.is_due(121.0, post + 0.5)
        # A stage that was over between two looks: late, but not left out.
        assert planned.is_due(121.0, post + 2)


class TestCosts:
    first = Struck(Planned(faults.WEB, "web-1"), 10.0)
    second = Struck(Planned(faults.FLUSH, "flushed"), 20.0)

    def test_each_thing_counts_for_the_latest_accident_before_it(self) -> None:
        done = [Done("draw", str(at), at) for at in (9.0, 11.0, 12.0, 21.0)]
        one, other = recovery.costs([self.second, self.first], done, [done[2]], [done[3]], [])
        assert (one.operations, one.lost, one.doubled, one.recovery_s) == (2, 1, 0, 0.0)
        assert (other.operations, other.lost, other.doubled) == (1, 0, 1)

    def test_recovery_lasts_until_the_last_outage_is_over(self) -> None:
        out = [Outage("socket", 10.1, 11.0), Outage("request", 10.2, 12.5), Outage("split", 5.0, 23.0)]
        one, other = recovery.costs([self.first, self.second], [], [], [], out)
        assert one.by_what == pytest.approx({"socket": 1.0, "request": 2.5})
        assert one.recovery_s == pytest.approx(2.5)
        assert other.by_what == pytest.approx({"split": 3.0})

    def test_the_table_adds_up_by_kind(self) -> None:
        lost = Done("gift", "t", 12.0)
        costs = recovery.costs([self.first], [lost], [lost], [], [Outage("request", 10.0, 13.0)])
        row = next(line for line in recovery.table([costs, costs]) if line.startswith("web process"))
        assert row.split()[-8:] == ["2", "2", "2", "0", "3.0", "s", "3.0", "s"]

    def test_what_is_not_stored_is_lost(self) -> None:
        done = [Done("draw", "a", 1.0), Done("gift", "a", 2.0)]
        assert outages.lost(done, {"draw": {"a"}, "gift": {"b"}}) == [done[1]]

    def test_a_late_push_is_an_outage(self) -> None:
        told, heard = {"soon": 1.0, "late": 1.0, "never": 1.0}, {"soon": 1.2, "late": 3.0}
        assert outages.late_pushes(told, heard) == [Outage("push", 1.0, 3.0)]


class TestAccidents:
    def test_a_named_program_is_killed_and_comes_back(self, tmp_path: Path) -> None:
        supervisor = Supervisor(tmp_path, say=lambda text: None)
        try:
            for name in ("one", "two"):
                supervisor.start(Program(name=name, argv=["sleep", "60"], grace=2))
            before = supervisor.pids()
            assert supervisor.signal("one", signal.SIGKILL)
            eventually(lambda: supervisor.pids()["one"] != before["one"])
            assert supervisor.pids()["two"] == before["two"]
            assert not supervisor.signal("three", signal.SIGKILL)
        finally:
            supervisor.stop()

    @pytest.mark.slow
    @pytest.mark.parametrize("how", faults.WAYS_TO_RESTART)
    def test_a_restarted_database_keeps_what_was_committed(
        self, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv(environment.OWN_DATABASE, raising=False)
        with services.services(tmp_path, say=lambda text: None) as running:
            assert running.supervisor
            with psycopg.connect(running.admin_url, autocommit=True) as connection:
                connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
            busy = psycopg.connect(running.admin_url, autocommit=True)
            old = busy.info.backend_pid
            busy.pgconn.send_query(BUSY.encode())
            before = running.supervisor.pids()["postgres"]
            system = Stack("", {"REDIS_URL": running.redis_url}, running.supervisor, "")
            assert Saboteur(system).strike(Planned(faults.POSTGRES, how))
            # A killed server isn't started again before its backends are gone, however often that is tried.
            eventually(lambda: _is_back(running, before))
            # Of two servers on the same data at once the older would spoil what the newer writes.
            assert not processes.command_line(old)
            with psycopg.connect(running.admin_url) as connection:
                assert connection.execute("SELECT one FROM kept").fetchone() == (1,)

    def test_a_flush_leaves_nothing_in_valkey(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in (environment.OWN_DATABASE, environment.OWN_REDIS):
            monkeypatch.delenv(name, raising=False)
        with services.services(tmp_path, say=lambda text: None) as running:
            assert running.supervisor
            with redis.Redis.from_url(running.redis_url) as client:
                client.set("key", "value")
                system = Stack("", {"REDIS_URL": running.redis_url}, running.supervisor, "")
                assert Saboteur(system).strike(Planned(faults.FLUSH, "flushed"))
                assert client.dbsize() == 0


def _is_back(running: services.Services, before: int) -> bool:
    assert running.supervisor
    if running.supervisor.pids()["postgres"] == before:
        return False
    try:
        psycopg.connect(running.admin_url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


class TestCrowd:
    @pytest.mark.committed
    @pytest.mark.parametrize("mode", crowd.SPLITS)
    def test_its_history_holds_and_its_split_is_right(self, clock: Clock, mode: str) -> None:
        gathered = crowd.gather(23, mode)
        run = Settlement.objects.get(pk=gathered.settlement)
        assert gathered.hands == 23 + 4
        call_command("check_invariants", verbosity=0)
        make.close(clock, run)
        make.split(run)
        assert run.pool.campaign.rulebooks.get().rules["split"]["mode"] == mode
        assert Payout.objects.filter(pool=gathered.pool).count() == 23
        assert second_opinion.faults(run.pk) == []

    @pytest.mark.committed
    def test_a_wrong_fen_is_found(self, clock: Clock) -> None:
        run = make.SettlementFactory.create(winners=3)
        make.close(clock, run)
        run = make.split(run)
        paid = make.payouts(run)
        poorer, richer = list(paid)[:2]
        paid[poorer] -= 1
        assert len(second_opinion._sum(run, paid)) == 1
        paid[richer] += 1
        assert second_opinion._sum(run, paid) == []
        (fault,) = second_opinion._amounts(run, paid)
        assert "md5" in fault
        del paid[poorer]
        (fault,) = second_opinion._amounts(run, paid)
        assert "other winners" in fault


class TestMemory:
    def test_the_most_that_any_process_held(self) -> None:
        grown = memory.Grown()
        for sample in ({1: 10.0, 2: 20.0}, {1: 35.0, 2: 21.0, 3: 5.0}, {1: 12.0}):
            grown.note(sample)
        assert (grown.before_mib, grown.most_mib) == (20.0, 35.0)

    def test_a_process_and_its_children_are_seen(self) -> None:
        with subprocess.Popen(["sleep", "60"]) as child:
            found = memory.resident(os.getpid())
            child.kill()
        assert found[os.getpid()] > 1 and child.pid in found


class TestHostileFrames:
    words = hostile.Words(json.loads(asyncapi.document()), players=["p", "q"], kinds=["harmony"])

    def test_a_seed_has_its_frames(self) -> None:
        def frames(seed: int) -> list[str | bytes]:
            dice = Random(seed)
            made = [hostile.text(make(dice)) for make in (self.words.right, self.words.wrong) * 50]
            return [*made, *(hostile.mutated(dice, frame) for frame in made), hostile.noise(dice), hostile.wire(dice)]

        assert frames(1) == frames(1)
        assert frames(1) != frames(2)

    def test_every_command_is_attacked_with_what_its_schema_allows_and_with_what_it_does_not(self) -> None:
        dice, measure = Random(1), {op: Draft7Validator(schema) for op, schema in self.words.commands.items()}
        right = [self.words.right(dice) for _ in range(2000)]
        of_the_socket = {"ping", "token.refresh", "presence.watch", "tally.watch", "tally.unwatch"}
        assert {frame["op"] for frame in right} == set(COMMANDS) | of_the_socket
        assert all(measure[frame["op"]].is_valid(frame["data"]) for frame in right)
        wrong = [self.words.wrong(dice) for _ in range(2000)]
        spoilt = [
            frame for frame in wrong if frame["op"] in measure and not measure[frame["op"]].is_valid(frame["data"])
        ]
        assert {frame["op"] for frame in spoilt} >= set(COMMANDS)
        assert len(spoilt) > 1000

    def test_it_goes_on_with_trades_that_it_heard_of(self) -> None:
        words = hostile.Words(json.loads(asyncapi.document()), players=["p"], kinds=["harmony"])
        words.heard("the-trade")
        dice = Random(1)
        named = [
            frame["data"]["trade"] for frame in (words.right(dice) for _ in range(500)) if "trade" in frame["data"]
        ]
        assert set(named) == {"the-trade"}

    def test_codes_and_lines_that_should_not_be_are_found(self) -> None:
        tally = Tally(100)
        tally.codes.update(["card-not-held", "internal-error", "never-heard-of"])
        assert tally.undocumented() == {"internal-error": 1, "never-heard-of": 1}
        bad = "12:00:00.123 ERROR fortunes.socket a command failed"
        fine = "12:00:00.123 WARNING fortunes.socket an ERROR of others"
        assert fuzz.TROUBLE.findall(f"{fine}\n{bad}\nTraceback (most recent call last):\n") == [
            bad, "Traceback (most recent call last):",
        ]  # fmt: skip


class TestCommand:
    def test_every_run_says_what_it_does(self) -> None:
        said = subprocess.run(
            [sys.executable, "manage.py", "soak", "--help"],
            cwd=environment.ROOT, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        for name, run in soak.runs().items():
            assert name in said and run.HELP.split()[0] in said

    @pytest.mark.parametrize("words", [[], ["nonsense"], ["demo", "--runs", "0"], ["settlement", "--winners", "x"]])
    def test_nonsense_is_refused(self, words: list[str]) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", "soak", *words],
            cwd=environment.ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2

    @pytest.mark.slow
    def test_an_interrupted_run_leaves_nothing_behind(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "soak", "settlement", "--winners", "10"],
            cwd=environment.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        said = ""
        for line in process.stdout or ():
            said += line
            if "new" in line:
                break
        (database,) = re.findall(r"database demo_(\w+): new", said)
        folder = environment.LOCAL / f"{systems.PREFIX}{database}"
        assert folder.exists()
        os.killpg(process.pid, signal.SIGINT)
        said += process.communicate(timeout=60)[0]
        assert process.returncode == 130, said
        assert "Traceback" not in said
        assert not folder.exists()
