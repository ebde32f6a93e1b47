"""Comments under a proposal, one connection: who may write, who reads what, what staff do about it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from accounts.actions import bans, erasure, friendships
from accounts.models import Ban, Player
from fortunes import commenting, errors
from fortunes.actions import comments
from fortunes.models import AuditEntry, Broadcast, Campaign, Comment, IdempotencyKey, Proposal
from tests.factories import talk, votes
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


def read(vote: Proposal, player: Player | None = None) -> list[str]:
    """The texts that a player reads, newest first."""
    seen_by = player.pk if player else None
    rows = comments.visible(proposal_id=vote.pk, seen_by=seen_by).order_by("-pk")
    return [told.text for told in comments.described(rows, seen_by=seen_by)]


def audited(row: Comment) -> list[str]:
    return list(
        AuditEntry.objects.filter(subject="fortunes.comment", subject_id=row.pk)
        .order_by("seq")
        .values_list("action", flat=True)
    )


class TestWriting:
    def test_a_comment_is_read_by_everybody(self, vote: Proposal, alice: Player, bob: Player) -> None:
        told = talk.comment(alice, vote, "  Keep the\r\nsteal card! 留下吧 🎉 ")

        assert (told.text, told.staff, told.own, told.hidden) == ("Keep the\nsteal card! 留下吧 🎉", False, True, False)
        assert told.author is not None and (told.author.id, told.author.nickname) == (alice.public_id, "Alice")
        assert told.answers is None
        for reader in (alice, bob, None):
            assert read(vote, reader) == [told.text]

    def test_a_nickname_is_looked_up_and_not_copied(self, vote: Proposal, alice: Player) -> None:
        row = talk.commented(alice, vote)
        Player.objects.filter(pk=alice.pk).update(nickname="Lee")
        (told,) = comments.described([Comment.objects.get(pk=row.pk)], seen_by=None)
        assert told.author is not None and told.author.nickname == "Lee"

    def test_a_repeated_request_is_one_comment(self, vote: Proposal, alice: Player) -> None:
        first = talk.comment(alice, vote, "once", key="tap")
        assert talk.comment(alice, vote, "once", key="tap") == first
        assert read(vote) == ["once"]
        with pytest.raises(errors.IdempotencyKeyReused):
            talk.comment(alice, vote, "twice", key="tap")

    def test_a_repeated_request_tells_how_it_is_now(self, vote: Proposal, alice: Player, staff: Player) -> None:
        first = talk.comment(alice, vote, "once", key="tap")
        comments.hide(comment_id=Comment.objects.get(public_id=first.id).pk, by=staff.pk)
        assert talk.comment(alice, vote, "once", key="tap").hidden
        comments.delete(comment_id=first.id, by=alice)
        with pytest.raises(errors.CommentNotFound):
            talk.comment(alice, vote, "once", key="tap")
        # Nobody's words are copied.
        kept = IdempotencyKey.objects.get(player=alice)
        assert kept.result is not None and "once" not in kept.result and "Alice" not in kept.result

    def test_words_that_are_not_welcome(self, vote: Proposal, alice: Player, settings: Settings) -> None:
        settings.UNWELCOME_WORDS = ["加我微信"]
        for text in ("fuck this vote", "what a\nf.u.c.k", "加 我 微 信"):
            with pytest.raises(errors.CommentRefused):
                talk.comment(alice, vote, text)
        assert read(vote) == []

    def test_what_no_serializer_lets_through_is_no_refusal(self, vote: Proposal, alice: Player) -> None:
        for text in ("", "福" * (commenting.LENGTH + 1), "\u202egnirts"):
            with pytest.raises(ValueError, match="serializer"):
                talk.comment(alice, vote, text)

    @pytest.mark.parametrize("state", [Proposal.State.COUNTING, Proposal.State.CLOSED, Proposal.State.CANCELLED])
    def test_talk_goes_on_after_the_vote(self, season: Campaign, alice: Player, state: str) -> None:
        over = votes.EndedProposalFactory.create(campaign=season, state=state)
        talk.comment(alice, over, "so be it")
        assert read(over) == ["so be it"]

    def test_nobody_comments_on_what_they_can_not_see(self, season: Campaign, alice: Player) -> None:
        draft = votes.DraftProposalFactory.create(campaign=season)
        unopened = votes.EndedProposalFactory.create(campaign=season, state=Proposal.State.CANCELLED, opened_at=None)
        for proposal in (draft, unopened):
            with pytest.raises(errors.ProposalNotFound):
                talk.comment(alice, proposal)

    def test_who_was_shut_out_writes_nothing(self, vote: Proposal, alice: Player, staff: Player) -> None:
        """Their token may be good for two seconds more."""
        bans.ban(player_id=alice.pk, by=staff.pk, reason=Ban.Reason.ABUSE)
        with pytest.raises(errors.CommentNotAllowed):
            talk.comment(alice, vote)
        assert not IdempotencyKey.objects.filter(player=alice).exists()


class TestLimits:
    def test_five_a_minute(self, vote: Proposal, alice: Player, bob: Player, clock: Clock) -> None:
        for number in range(commenting.PER_MINUTE):
            talk.comment(alice, vote, f"number {number}")
        with pytest.raises(errors.CommentLimitReached) as refused:
            talk.comment(alice, vote, "one more")
        assert (refused.value.facts["limit"], refused.value.facts["window_s"]) == (5, 60)
        assert refused.value.retry_after_s is not None and 1 <= refused.value.retry_after_s <= 60
        talk.comment(bob, vote, "others may")

        clock.shift(timedelta(seconds=61))
        talk.comment(alice, vote, "one more")

    def test_so_many_a_day_deleted_or_not(
        self, vote: Proposal, alice: Player, clock: Clock, settings: Settings
    ) -> None:
        settings.COMMENTS_PER_DAY = 3
        for _ in range(3):
            comments.delete(comment_id=talk.comment(alice, vote).id, by=alice)
            clock.shift(timedelta(minutes=10))
        with pytest.raises(errors.CommentLimitReached) as refused:
            talk.comment(alice, vote)
        assert (refused.value.facts["limit"], refused.value.facts["window_s"]) == (3, 86_400)

        clock.shift(timedelta(hours=23, minutes=31))
        talk.comment(alice, vote)
        with pytest.raises(errors.CommentLimitReached):
            talk.comment(alice, vote)

    def test_none_at_all(self, vote: Proposal, alice: Player, settings: Settings) -> None:
        settings.COMMENTS_PER_DAY = 0
        with pytest.raises(errors.CommentLimitReached):
            talk.comment(alice, vote)

    def test_replies_of_staff_have_no_limit(self, vote: Proposal, alice: Player, staff: Player) -> None:
        row = talk.commented(alice, vote)
        for number in range(commenting.PER_MINUTE + 1):
            talk.replied(row, f"reply {number}", by=staff)
        assert len(read(vote)) == commenting.PER_MINUTE + 2


class TestDeleting:
    def test_the_words_are_gone(self, vote: Proposal, alice: Player) -> None:
        row = talk.commented(alice, vote, "I regret this")
        comments.delete(comment_id=row.public_id, by=alice)
        comments.delete(comment_id=row.public_id, by=alice)
        row.refresh_from_db()
        assert (row.text, row.deleted_at is not None) == ("", True)
        assert read(vote, alice) == []

    def test_only_ones_own(self, vote: Proposal, alice: Player, bob: Player, staff: Player) -> None:
        row = talk.commented(alice, vote, "mine")
        reply = talk.replied(row, "ours", by=staff)
        for comment_id, player in ((row.public_id, bob), (uuid4(), alice), (reply.public_id, staff)):
            with pytest.raises(errors.CommentNotFound):
                comments.delete(comment_id=comment_id, by=player)
        assert read(vote) == ["ours", "mine"]

    def test_what_is_hidden_can_be_deleted_too(self, vote: Proposal, alice: Player, staff: Player) -> None:
        row = talk.commented(alice, vote)
        comments.hide(comment_id=row.pk, by=staff.pk)
        comments.delete(comment_id=row.public_id, by=alice)
        assert read(vote, alice) == []
        with pytest.raises(errors.CommentNotFound):
            comments.unhide(comment_id=row.pk, by=staff.pk)


class TestWhoReadsWhat:
    def test_whoever_blocked_somebody_is_spared_their_words(self, vote: Proposal, alice: Player, bob: Player) -> None:
        talk.comment(bob, vote, "from Bob")
        talk.comment(alice, vote, "from Alice")
        friendships.block(by=alice.pk, player=bob.public_id)
        assert read(vote, alice) == ["from Alice"]
        # Bob isn't told of it, and the place is public.
        assert read(vote, bob) == read(vote) == ["from Alice", "from Bob"]

        friendships.block(by=bob.pk, player=alice.public_id)
        assert (read(vote, alice), read(vote, bob)) == (["from Alice"], ["from Bob"])
        friendships.unblock(by=alice.pk, player=bob.public_id)
        assert len(read(vote, alice)) == 2

    def test_who_is_banned_is_not_read_meanwhile(self, vote: Proposal, alice: Player, staff: Player) -> None:
        talk.comment(alice, vote, "spam")
        bans.ban(player_id=alice.pk, by=staff.pk, reason=Ban.Reason.ABUSE)
        assert read(vote) == []
        bans.unban(player_id=alice.pk, by=staff.pk)
        assert read(vote) == ["spam"]

    def test_of_who_is_erased_nothing_is_left(self, vote: Proposal, alice: Player, staff: Player) -> None:
        row = talk.commented(alice, vote, "who I am")
        talk.replied(row, "we see", by=staff)
        erasure.erase(player_id=alice.pk, by=alice.pk)
        row.refresh_from_db()
        assert row.text == ""
        assert not IdempotencyKey.objects.filter(player=alice).exists()
        (reply,) = comments.described(comments.visible(proposal_id=vote.pk, seen_by=None), seen_by=None)
        assert (reply.text, reply.answers) == ("we see", None)

    def test_each_proposal_has_its_own(self, season: Campaign, vote: Proposal, alice: Player) -> None:
        other = votes.OpenProposalFactory.create(campaign=season)
        talk.comment(alice, vote, "here")
        talk.comment(alice, other, "there")
        assert (read(vote), read(other)) == (["here"], ["there"])


class TestModeration:
    def test_a_hidden_comment_is_its_authors_alone(
        self, vote: Proposal, alice: Player, bob: Player, staff: Player
    ) -> None:
        row = talk.commented(alice, vote, "off topic")
        comments.hide(comment_id=row.pk, by=staff.pk)
        comments.hide(comment_id=row.pk, by=staff.pk)
        assert (read(vote), read(vote, bob), read(vote, alice)) == ([], [], ["off topic"])
        (told,) = comments.described(comments.visible(proposal_id=vote.pk, seen_by=alice.pk), seen_by=alice.pk)
        assert told.hidden and told.own

        comments.unhide(comment_id=row.pk, by=staff.pk)
        comments.unhide(comment_id=row.pk, by=staff.pk)
        assert read(vote) == ["off topic"]
        assert audited(row) == ["comment.hidden", "comment.unhidden"]
        told_live = Broadcast.objects.filter(campaign=vote.campaign, type="comment.moderated").order_by("seq")
        assert [news.data["hidden"] for news in told_live] == [True, False]
        assert {(news.data["proposal"], news.data["comment"]) for news in told_live} == {
            (str(vote.public_id), str(row.public_id))
        }
        row.refresh_from_db()
        assert (row.hidden_at, row.hidden_by) == (None, None)

    def test_who_hid_it_is_noted(self, vote: Proposal, alice: Player, staff: Player) -> None:
        row = comments.hide(comment_id=talk.commented(alice, vote).pk, by=staff.pk)
        assert (row.hidden_by, row.hidden_at is not None) == (staff, True)
        assert AuditEntry.objects.filter(subject_id=row.pk, action="comment.hidden").get().actor == staff

    def test_what_is_not_there(self, staff: Player) -> None:
        for act in (comments.hide, comments.unhide):
            with pytest.raises(errors.CommentNotFound):
                act(comment_id=2**40, by=staff.pk)
        with pytest.raises(errors.CommentNotFound):
            comments.answer(comment_id=2**40, text="hello", by=staff.pk, public_id=uuid4())

    def test_a_reply_is_marked_and_told_live(
        self, season: Campaign, vote: Proposal, alice: Player, staff: Player
    ) -> None:
        row = talk.commented(alice, vote, "Why at all?")
        reply = talk.replied(row, "Because\nyou asked.", by=staff)

        told = Broadcast.objects.filter(campaign=season).latest("seq")
        assert (told.type, told.data) == (
            "comment.answered",
            {"proposal": str(vote.public_id), "comment": str(reply.public_id), "answers": str(row.public_id)},
        )
        newest, _ = comments.described(
            comments.visible(proposal_id=vote.pk, seen_by=None).order_by("-pk"), seen_by=None
        )
        # Staff speak for the organiser: nobody's name is shown.
        assert (newest.staff, newest.author, newest.own, newest.text) == (True, None, False, "Because\nyou asked.")
        assert newest.answers is not None and newest.answers.id == row.public_id
        assert newest.answers.text == "Why at all?" and newest.answers.author.nickname == "Alice"
        entry = AuditEntry.objects.get(subject_id=reply.pk, action="comment.answered")
        assert (entry.actor, entry.data) == (staff, {"proposal": vote.pk, "answers": row.pk})

    def test_a_reply_that_is_sent_twice_is_one(self, vote: Proposal, alice: Player, staff: Player) -> None:
        row, chosen = talk.commented(alice, vote), uuid4()
        first, again = (
            comments.answer(comment_id=row.pk, text="Thanks", by=staff.pk, public_id=chosen) for _ in range(2)
        )
        assert first == again
        assert Broadcast.objects.filter(campaign=vote.campaign, type="comment.answered").count() == 1

    def test_what_is_not_shown_is_not_answered(self, vote: Proposal, alice: Player, staff: Player) -> None:
        hidden, deleted, answered = (talk.commented(alice, vote, text) for text in ("one", "two", "three"))
        comments.hide(comment_id=hidden.pk, by=staff.pk)
        comments.delete(comment_id=deleted.public_id, by=alice)
        reply = talk.replied(answered, by=staff)
        for row in (hidden, deleted, reply):
            with pytest.raises(errors.CommentNotFound):
                talk.replied(row, by=staff)

    def test_a_quotation_shows_no_more_than_the_list(
        self, vote: Proposal, alice: Player, bob: Player, staff: Player
    ) -> None:
        row = talk.commented(alice, vote, "rude")
        talk.replied(row, "Please stay polite.", by=staff)
        friendships.block(by=bob.pk, player=alice.public_id)
        rows = comments.visible(proposal_id=vote.pk, seen_by=bob.pk)
        assert [told.answers for told in comments.described(rows, seen_by=bob.pk)] == [None]

        comments.hide(comment_id=row.pk, by=staff.pk)
        rows = comments.visible(proposal_id=vote.pk, seen_by=None)
        assert [told.answers for told in comments.described(rows, seen_by=None)] == [None]

    def test_staff_who_left_or_were_blocked_still_spoke_for_the_organiser(
        self, vote: Proposal, alice: Player, staff: Player
    ) -> None:
        talk.replied(talk.commented(alice, vote, "well?"), "yes", by=staff)
        friendships.block(by=alice.pk, player=staff.public_id)
        Player.objects.filter(pk=staff.pk).update(is_staff=False, is_active=False)
        assert read(vote, alice) == ["yes", "well?"]

    def test_a_reply_is_hidden_like_any_other(self, vote: Proposal, alice: Player, staff: Player) -> None:
        reply = talk.replied(talk.commented(alice, vote, "well?"), "a mistake", by=staff)
        comments.hide(comment_id=reply.pk, by=staff.pk)
        assert read(vote) == ["well?"]
        # Not even to who wrote it, as a player.
        assert read(vote, staff) == ["well?"]


class TestConstraints:
    """What the database itself refuses."""

    @pytest.mark.parametrize(
        "columns", [{"text": ""}, {"hidden_by": None}, {"by_staff": True}], ids=lambda columns: next(iter(columns))
    )
    def test_half_of_something(self, vote: Proposal, staff: Player, columns: dict[str, object]) -> None:
        row = talk.commented(PlayerFactory.create(), vote)
        comments.hide(comment_id=row.pk, by=staff.pk)
        with pytest.raises(IntegrityError), transaction.atomic():
            Comment.objects.filter(pk=row.pk).update(**columns)
