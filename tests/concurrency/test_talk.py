"""Races of what is said: limits, erasures, replies that are sent twice, announcements that are published once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import transaction

from accounts.actions import bans, erasure
from accounts.models import Ban, Player
from fortunes import clock, commenting, errors, events
from fortunes.actions import announcements, comments
from fortunes.models import Announcement, AuditEntry, Broadcast, Campaign, Comment, Proposal
from tests.concurrency.together import PATIENCE_S, patiently, together, until, until_somebody_waits
from tests.factories import talk, votes
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import SeasonFactory

pytestmark = pytest.mark.committed


@pytest.fixture
def season() -> Campaign:
    return SeasonFactory.create()


@pytest.fixture
def vote(season: Campaign) -> Proposal:
    return votes.OpenProposalFactory.create(campaign=season)


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create()


def of(vote: Proposal) -> int:
    return Comment.objects.filter(proposal=vote).count()


class TestLimits:
    MANY = 3 * commenting.PER_MINUTE

    def race(self, alice: Player, vote: Proposal) -> list[Any]:
        return together(*(partial(patiently, partial(talk.comment, alice, vote, f"{n}")) for n in range(self.MANY)))

    def test_many_at_once_are_as_many_as_the_limit(self, alice: Player, vote: Proposal) -> None:
        outcomes = self.race(alice, vote)
        refused = [outcome for outcome in outcomes if isinstance(outcome, errors.CommentLimitReached)]
        assert (of(vote), len(refused)) == (commenting.PER_MINUTE, self.MANY - commenting.PER_MINUTE)

    def test_control_without_the_lock_on_the_player_they_are_more(
        self, alice: Player, vote: Proposal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """All of them count before any of them writes."""
        meeting, counted = threading.Barrier(self.MANY), comments._require_room

        def count_together(player_id: int) -> None:
            counted(player_id)
            meeting.wait(PATIENCE_S)

        monkeypatch.setattr(comments, "_lock_author", lambda player_id: None)
        monkeypatch.setattr(comments, "_require_room", count_together)
        self.race(alice, vote)
        assert of(vote) == self.MANY

    def test_one_request_sent_12_times_is_one_comment(self, alice: Player, vote: Proposal) -> None:
        outcomes = together(*[partial(patiently, partial(talk.comment, alice, vote, "tap", key="tap"))] * 12)
        assert of(vote) == 1
        assert {outcome.id for outcome in outcomes} == {Comment.objects.get(proposal=vote).public_id}


class TestGoing:
    """A player who comments while they are being erased, or shut out."""

    def comment_while_being_erased(
        self, alice: Player, vote: Proposal, monkeypatch: pytest.MonkeyPatch, wait: Callable[[], None]
    ) -> Any:
        """What comes of a comment that begins when the erasure has erased all comments; it goes on after `wait`."""
        erased, forget = threading.Event(), erasure._forget_names

        def forget_later(player_id: int) -> None:
            erased.set()
            wait()
            forget(player_id)

        def comment() -> Any:
            assert erased.wait(PATIENCE_S)
            return patiently(partial(talk.comment, alice, vote, "my own words"))

        monkeypatch.setattr(erasure, "_forget_names", forget_later)
        gone, outcome = together(partial(erasure.erase, player_id=alice.pk, by=alice.pk), comment)
        assert gone is None
        return outcome

    def test_a_comment_waits_for_the_erasure_of_its_player(
        self, alice: Player, vote: Proposal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        outcome = self.comment_while_being_erased(alice, vote, monkeypatch, until_somebody_waits)
        assert isinstance(outcome, errors.CommentNotAllowed)
        assert of(vote) == 0

    def test_control_without_that_lock_a_comment_outlives_its_player(
        self, alice: Player, vote: Proposal, monkeypatch: pytest.MonkeyPatch, owner_connection: psycopg.Connection
    ) -> None:
        monkeypatch.setattr(comments, "_lock_author", lambda player_id: None)
        written = Comment.objects.filter(proposal=vote)
        self.comment_while_being_erased(alice, vote, monkeypatch, partial(until, written.exists))
        assert [row.text for row in written] == ["my own words"]
        # The session ends with a check of the invariants.
        owner_connection.execute("DELETE FROM fortunes_comment WHERE proposal_id = %s", [vote.pk])

    def test_a_ban_waits_for_a_comment_and_the_next_is_refused(self, alice: Player, vote: Proposal) -> None:
        staff = PlayerFactory.create(is_staff=True)
        locked = threading.Event()

        def comment() -> None:
            with transaction.atomic():
                comments._lock_author(alice.pk)
                locked.set()
                until_somebody_waits()

        def ban() -> Ban:
            assert locked.wait(PATIENCE_S)
            return patiently(partial(bans.ban, player_id=alice.pk, by=staff.pk, reason=Ban.Reason.ABUSE))

        written, banned = together(comment, ban)
        assert written is None and isinstance(banned, Ban)
        with pytest.raises(errors.CommentNotAllowed):
            talk.comment(alice, vote)


class TestReplies:
    def test_a_reply_sent_by_8_at_once_is_one(self, alice: Player, vote: Proposal) -> None:
        row, staff, chosen = talk.commented(alice, vote), PlayerFactory.create(is_staff=True), uuid4()
        answer = partial(comments.answer, comment_id=row.pk, text="thanks", by=staff.pk, public_id=chosen)
        replies = together(*[partial(patiently, answer)] * 8)
        assert {reply.public_id for reply in replies} == {chosen}
        assert Broadcast.objects.filter(campaign=vote.campaign, type="comment.answered").count() == 1

    def test_hidden_by_8_at_once_is_hidden_once(self, alice: Player, vote: Proposal) -> None:
        row, staff = talk.commented(alice, vote), PlayerFactory.create(is_staff=True)
        together(*[partial(patiently, partial(comments.hide, comment_id=row.pk, by=staff.pk))] * 8)
        assert AuditEntry.objects.filter(subject="fortunes.comment", subject_id=row.pk).count() == 1

    @pytest.mark.parametrize("locked", [True, False], ids=["a reply holds its comment", "control without the lock"])
    def test_a_comment_is_hidden_while_it_is_answered(
        self, alice: Player, vote: Proposal, monkeypatch: pytest.MonkeyPatch, locked: bool
    ) -> None:
        """With the lock the reply is there before the comment is hidden; without, staff answer what is hidden."""
        row, staff = talk.commented(alice, vote), PlayerFactory.create(is_staff=True)
        looked, reply, hidden_first = threading.Event(), comments._answer, []

        def reply_later(to: Comment, *args: Any) -> Comment:
            looked.set()
            hidden = Comment.objects.filter(pk=row.pk, hidden_at__isnull=False)
            until_somebody_waits() if locked else until(hidden.exists)
            hidden_first.append(hidden.exists())
            return reply(to, *args)

        def hide() -> Comment:
            assert looked.wait(PATIENCE_S)
            return patiently(partial(comments.hide, comment_id=row.pk, by=staff.pk))

        monkeypatch.setattr(comments, "_answer", reply_later)
        if not locked:
            monkeypatch.setattr(type(Comment.objects.all()), "select_for_update", lambda rows, **_: rows)
        answer = partial(comments.answer, comment_id=row.pk, text="thanks", by=staff.pk, public_id=uuid4())
        answered, hidden = together(answer, hide)
        assert isinstance(answered, Comment) and isinstance(hidden, Comment)
        assert hidden_first == [not locked]


class TestAnnouncements:
    def due(self, season: Campaign, *, count: int = 1) -> list[Announcement]:
        """Due ones, and no others that another test has left."""
        announcements.publish_due()
        return [announcements.write(campaign_id=season.pk, plan=talk.plan(), by=None) for _ in range(count)]

    def told(self, season: Campaign) -> int:
        return Broadcast.objects.filter(campaign=season, type="announcement.published").count()

    def test_six_workers_publish_each_once(self, season: Campaign) -> None:
        rows = self.due(season, count=10)
        assert together(*[partial(patiently, announcements.publish_due)] * 6) == [None] * 6
        announcements.publish_due()
        ids = {row.pk for row in rows}
        assert Announcement.objects.filter(pk__in=ids, published_at__isnull=False).count() == 10
        assert self.told(season) == 10

    @pytest.mark.parametrize("claimed", [True, False], ids=["claimed", "control without the claim"])
    def test_two_workers_find_the_same_one(
        self, season: Campaign, monkeypatch: pytest.MonkeyPatch, owner_connection: psycopg.Connection, claimed: bool
    ) -> None:
        """The one that has found it goes on when the other has passed it over; without the claim, has found it too."""
        (row,) = self.due(season)
        passed, both, query = threading.Event(), threading.Barrier(2), type(Announcement.objects.all())
        update = query.update

        def update_later(rows: Any, **columns: Any) -> int:
            if rows.model is Announcement:
                until(passed.is_set) if claimed else both.wait(PATIENCE_S)
            return int(update(rows, **columns))

        def work() -> None:
            if not announcements._publish_next():
                passed.set()

        monkeypatch.setattr(query, "update", update_later)
        if not claimed:
            monkeypatch.setattr(query, "select_for_update", lambda rows, **_: rows)
        together(work, work)
        assert self.told(season) == (1 if claimed else 2)
        if not claimed:
            # The session ends with a check of the invariants.
            owner_connection.execute(
                "UPDATE fortunes_broadcast SET type = 'erased' WHERE campaign_id = %s", [season.pk]
            )
            owner_connection.execute("DELETE FROM fortunes_announcement WHERE id = %s", [row.pk])

    def test_one_that_is_being_edited_is_published_afterwards(self, season: Campaign) -> None:
        """The job passes over what somebody has locked, and tells what it says in the end."""
        (row,) = self.due(season)
        edited, looked = threading.Event(), threading.Event()

        def edit() -> None:
            with transaction.atomic():
                Announcement.objects.filter(pk=row.pk, published_at=None).update(title_en="Better")
                edited.set()
                assert looked.wait(PATIENCE_S)

        def publish() -> None:
            assert edited.wait(PATIENCE_S)
            try:
                announcements.publish_due()
                assert self.told(season) == 0
            finally:
                looked.set()

        assert together(edit, publish) == [None, None]
        announcements.publish_due()
        row.refresh_from_db()
        assert (row.title_en, self.told(season)) == ("Better", 1)

    def test_one_that_is_published_meanwhile_is_not_edited(
        self, season: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The edit waits for the job's lock and then finds it published: its words stay as they were told."""
        (row,) = self.due(season)
        claimed, broadcast = threading.Event(), events.broadcast

        def tell_later(**news: Any) -> int:
            claimed.set()
            until_somebody_waits()
            return broadcast(**news)

        def edit() -> Announcement:
            assert claimed.wait(PATIENCE_S)
            return announcements.edit(announcement_id=row.pk, plan=talk.plan(title_en="Worse"), by=None)

        monkeypatch.setattr(events, "broadcast", tell_later)
        published, outcome = together(announcements._publish_next, partial(patiently, edit))
        assert published and isinstance(outcome, errors.AnnouncementPublished)
        row.refresh_from_db()
        assert (row.title_en, self.told(season)) == ("News", 1)

    def test_one_form_sent_8_times_is_one(self, season: Campaign) -> None:
        chosen, plan = uuid4(), talk.plan(publish_at=clock.now() + timedelta(days=1))
        write = partial(announcements.write, campaign_id=season.pk, plan=plan, by=None, public_id=chosen)
        rows = together(*[partial(patiently, write)] * 8)
        assert len({row.pk for row in rows}) == 1
        assert Announcement.objects.filter(campaign=season).count() == 1
