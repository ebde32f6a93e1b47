"""A draft of a vote that two of the staff have before them: who is second is told, and overwrites or opens nothing.

With controls in which what was seen is compared before the lock on the draft, as a page by itself could do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from fortunes import errors
from fortunes.actions import judging, proposals
from fortunes.models import AuditEntry, Proposal
from tests.admin.conftest import member_of_staff, signed_in
from tests.admin.motions import LOOK, RUN, filled, page
from tests.admin.motions import errors as told_at_fields
from tests.concurrency.together import PATIENCE_S, together, until_somebody_waits
from tests.factories.cards import SeasonFactory
from tests.factories.votes import DraftProposalFactory

pytestmark = pytest.mark.committed

SECOND = "Second?"
CHANGED, BUSY = "changed this draft meanwhile", "Please try again"


@pytest.fixture
def draft() -> Proposal:
    proposal: Proposal = DraftProposalFactory.create(campaign=SeasonFactory.create())
    return proposal


def save(client: Client, draft: Proposal) -> Callable[[], Any]:
    """A colleague is about to send the form as it was before anybody else sent theirs."""
    sent = filled(client, page(draft, "edit/")) | {"question_en": SECOND}
    return lambda: client.post(page(draft, "edit/"), sent)


def open_(client: Client, draft: Proposal) -> Callable[[], Any]:
    """A colleague has looked at the effects and is about to open what they have seen."""
    seen = client.post(page(draft, "effects/")).context["seen"]
    return lambda: client.post(page(draft, "opening/"), {"seen": seen})


def while_another_saves(draft: Proposal, act: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What comes of an act that begins while the draft, with another question, is written but not committed."""
    judge, written = judging.require_draft, threading.Event()
    first, second = (signed_in(member_of_staff(LOOK, RUN)) for _ in range(2))
    sent, late = filled(first, page(draft, "edit/")) | {"question_en": "First?"}, act(second, draft)

    def judge_slowly(*given: Any, **more: Any) -> None:
        judge(*given, **more)
        if not written.is_set():
            written.set()
            until_somebody_waits()

    def begin_late() -> Any:
        assert written.wait(PATIENCE_S)
        found = late()
        # On a slow machine the lock may be too long in coming.
        while BUSY in said(found):
            found = late()
        return found

    monkeypatch.setattr(judging, "require_draft", judge_slowly)
    saved, found = together(lambda: first.post(page(draft, "edit/"), sent), begin_late)
    assert saved.status_code == 302
    return found


def seen_before_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    locked, seen_by = proposals._locked, threading.local()

    def look_and_lock(proposal_id: int) -> Proposal:
        if not hasattr(seen_by, "me"):
            seen_by.me = proposals.fingerprint(Proposal.objects.get(pk=proposal_id))
        return locked(proposal_id)

    def compare(_proposal: Proposal, seen: str | None) -> None:
        if seen != seen_by.me:
            raise errors.ProposalChanged

    monkeypatch.setattr(proposals, "_locked", look_and_lock)
    monkeypatch.setattr(proposals, "_require_seen", compare)


def said(response: Any) -> str:
    """The messages of a page, and what its forms say."""
    shown = told_at_fields(response) if response.context and "adminform" in response.context else {}
    return f"{[str(message) for message in get_messages(response.wsgi_request)]} {shown}"


def question(draft: Proposal) -> str:
    return Proposal.objects.get(pk=draft.pk).question_en


def edits(draft: Proposal) -> int:
    return AuditEntry.objects.filter(action="proposal.edited", subject_id=draft.pk).count()


def test_of_two_who_save_at_once_the_second_is_told(draft: Proposal, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = while_another_saves(draft, save, monkeypatch)
    assert CHANGED in said(refused)
    assert (question(draft), edits(draft)) == ("First?", 1)


def test_control_compared_before_the_lock_the_second_overwrites(
    draft: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_before_the_lock(monkeypatch)
    assert while_another_saves(draft, save, monkeypatch).status_code == 302
    assert (question(draft), edits(draft)) == (SECOND, 2)


def test_what_is_being_written_anew_is_not_opened(draft: Proposal, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = while_another_saves(draft, open_, monkeypatch)
    assert CHANGED in said(refused)
    assert Proposal.objects.get(pk=draft.pk).state == "draft"


def test_control_compared_before_the_lock_another_question_is_opened(
    draft: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_before_the_lock(monkeypatch)
    while_another_saves(draft, open_, monkeypatch)
    assert (Proposal.objects.get(pk=draft.pk).state, question(draft)) == ("open", "First?")
