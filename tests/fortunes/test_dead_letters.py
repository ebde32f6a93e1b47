"""What a job has given up waits for a person, who decides once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from django.db.transaction import TransactionManagementError, atomic

from fortunes import audit, deadletters, errors
from fortunes.models import AuditEntry, DeadLetter
from tests.concurrency.together import together
from tests.factories.accounts import PlayerFactory

JOB = "tests.parcels"


@pytest.fixture
def revived(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """What the owner of the job was handed back."""
    handed: list[int] = []
    monkeypatch.setitem(deadletters._revivers, JOB, handed.append)
    yield handed
    with atomic():
        DeadLetter.objects.filter(job=JOB).delete()


def waiting() -> int:
    return DeadLetter.objects.filter(outcome=None).count()


def bury(subject_id: int = 7, error: str = "ValueError") -> int:
    with atomic():
        return deadletters.bury(job=JOB, subject_id=subject_id, error=error)


@pytest.mark.django_db
class TestBurying:
    def test_twice_is_one_letter_with_the_newest_reason(self, revived: list[int]) -> None:
        first, again, other = bury(error="a"), bury(error="b" * 900), bury(8)
        assert first == again != other
        assert DeadLetter.objects.get(pk=first).error == "b" * 500
        assert waiting() == 2

    def test_without_a_reviver_is_a_mistake(self) -> None:
        with pytest.raises(ValueError, match="no reviver"), atomic():
            deadletters.bury(job="nobody's", subject_id=1, error="")

    def test_after_a_decision_is_a_new_letter(self, revived: list[int]) -> None:
        alice = PlayerFactory.create()
        letter = bury()
        deadletters.dismiss(letter_id=letter, by=alice.pk)
        assert bury() != letter

    def test_two_revivers_are_a_mistake(self, revived: list[int]) -> None:
        with pytest.raises(ValueError, match="two revivers"):
            deadletters.reviver(JOB)(revived.append)


def test_burying_belongs_to_a_transaction(committed_db: None, revived: list[int]) -> None:
    with pytest.raises(TransactionManagementError):
        deadletters.bury(job=JOB, subject_id=1, error="")


@pytest.mark.django_db
class TestDeciding:
    def test_reviving_hands_back_and_is_audited(self, revived: list[int]) -> None:
        alice = PlayerFactory.create()
        letter = deadletters.revive(letter_id=bury(), by=alice.pk)
        assert revived == [7]
        assert (letter.outcome, letter.decided_by) == ("revived", alice)
        entry = AuditEntry.objects.get(seq=audit.head()[0])
        assert (entry.actor_id, entry.action, entry.subject_id) == (alice.pk, "dead_letter.revived", letter.pk)
        assert entry.data == {"job": JOB, "of": 7}

    def test_dismissing_leaves_it(self, revived: list[int]) -> None:
        letter = deadletters.dismiss(letter_id=bury(), by=PlayerFactory.create().pk)
        assert (letter.outcome, revived, waiting()) == ("dismissed", [], 0)

    def test_only_once(self, revived: list[int]) -> None:
        alice, letter = PlayerFactory.create(), bury()
        deadletters.dismiss(letter_id=letter, by=alice.pk)
        for decide in (deadletters.revive, deadletters.dismiss):
            with pytest.raises(errors.DeadLetterDecided):
                decide(letter_id=letter, by=alice.pk)
        assert revived == []

    def test_of_none(self) -> None:
        with pytest.raises(errors.DeadLetterNotFound):
            deadletters.revive(letter_id=0, by=PlayerFactory.create().pk)

    def test_what_the_owner_refuses_stays_open(self, monkeypatch: pytest.MonkeyPatch, revived: list[int]) -> None:
        def refuse(subject_id: int) -> None:
            raise errors.StillInProgress

        monkeypatch.setitem(deadletters._revivers, JOB, refuse)
        letter, before = bury(), audit.head()
        with pytest.raises(errors.StillInProgress):
            deadletters.revive(letter_id=letter, by=PlayerFactory.create().pk)
        assert waiting() == 1
        assert audit.head() == before


@pytest.mark.committed
def test_many_at_once_revive_it_once(revived: list[int]) -> None:
    alice = PlayerFactory.create()
    letter, refused = bury(), []

    def press() -> None:
        try:
            deadletters.revive(letter_id=letter, by=alice.pk)
        except errors.DeadLetterDecided:
            refused.append(1)

    together(*[press] * 8)
    decided = AuditEntry.objects.filter(action="dead_letter.revived", subject_id=letter)
    assert (decided.count(), len(refused)) == (1, 7)


@pytest.mark.committed
def test_whose_subject_somebody_else_has_just_revived_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner has waited for the other one, finds its subject revived, and refuses that."""
    alice = PlayerFactory.create()

    def refuse(subject_id: int) -> None:
        together(partial(deadletters.dismiss, letter_id=letter, by=alice.pk))
        raise errors.StillInProgress

    monkeypatch.setitem(deadletters._revivers, JOB, refuse)
    letter = bury(9)
    with pytest.raises(errors.DeadLetterDecided):
        deadletters.revive(letter_id=letter, by=alice.pk)
    with atomic():
        DeadLetter.objects.filter(job=JOB).delete()
