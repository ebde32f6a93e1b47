"""How a vote ends: counted, decided, and done, at one instant."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from fortunes import deadletters, errors, rulebooks
from fortunes.actions import ballots, closing, proposals, rulechanges
from fortunes.models import (
    Amendment,
    AuditEntry,
    BallotCount,
    Broadcast,
    Campaign,
    Compensation,
    DeadLetter,
    Membership,
    Option,
    Proposal,
    Rulebook,
)
from tests.factories import votes as make
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import SeasonFactory
from tests.plugins.clock import Clock
from tests.votes.motions import (
    KEEP,
    NO_STEALS,
    ONE_MORE,
    again,
    change,
    close,
    drafted,
    leaves,
    opened,
    voted,
)

pytestmark = pytest.mark.django_db

State, Outcome = Proposal.State, Proposal.Outcome
STEALS: dict[str, Any] = {"specials": ["wild", "copy", "steal"]}


@pytest.fixture
def season() -> Campaign:
    campaign: Campaign = SeasonFactory.create(specials=True)
    return campaign


@pytest.fixture
def vote(season: Campaign) -> Proposal:
    return opened(season)


def told(campaign: Campaign) -> list[tuple[str, dict[str, Any]]]:
    """What everybody was told since the opening of the campaign."""
    rows = Broadcast.objects.filter(campaign=campaign).order_by("seq").values_list("type", "data")
    return [row for row in rows if row[0] != "campaign.opened"]


def quota(campaign: Campaign) -> int:
    return rulebooks.current(campaign.pk).quotas["code"].per_day


class TestAdopted:
    def test_the_rules_change(self, vote: Proposal, clock: Clock) -> None:
        voted(vote, 1, 2, 2)
        close(clock, vote)

        vote = again(vote)
        assert (vote.state, vote.outcome, vote.winner, vote.cast, vote.eligible) == (State.CLOSED, "adopted", 2, 3, 3)
        assert [option.ballots for option in vote.options.order_by("number")] == [1, 2]
        book = rulebooks.in_force(vote.campaign_id)
        assert (book.version, book.reason, book.proposal_id, book.decided_by_id) == (2, "vote", vote.pk, None)
        assert book.changes == [{"path": "/quotas/code/per_day", "before": 3, "after": 9}]
        assert quota(vote.campaign) == 9

    def test_everybody_is_told_at_once(self, vote: Proposal, clock: Clock) -> None:
        voted(vote, 2)
        close(clock, vote)

        opening, closed, changed = told(vote.campaign)
        assert opening[0] == "proposal.opened"
        assert closed == (
            "proposal.closed",
            {
                "proposal": str(vote.public_id),
                "outcome": "adopted",
                "winner": 2,
                "cast": 1,
                "eligible": 1,
                "version": 2,
            },
        )
        assert changed[0] == "rulebook.changed"
        assert (changed[1]["version"], changed[1]["proposal"]) == (2, str(vote.public_id))

    def test_it_is_audited(self, vote: Proposal, clock: Clock) -> None:
        voted(vote, 2)
        close(clock, vote)
        entry = AuditEntry.objects.filter(subject="fortunes.proposal", subject_id=vote.pk).latest("seq")
        assert (entry.action, entry.actor_id) == ("proposal.closed", None)
        assert (entry.data["outcome"], entry.data["version"]) == ("adopted", 2)
        assert entry.data["hash"] == bytes(again(vote).ballots_hash or b"").hex()

    def test_the_hash_is_of_all_leaves_in_their_order(
        self, vote: Proposal, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ballots, "LEAVES_AT_ONCE", 2)
        voted(vote, 1, 2, 2, 1, 2)
        close(clock, vote)
        assert bytes(again(vote).ballots_hash or b"") == hashlib.sha256(b"".join(sorted(leaves(vote)))).digest()

    def test_an_option_without_changes_makes_no_version(self, vote: Proposal, clock: Clock) -> None:
        voted(vote, 1)
        close(clock, vote)
        assert (again(vote).outcome, again(vote).winner) == ("adopted", 1)
        assert rulebooks.in_force(vote.campaign_id).version == 1
        assert told(vote.campaign)[-1][1]["version"] is None

    def test_a_removed_kind_is_promised_its_compensation(self, clock: Clock) -> None:
        season = SeasonFactory.create(specials=True, rulebook=STEALS)
        vote = opened(season, KEEP, change(NO_STEALS, compensations={"steal": {"into": "fen", "amount_fen": 88}}))
        voted(vote, 2)
        close(clock, vote)
        promised = Compensation.objects.get(rulebook__campaign=season)
        assert (promised.rulebook.version, promised.role, promised.into, promised.amount_fen) == (2, "steal", "fen", 88)

    def test_the_deadline_moves(self, season: Campaign, clock: Clock) -> None:
        vote = opened(season, KEEP, change({"extension_min": 5}))
        voted(vote, 2)
        close(clock, vote)
        assert Campaign.objects.get(pk=season.pk).closes_at == season.closes_at + timedelta(minutes=5)

    def test_an_announced_change_is_struck(self, clock: Clock) -> None:
        season, amendment = announced()
        vote = opened(season, KEEP, change({}, strikes=amendment.pk))
        voted(vote, 2)
        close(clock, vote)
        amendment.refresh_from_db()
        assert (amendment.struck_by_id, amendment.applied_at) == (vote.pk, None)
        clock.move_to(amendment.takes_force_at)
        rulechanges.apply_due()
        assert rulebooks.in_force(season.pk).version == 1

    def test_one_that_nobody_strikes_takes_force(self, clock: Clock) -> None:
        season, amendment = announced()
        vote = opened(season, KEEP, change({}, strikes=amendment.pk))
        voted(vote, 1)
        close(clock, vote)
        clock.move_to(amendment.takes_force_at)
        rulechanges.apply_due()
        assert "steal" in rulebooks.current(season.pk).specials


def announced() -> tuple[Campaign, Amendment]:
    """A season in which stealing begins in a day."""
    season = SeasonFactory.create(specials=True, announced=[(timedelta(days=1), STEALS)])
    return season, Amendment.objects.get(campaign=season)


class TestNotAdopted:
    @pytest.mark.parametrize(
        ("votes", "given", "outcome"),
        [
            ([], {}, "no-quorum"),
            ([2, 2], {"quorum": 3}, "no-quorum"),
            ([1, 2], {}, "tie"),
            ([1, 2, 2], {"threshold_bp": 6667}, "below-threshold"),
        ],
    )
    def test_nothing_changes(
        self, season: Campaign, clock: Clock, votes: list[int], given: dict[str, Any], outcome: str
    ) -> None:
        vote = opened(season, **given)
        voted(vote, *votes)
        close(clock, vote)
        vote = again(vote)
        assert (vote.state, vote.outcome, vote.winner, vote.cast) == (State.CLOSED, outcome, None, len(votes))
        assert rulebooks.in_force(season.pk).version == 1
        assert [name for name, _ in told(season)] == ["proposal.opened", "proposal.closed"]

    def test_what_has_become_impossible_changes_nothing(self, season: Campaign, clock: Clock) -> None:
        """Between opening and close the last seconds before the reveal were given away."""
        vote = opened(season, KEEP, change({"extension_min": 18, **ONE_MORE}))
        voted(vote, 2)
        Campaign.objects.filter(pk=season.pk).update(reveal_at=season.closes_at)
        close(clock, vote)
        vote = again(vote)
        assert (vote.outcome, vote.winner, vote.cast) == ("impossible", None, 1)
        assert vote.impossible is not None and "reveal" in vote.impossible["text"]
        assert rulebooks.in_force(season.pk).version == 1
        assert Campaign.objects.get(pk=season.pk).closes_at == season.closes_at

    def test_what_can_not_be_struck_any_more_changes_nothing(self, clock: Clock) -> None:
        season, amendment = announced()
        vote = opened(season, KEEP, change(ONE_MORE, strikes=amendment.pk))
        voted(vote, 2)
        Amendment.objects.filter(pk=amendment.pk).update(applied_at=season.opens_at)
        close(clock, vote)
        assert again(vote).outcome == "impossible"
        assert rulebooks.in_force(season.pk).version == 1

    def test_what_is_impossible_strikes_nothing(self, clock: Clock) -> None:
        season, amendment = announced()
        vote = opened(season, KEEP, change({"extension_min": 18}, strikes=amendment.pk))
        voted(vote, 2)
        Campaign.objects.filter(pk=season.pk).update(reveal_at=season.closes_at)
        close(clock, vote)
        amendment.refresh_from_db()
        assert (again(vote).outcome, amendment.struck_at) == ("impossible", None)


class TestDue:
    def test_before_its_time_it_stays_open(self, vote: Proposal, clock: Clock) -> None:
        clock.move_to(vote.closes_at - timedelta(seconds=30))
        closing.close_due()
        assert again(vote).state == State.OPEN

    def test_drafts_and_cancelled_ones_are_left_alone(self, season: Campaign, vote: Proposal, clock: Clock) -> None:
        draft = drafted(season)
        proposals.cancel(proposal_id=vote.pk, reason_zh="误", reason_en="By mistake", by=None)
        close(clock, draft, vote)
        assert (again(draft).state, again(vote).state) == (State.DRAFT, State.CANCELLED)

    def test_closing_again_does_nothing(self, vote: Proposal, clock: Clock) -> None:
        voted(vote, 2)
        close(clock, vote)
        before = again(vote).closed_at, told(vote.campaign)
        closing.close(proposal_id=vote.pk)
        counted = ballots.count(proposal=vote)
        closing.decide(proposal_id=vote.pk, counted=counted)
        closing.close_due()
        assert (again(vote).closed_at, told(vote.campaign)) == before

    def test_each_step_may_be_the_work_of_another(self, vote: Proposal, clock: Clock) -> None:
        voted(vote, 2)
        clock.move_to(vote.closes_at)
        closing.stop(proposal_id=vote.pk)
        assert (again(vote).state, again(vote).outcome) == (State.COUNTING, None)
        assert closing.count(proposal_id=vote.pk) == closing.count(proposal_id=vote.pk)
        closing.close_due()
        assert again(vote).winner == 2

    def test_several_of_one_campaign(self, season: Campaign, clock: Clock) -> None:
        one = opened(season)
        other = opened(season, KEEP, change({"trading": {"cooling_h": 1}}))
        voted(one, 2)
        voted(other, 2)
        close(clock, one, other)
        assert [book.proposal_id for book in Rulebook.objects.filter(campaign=season).order_by("version")] == [
            None,
            one.pk,
            other.pk,
        ]
        assert rulebooks.current(season.pk).trading.cooling_h == 1
        assert quota(season) == 9

    def test_voters_are_those_who_joined_before(self, vote: Proposal, clock: Clock) -> None:
        voted(vote, 1, 2, 2)
        early, late = PlayerFactory.create(), PlayerFactory.create()
        make.enrol(vote, early)
        make.enrol(opened(vote.campaign, KEEP, change({"trading": {"cooling_h": 1}}), closes_at=vote.closes_at), late)
        Membership.objects.filter(player=late).update(joined_at=vote.opens_at)
        close(clock, vote)
        assert (again(vote).eligible, again(vote).cast) == (4, 3)


def letter(vote: Proposal) -> DeadLetter:
    return DeadLetter.objects.get(job=closing.JOB, subject_id=vote.pk)


class TestFailing:
    @pytest.fixture
    def meddled(self, vote: Proposal, clock: Clock) -> Proposal:
        """Somebody has changed the counts, which the rows don't bear out."""
        voted(vote, 1, 2, 2)
        BallotCount.objects.filter(proposal=vote, option=1).update(ballots=5)
        close(clock, vote)
        return again(vote)

    def test_what_does_not_add_up_is_given_up_at_once(self, meddled: Proposal) -> None:
        assert (meddled.state, meddled.attempts) == (State.COUNTING, 1)
        assert meddled.given_up_at
        assert letter(meddled).error.startswith("Mismatch: the rows are {")
        assert letter(meddled).outcome is None
        assert rulebooks.in_force(meddled.campaign_id).version == 1

    def test_it_is_not_tried_again(self, meddled: Proposal) -> None:
        closing.close_due()
        assert again(meddled).attempts == 1

    def test_reviving_it_lets_it_go_on(self, meddled: Proposal) -> None:
        BallotCount.objects.filter(proposal=meddled, option=1).update(ballots=1)
        deadletters.revive(letter_id=letter(meddled).pk, by=PlayerFactory.create().pk)
        closing.close_due()
        assert (again(meddled).winner, again(meddled).attempts, again(meddled).last_error) == (2, 0, "")

    def test_staff_may_cancel_it(self, meddled: Proposal) -> None:
        alice = PlayerFactory.create()
        proposals.cancel(proposal_id=meddled.pk, reason_zh="无法计票", reason_en="It can't be counted", by=alice.pk)
        assert (again(meddled).state, again(meddled).given_up_at) == (State.CANCELLED, None)
        assert (letter(meddled).outcome, letter(meddled).decided_by) == ("dismissed", alice)

    def test_of_one_that_was_cancelled_it_is_not_revived(self, meddled: Proposal) -> None:
        Proposal.objects.filter(pk=meddled.pk).update(state=State.CANCELLED, cancelled_at=meddled.closes_at)
        with pytest.raises(errors.ProposalState):
            deadletters.revive(letter_id=letter(meddled).pk, by=PlayerFactory.create().pk)

    def test_more_ballots_than_voters_are_a_mismatch(self, vote: Proposal, clock: Clock) -> None:
        voted(vote, 2)
        counted = ballots.Counted(ballots={2: 1}, cast=1, digest=b"", eligible=0)
        clock.move_to(vote.closes_at)
        closing.stop(proposal_id=vote.pk)
        with pytest.raises(closing.Mismatch, match="1 ballots, and 0 may vote"):
            closing.decide(proposal_id=vote.pk, counted=counted)

    def test_twenty_failures_are_a_letter(
        self, vote: Proposal, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(**given: Any) -> None:
            raise ValueError("the phone of 13800138000 is broken")

        monkeypatch.setattr(ballots, "count", broken)
        close(clock, vote)
        assert (again(vote).attempts, again(vote).given_up_at) == (1, None)
        for _ in range(closing.MAX_ATTEMPTS + 2):
            closing.close_due()
        assert again(vote).attempts == closing.MAX_ATTEMPTS
        assert letter(vote).error.startswith("ValueError")
        assert "13800138000" not in again(vote).last_error
        assert {record.levelno for record in caplog.records} == {logging.CRITICAL}

    def test_one_that_fails_holds_up_no_other(
        self, season: Campaign, vote: Proposal, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        count, other = ballots.count, opened(season, KEEP, change({"trading": {"cooling_h": 1}}))

        def broken(*, proposal: Proposal) -> ballots.Counted:
            if proposal.pk == vote.pk:
                raise ValueError
            return count(proposal=proposal)

        monkeypatch.setattr(ballots, "count", broken)
        close(clock, vote, other)
        assert (again(vote).state, again(other).state) == (State.COUNTING, State.CLOSED)

    def test_what_the_database_refuses_is_tried_for_ever(
        self, vote: Proposal, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(**given: Any) -> None:
            raise OperationalError("deadlock detected")

        monkeypatch.setattr(ballots, "count", refused)
        clock.move_to(vote.closes_at)
        for _ in range(closing.MAX_ATTEMPTS + 2):
            closing.close_due()
        assert (again(vote).attempts, again(vote).given_up_at) == (closing.MAX_ATTEMPTS + 2, None)
        assert not DeadLetter.objects.filter(job=closing.JOB, subject_id=vote.pk).exists()


@pytest.mark.usefixtures("rewritable")
def test_an_option_that_is_not_there_can_not_win(vote: Proposal, clock: Clock) -> None:
    voted(vote, 2)
    Option.objects.filter(proposal=vote, number=2).update(number=3)
    close(clock, vote)
    assert letter(vote).error.startswith("Mismatch")
