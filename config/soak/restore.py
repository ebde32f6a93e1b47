"""`./dev soak restore`: the drill of docs/operations.md. A server with an archive of its WAL dies while a season is
played; from a base backup and the archive two others are made, one of the last moment and one of an earlier one.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from config.local import environment, postgres, processes, roles, secrets, template
from config.local.errors import LocalError
from config.local.postgres import Postgres
from config.local.privileges import leashed
from config.local.services import Services
from config.local.stack import manage
from config.soak import Say, at_least
from config.soak.acts import COUPLES, Act
from fortunes.sql import text

HELP = "base backup and WAL: a server dies, and comes back as it was at its last moment and at an earlier one"

PATIENCE_S = 60.0
# Who was in the middle of a scan and a gift when the server died.
AT_WORK = 2 * COUPLES
DATABASE = "fortunes"
# In an archive a file is there whole or not at all.
ARCHIVING = """
archive_mode = on
archive_command = 'test ! -f "{archive}/%f" && cp "%p" "{archive}/%f.new" && mv "{archive}/%f.new" "{archive}/%f"'
"""
RESTORING = """
archive_mode = off
restore_command = 'cp "{archive}/%f" "%p"'
recovery_target_action = promote
"""
SCANS = "SELECT key, extract(epoch FROM at)::float8 FROM cards_draw"
GIFTS = "SELECT public_id::text, extract(epoch FROM created_at)::float8 FROM cards_trade"


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--acts", type=at_least(30), default=3000, help="acknowledged writes before the server dies")
    # What this command runs beside the server that it started.
    parser.add_argument("--play", type=float, help=SUPPRESS)


def run(options: Mapping[str, Any], say: Say) -> int:
    if options["play"]:
        from config.soak import acts

        acts.play(options["play"], say)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="restore-", dir=environment.LOCAL))
    # As root, PostgreSQL may have to run as a user who must get in (config/local/privileges.py).
    folder.chmod(0o711)
    try:
        return _drill(folder, options["acts"], say)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _drill(folder: Path, wanted: int, say: Say) -> int:
    known = secrets.passwords(folder / "passwords.json")
    secrets.ensure(environment.SECRETS)
    archive = folder / "archive"
    archive.mkdir(mode=0o700)
    lost = postgres.prepare(folder / "main", known["superuser"], shared_buffers="64MB")
    lost.account.prepare(archive)
    _configure(lost, ARCHIVING.format(archive=archive))
    with _running(lost) as process:
        services = Services(lost.url(), environment.NOWHERE["REDIS_URL"], known)
        roles.ensure_roles(lost.url(), known)
        roles.create_database(services.owner_url(), DATABASE)
        template.migrate(services, DATABASE)
        say("server     one with an archive of its WAL, migrated")
        with _playing(services, folder / "play.log") as acts:
            acts.wait_for(wanted // 3)
            _base_backup(lost, folder / "base")
            say(f"backup     a base backup of the living server, checked, after {len(acts.done)} writes")
            acts.wait_for(len(acts.done) + wanted // 3)
            moment, epoch = _now(lost), _epoch(services)
            acts.wait_for(len(acts.done) + wanted // 3)
            # "Immediate": no checkpoint, nothing flushed, as in a crash; and it waits for its children.
            process.send_signal(signal.SIGQUIT)
            process.wait(PATIENCE_S)
        say(f"crash      in the middle of the play, after {len(acts.done)} acknowledged writes")
    _rescue_wal(lost, archive)
    last = _restored(folder, "last", lost, archive, known, None)
    earlier = _restored(folder, "earlier", lost, archive, known, moment)
    faults = [*_judge("last", last, acts.done, None, say), *_judge("earlier", earlier, acts.done, moment, say)]
    if epoch in (last.epoch, earlier.epoch):
        faults.append("a restored server doesn't say that its history is another one, so that clients would not notice")
    for fault in faults:
        say(f"WRONG      {fault}")
    if not faults:
        say("restored as it was")
    return 1 if faults else 0


@contextmanager
def _running(server: Postgres) -> Iterator[subprocess.Popen[bytes]]:
    """The server until the block ends; without a supervisor, which would start it again."""
    program = server.program()
    with (server.directory / "log").open("ab") as log:
        process = subprocess.Popen(
            leashed(program.argv, account=program.account, signal_number=program.stop_signal),
            env=program.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_until(server, process)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(program.stop_signal)
        process.wait(PATIENCE_S)


def _wait_until(server: Postgres, process: subprocess.Popen[bytes]) -> None:
    """It answers, and has recovered whatever it had to."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            with psycopg.connect(server.url(), connect_timeout=2) as connection:
                row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
                if row == (False,):
                    return
        except psycopg.OperationalError:
            pass
        if process.poll() is not None or time.monotonic() > ends:
            raise LocalError(f"the server didn't start:\n{(server.directory / 'log').read_text()[-2000:]}")
        time.sleep(0.1)


class Journal:
    """What the players were told, as they tell it."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.done: list[Act] = []
        self._process = process
        self._log = log
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, count: int) -> None:
        ends = time.monotonic() + PATIENCE_S * 5
        while len(self.done) < count:
            if self._process.poll() is not None or time.monotonic() > ends:
                raise LocalError(f"the play ended after {len(self.done)} writes:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.02)

    def finish(self) -> None:
        self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            if line.startswith("{"):
                self.done.append(msgspec.json.decode(line, type=Act))


@contextmanager
def _playing(services: Services, log: Path) -> Iterator[Journal]:
    """Writes without pause until the server is gone."""
    command = [sys.executable, "manage.py", "soak", "restore", "--play", str(PATIENCE_S * 10)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=environment.ROOT, env=services.environment(DATABASE),
            text=True, stdout=subprocess.PIPE, stderr=file,
        )  # fmt: skip
    journal = Journal(process, log)
    try:
        yield journal
        journal.finish()
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _base_backup(server: Postgres, target: Path) -> None:
    target.mkdir(mode=0o700)
    server.account.prepare(target)
    for words in (
        ["pg_basebackup", "--dbname", server.url(), "--pgdata", str(target), "--checkpoint=fast"],
        ["pg_verifybackup", "--quiet", str(target)],
    ):
        argv = [str(server.bin / words[0]), *words[1:]]
        done = subprocess.run(
            leashed(argv, account=server.account, signal_number=signal.SIGKILL),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LocalError(f"{words[0]} failed:\n{done.stderr}")


def _rescue_wal(server: Postgres, archive: Path) -> None:
    """The segments that were not archived yet: the last one is never full when a server dies."""
    for segment in sorted((server.data / "pg_wal").iterdir()):
        if segment.is_file() and len(segment.name) == 24 and not (archive / segment.name).exists():
            shutil.copy2(segment, archive)
    server.account.prepare(archive)


@dataclass(frozen=True)
class Restored:
    """What a restored server holds: the instants of scans and gifts by their names."""

    scans: Mapping[str, float]
    gifts: Mapping[str, float]
    invariants: str
    epoch: str
    seconds: float


def _restored(
    folder: Path, name: str, lost: Postgres, archive: Path, known: Mapping[str, str], moment: datetime | None
) -> Restored:
    """A server from the base backup and the archive, up to `moment` or the end, looked at and stopped again."""
    started = time.monotonic()
    directory = folder / name
    directory.mkdir(mode=0o700)
    shutil.copytree(folder / "base", directory / "data")
    port = processes.remembered_port(directory / "port")
    server = Postgres(directory, lost.password, port, lost.bin, lost.account, lost.shared_buffers)
    server.account.prepare(directory)
    target = f"recovery_target_time = '{moment.isoformat()}'\n" if moment else ""
    _configure(server, RESTORING.format(archive=archive) + target)
    (server.data / "recovery.signal").touch()
    server.account.prepare(directory)
    with _running(server):
        seconds = time.monotonic() - started
        services = Services(server.url(), environment.NOWHERE["REDIS_URL"], known)
        said = manage(services.environment(DATABASE), "check_invariants")
        with psycopg.connect(services.app_url(DATABASE)) as connection:
            done: dict[str, float] = dict(connection.execute(SCANS).fetchall())
            given: dict[str, float] = dict(connection.execute(GIFTS).fetchall())
        return Restored(done, given, said.strip().splitlines()[-1], _epoch(services), seconds)


def _judge(name: str, restored: Restored, done: Iterable[Act], moment: datetime | None, say: Say) -> Iterator[str]:
    """What was acknowledged up to the moment is there, and nothing that began after it."""
    until = moment.timestamp() if moment else float("inf")
    acts = list(done)
    missing = extra = 0
    for kind, there in (("scan", restored.scans), ("gift", restored.gifts)):
        mine = {act.name: act for act in acts if act.kind == kind}
        missing += sum(act.ended < until and act.name not in there for act in mine.values())
        extra += sum(act.began > until and act.name in there for act in mine.values())
    count = len(restored.scans) + len(restored.gifts)
    say(
        f"{name:10} {count} writes are there, {missing} acknowledged ones are missing, {extra} are from later; "
        f"{restored.invariants}; {restored.seconds:.1f} s"
    )
    if missing or extra:
        yield f"{name}: {missing} missing, {extra} from later"
    # What was committed just before the server died, its players were not told.
    if moment is None and not 0 <= count - len(acts) <= AT_WORK:
        yield f"{name}: {count} writes of {len(acts)}"
    if not any(act.ended < until for act in acts) or (moment and not any(act.began > until for act in acts)):
        yield f"{name}: nothing was played, so nothing was shown"


def _epoch(services: Services) -> str:
    """The name of the feeds' history, by which clients notice a restore."""
    with psycopg.connect(services.app_url(DATABASE)) as connection:
        row = connection.execute(text("fortunes", "epoch").encode()).fetchone()
    return str(row[0]) if row else ""


def _now(server: Postgres) -> datetime:
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    if row is None:
        raise LocalError("the server told no time")
    moment: datetime = row[0]
    return moment.astimezone(UTC)


def _configure(server: Postgres, lines: str) -> None:
    with (server.data / "postgresql.conf").open("a") as file:
        file.write(lines)
