"""The audit's heads outside the database: published when they move, and found out when the chain was changed."""

from __future__ import annotations

import json
import logging
import os
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from config import logs
from fortunes import audit, heads
from fortunes.models import AuditEntry

FORGED = """
UPDATE fortunes_auditentry e
   SET action = %(action)s::text,
       hash = fortunes_audit_hash(
           coalesce((SELECT b.hash FROM fortunes_auditentry b WHERE b.seq = e.seq - 1),
                    decode(repeat('00', 32), 'hex')),
           e.seq, e.at, e.actor_id, %(action)s::text, e.subject, e.subject_id, e.data)
 WHERE e.seq = %(seq)s
"""

pytestmark = pytest.mark.committed


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    settings.AUDIT_HEADS_FILE = str(tmp_path / "heads")
    return tmp_path / "heads"


def write() -> None:
    with transaction.atomic(durable=True):
        audit.record(actor=None, action="test.wrote", subject="accounts.player", subject_id=1)


def check(*words: str, **options: Any) -> str:
    out = StringIO()
    try:
        call_command("check_invariants", *words, stdout=out, **options)
    except CommandError as error:
        out.write(str(error))
    return out.getvalue()


def test_only_what_moved_is_published(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    write()
    assert heads.publish() == audit.head()
    assert heads.publish() is None
    write()
    write()
    heads.publish()
    published = list(heads.read(file))
    assert [head.seq for head in published] == [audit.head()[0] - 2, audit.head()[0]]
    assert heads.faults(published) == []
    told = [json.loads(logs.Formatter().format(record)) for record in caplog.records if record.name == "fortunes.audit"]
    assert [line["head"] for line in told] == [head.hash.hex() for head in published]


def test_without_a_file_the_log_has_them(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.AUDIT_HEADS_FILE = ""
    caplog.set_level(logging.INFO)
    write()
    assert heads.publish() == audit.head()
    assert heads.publish() is None
    assert [record.name for record in caplog.records].count("fortunes.audit") == 1


def test_the_command_prints_the_head() -> None:
    write()
    out = StringIO()
    call_command("audit_head", stdout=out)
    seq, head = audit.head()
    assert out.getvalue() == f"{seq} {head.hex()}\n"


def test_what_was_cut_off_spoils_nothing_after_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk was full, or the worker was killed: later heads are on lines of their own."""
    write()
    whole = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: whole(descriptor, line[:30]))
    for _ in range(2):
        with pytest.raises(OSError, match="cut off"):
            heads.publish()
    monkeypatch.undo()
    assert heads.publish() == audit.head()
    write()
    assert heads.publish() == audit.head()
    published = list(heads.read(file))
    assert [head.seq for head in published] == [audit.head()[0] - 1, audit.head()[0]]
    assert heads.faults(published) == []


class TestComparing:
    def test_what_was_published_is_there(self, file: Path) -> None:
        write()
        heads.publish()
        assert "ok     1 published heads of the audit" in check()

    def test_a_chain_that_was_made_anew_is_found(self, file: Path, owner_connection: psycopg.Connection) -> None:
        """It is unbroken in itself, so that only an earlier head can tell."""
        write()
        heads.publish()
        seq, _ = audit.head()
        last = AuditEntry.objects.values().get(seq=seq)
        try:
            owner_connection.execute(FORGED, {"action": "test.forged", "seq": seq})
            said = check()
            assert "ok     fortunes/audit_unbroken" in said
            assert f"entry {seq} had another hash when it was published" in said
        finally:
            owner_connection.execute(FORGED, {"action": last["action"], "seq": seq})
        assert audit.head() == (seq, bytes(last["hash"]))

    def test_a_chain_that_was_cut_is_found(self, file: Path) -> None:
        seq, _ = audit.head()
        file.write_text(f"{seq + 1000} {'ab' * 32} 2026-11-22T00:00:00+00:00\n")
        assert f"entry {seq + 1000} was published and is not there" in check()

    def test_the_file_is_asked_for(self, tmp_path: Path) -> None:
        write()
        seq, head = audit.head()
        (tmp_path / "kept").write_text(f"{seq} {head.hex()} then\n{seq + 1} cut o")
        assert "1 published heads" in check("fortunes/audit_unbroken", heads=str(tmp_path / "kept"))
        assert "published" not in check("fortunes/audit_unbroken")

    @pytest.mark.parametrize("text", ["7\n", "seven " + "ab" * 32 + " then\n", f"7 {'zz' * 32} then\n", "7 ab then\n"])
    def test_a_file_that_is_none_is_no_success(self, file: Path, text: str) -> None:
        file.write_text(text)
        assert "can't be read" in check()
        file.unlink()
        assert "can't be read" in check()
