"""The audit's chain: every entry builds on the one before, also when staff act at once."""

from __future__ import annotations

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError

from fortunes import audit, invariants
from fortunes.models import AuditEntry
from tests.concurrency.together import together
from tests.concurrency.variants import meeting, without
from tests.factories.accounts import PlayerFactory

UNBROKEN = next(known for known in invariants.every() if known.name == "fortunes/audit_unbroken")


def write(actor: int | None, number: int) -> None:
    with transaction.atomic(durable=True):
        audit.record(actor=actor, action="test.wrote", subject="accounts.player", subject_id=actor, number=number)


def test_an_entry_belongs_to_a_transaction(committed_db: None) -> None:
    with pytest.raises(TransactionManagementError):
        audit.record(actor=None, action="test.wrote", subject="accounts.player", subject_id=None)


def test_an_entry_says_who_did_what(committed_db: None) -> None:
    alice = PlayerFactory.create()
    number, _ = audit.head()
    write(alice.pk, 7)
    entry = AuditEntry.objects.get(seq=number + 1)
    assert (entry.actor_id, entry.action, entry.subject_id) == (alice.pk, "test.wrote", alice.pk)
    assert entry.data == {"number": 7}
    assert audit.head() == (number + 1, bytes(entry.hash))


def test_a_refused_action_leaves_no_entry(committed_db: None) -> None:
    before = audit.head()
    with pytest.raises(RuntimeError), transaction.atomic(durable=True):
        audit.record(actor=None, action="test.wrote", subject="accounts.player", subject_id=None)
        raise RuntimeError
    assert audit.head() == before


@pytest.mark.committed
def test_many_at_once_make_one_chain() -> None:
    before, _ = audit.head()
    together(*(lambda number=number: write(None, number) for number in range(24)))
    assert audit.head()[0] == before + 24
    assert not invariants.violations(UNBROKEN)


@pytest.mark.committed
def test_control_without_the_lock_two_build_on_one(owner_connection: psycopg.Connection) -> None:
    """Whoever reads the same newest entry takes the same number, which only one of them gets."""
    with (
        meeting(owner_connection, 4) as meet,
        without(
            owner_connection, "fortunes", "audit",
            cut="PERFORM pg_advisory_xact_lock(hashtextextended('fortunes audit', 0));",
            more={"before := coalesce": f"PERFORM {meet}; before := coalesce"},
        ),
    ):  # fmt: skip
        outcomes = together(*(lambda: write(None, 1) for _ in range(4)))
    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 3


@pytest.mark.committed
@pytest.mark.parametrize(
    "violation",
    [
        """UPDATE fortunes_auditentry SET data = '{"number": 2}' WHERE seq = 1""",
        "UPDATE fortunes_auditentry SET actor_id = -1 WHERE seq = 1",
        "UPDATE fortunes_auditentry SET at = at + interval '1 microsecond' WHERE seq = 1",
        "DELETE FROM fortunes_auditentry WHERE seq = 1",
        "UPDATE fortunes_auditentry SET seq = seq + 1 WHERE seq = (SELECT max(seq) FROM fortunes_auditentry)",
    ],
)
def test_whoever_changes_the_past_is_found(owner_connection: psycopg.Connection, violation: str) -> None:
    write(None, 1)
    write(None, 2)
    with owner_connection.transaction(force_rollback=True):
        assert not owner_connection.execute(UNBROKEN.query.encode()).fetchall()
        owner_connection.execute(violation.encode())
        assert owner_connection.execute(UNBROKEN.query.encode()).fetchall()


def test_the_hash_depends_on_no_setting_of_the_session(committed_db: None) -> None:
    write(None, 1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'Asia/Shanghai'; SET LOCAL datestyle = 'SQL, DMY'")
        cursor.execute(UNBROKEN.query)
        assert cursor.fetchall() == []
