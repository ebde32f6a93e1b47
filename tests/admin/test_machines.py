"""Jobs, dead letters, batches of codes and the audit at the admin."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.contrib.messages import get_messages
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from accounts.models import Player
from cards.models import CodeBatch
from fortunes import audit, jobs
from fortunes.models import AuditEntry, DeadLetter, Job
from tests.admin.conftest import member_of_staff, signed_in
from tests.factories.cards import SeasonFactory, code


def said(response: HttpResponse) -> str:
    return [str(message) for message in get_messages(response.wsgi_request)][-1]


class TestJobs:
    def test_is_rung_for_and_goes_on_record(
        self, boss: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        rung: list[str] = []
        monkeypatch.setattr(jobs, "_start", lambda: rung.append)
        Job.objects.create(name="a.job", interval_s=2)
        with django_capture_on_commit_callbacks(execute=True):
            assert said(boss.post("/admin/fortunes/job/a.job/run/")) == "a.job has been rung for."
        assert rung == ["a.job"]
        assert AuditEntry.objects.get(action="job.run_again").data == {"job": "a.job"}
        assert said(boss.post("/admin/fortunes/job/no.job/run/")) == "Beat rings for no such job."

    def test_list_tells_how_they_are(self, boss: Client) -> None:
        Job.objects.create(name="a.job", interval_s=2, failures=1, last_error="Boom")
        page = boss.get("/admin/fortunes/job/").content.decode()
        assert "Boom" in page and "failing" in page
        assert "Run again" in boss.get("/admin/fortunes/job/a.job/change/").content.decode()


class TestDeadLetters:
    def test_is_decided_once(self, boss: Client) -> None:
        letter = DeadLetter.objects.create(job="redpackets.settlements", subject_id=1, error="Mismatch")
        address = f"/admin/fortunes/deadletter/{letter.pk}"
        assert "Dismiss" in boss.get(f"{address}/change/").content.decode()
        assert said(boss.post(f"{address}/dismissal/")) == "It stays as it is."
        for button in ("dismissal", "revival"):
            assert said(boss.post(f"{address}/{button}/")) == "Somebody has decided about this dead letter already."
        assert "Dismiss<" not in boss.get(f"{address}/change/").content.decode()
        assert AuditEntry.objects.filter(action="dead_letter.dismissed", subject_id=letter.pk).count() == 1


class TestBatches:
    def test_is_revoked_once(self, boss: Client) -> None:
        campaign = SeasonFactory()
        code(campaign)
        batch = CodeBatch.objects.get(campaign=campaign)
        address = f"/admin/cards/codebatch/{batch.pk}"
        assert "Revoke" in boss.get(f"{address}/change/").content.decode()
        for _ in range(2):
            assert "counts any more" in said(boss.post(f"{address}/revocation/"))
        batch.refresh_from_db()
        assert batch.revoked_at
        assert AuditEntry.objects.filter(action="codes.revoked", subject_id=batch.pk).count() == 1
        assert "Revoke all" not in boss.get(f"{address}/change/").content.decode()


class TestAudit:
    def test_list_tells_who_did_what_to_whom(self, boss: Client) -> None:
        subject = self.write(boss)
        for words in (subject.username, f"accounts.player:{subject.pk}", str(audit.head()[0])):
            page = boss.get("/admin/fortunes/auditentry/", {"q": words}).content.decode()
            assert f'href="/admin/accounts/player/{subject.pk}/change/"' in page
        row = boss.get(f"/admin/fortunes/auditentry/{audit.head()[0]}/change/").content.decode()
        assert audit.head()[1].hex() in row

    def write(self, boss: Client) -> Player:
        clerk = member_of_staff()
        with transaction.atomic():
            audit.record(actor=clerk.pk, action="test.wrote", subject="accounts.player", subject_id=clerk.pk)
        return clerk


@pytest.mark.committed
def test_chain_is_verified_by_whoever_may_look_at_it(owner_connection: psycopg.Connection) -> None:
    with transaction.atomic(durable=True):
        audit.record(actor=None, action="test.wrote", subject="accounts.player", subject_id=None)
    number, newest = audit.head()
    auditor = signed_in(member_of_staff("fortunes.view_auditentry"))
    verify = "/admin/fortunes/auditentry/verification/"
    assert said(auditor.post(verify)) == f"The chain is unbroken up to entry {number}, whose hash is {newest.hex()}."
    assert signed_in(member_of_staff("fortunes.view_job")).post(verify).status_code == 403
    break_it = "UPDATE fortunes_auditentry SET action = %s WHERE seq = %s"
    owner_connection.execute(break_it, ["test.forged", number])
    try:
        assert said(auditor.post(verify)) == f"The chain is broken at entry {number}."
    finally:
        owner_connection.execute(break_it, ["test.wrote", number])
