"""Proposals before the vote ends: drafted, opened, extended, cancelled, and all that is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from fortunes import clock as database_clock
from fortunes import errors, gate
from fortunes.actions import proposals
from fortunes.actions.judging import OptionPlan
from fortunes.models import AuditEntry, Broadcast, Campaign, Option, Proposal
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import DraftSeasonFactory
from tests.plugins.clock import Clock
from tests.votes.motions import (
    INTO_WILD,
    KEEP,
    LOOSER,
    ONE_MORE,
    again,
    announced,
    change,
    close,
    drafted,
    motion,
    opened,
    refuse,
    told,
)

pytestmark = pytest.mark.django_db

State = Proposal.State


def audited(proposal: Proposal) -> list[str]:
    entries = AuditEntry.objects.filter(subject="fortunes.proposal", subject_id=proposal.pk).order_by("seq")
    return list(entries.values_list("action", flat=True))


class TestDraft:
    def test_it_is_kept_with_its_options(self, season: Campaign) -> None:
        alice = PlayerFactory.create(is_staff=True)
        draft = proposals.draft(campaign_id=season.pk, by=alice.pk, **motion(KEEP, change(ONE_MORE), quorum=5))
        draft = again(draft)
        assert (draft.state, draft.quorum, draft.threshold_bp, draft.may_change) == (State.DRAFT, 5, 5000, False)
        assert draft.drafted_by == alice
        assert list(Option.objects.filter(proposal=draft).values_list("number", "name_en", "changes")) == [
            (1, "Keep it", {}),
            (2, "Change it", ONE_MORE),
        ]
        assert (audited(draft), told(season)) == (["proposal.drafted"], [])

    def test_of_a_campaign_that_is_not_there(self) -> None:
        with pytest.raises(errors.CampaignNotFound):
            proposals.draft(campaign_id=0, by=None, **motion())

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"question_zh": " "}, "question_zh"),
            ({"question_en": ""}, "question_en"),
            ({"question_en": "x" * 201}, "question_en"),
            ({"opens_at": datetime(2026, 1, 1)}, "opens_at"),
            ({"closes_at": datetime.fromisoformat("2020-01-01T00:00:00Z")}, "closes_at"),
            ({"quorum": 0}, "quorum"),
            ({"quorum": 2**31}, "quorum"),
            ({"threshold_bp": 10_000}, "threshold_bp"),
            ({"threshold_bp": -1}, "threshold_bp"),
            ({"options": [KEEP]}, "options"),
            ({"options": [KEEP] * 11}, "options"),
            ({"options": [KEEP, KEEP]}, "options"),
        ],
    )
    def test_what_is_not_valid(self, season: Campaign, given: dict[str, Any], field: str) -> None:
        with pytest.raises(errors.InvalidProposal) as refused:
            proposals.draft(campaign_id=season.pk, by=None, **motion(**given))
        assert refused.value.facts["field"] == field
        assert not Proposal.objects.filter(campaign=season).exists()

    @pytest.mark.parametrize(
        ("option", "field"),
        [
            (OptionPlan(name_zh="", name_en="Other"), "options.2.name_zh"),
            (OptionPlan(name_zh="别的", name_en="x" * 65), "options.2.name_en"),
            (change({"kinds": {}}), "options.2.changes"),
            (change([]), "options.2.changes"),  # type: ignore[arg-type]
            (change({}, strikes=0), "options.2.strikes"),
            (change({}, compensations={"tiger": {"into": "wild"}}), "options.2.compensations"),
            (change({}, compensations={"steal": {}}), "options.2.compensations"),
            (change({}, compensations={"steal": "wild"}), "options.2.compensations"),
            (change({}, compensations={"steal": {"into": "wild", "cards": 2}}), "options.2.compensations"),
            (change({}, compensations={"steal": {"into": "gold"}}), "options.2.compensations"),
            (change({}, compensations={"steal": {"into": "wild", "amount_fen": 1}}), "options.2.compensations"),
            (change({}, compensations={"steal": {"into": "fen"}}), "options.2.compensations"),
            (change({}, compensations={"steal": {"into": "fen", "amount_fen": 0}}), "options.2.compensations"),
            (change({}, compensations={"steal": {"into": "fen", "amount_fen": True}}), "options.2.compensations"),
            (change({}, compensations={"steal": {"into": "fen", "amount_fen": 2**39}}), "options.2.compensations"),
        ],
    )
    def test_an_option_that_is_not_valid(self, season: Campaign, option: OptionPlan, field: str) -> None:
        with pytest.raises(errors.InvalidProposal) as refused:
            drafted(season, KEEP, option)
        assert refused.value.facts["field"] == field

    def test_an_announcement_of_another_campaign_is_none(self, season: Campaign) -> None:
        _, amendment = announced()
        with pytest.raises(errors.InvalidProposal, match="announced"):
            drafted(season, KEEP, change({}, strikes=amendment.pk))

    def test_it_may_be_for_rules_that_are_not_in_force_yet(self, season: Campaign) -> None:
        """What is possible is judged when it opens."""
        drafted(season, KEEP, change({"specials": []}, compensations=INTO_WILD))


class TestEdit:
    def test_it_is_written_anew(self, season: Campaign) -> None:
        draft = drafted(season)
        proposals.edit(proposal_id=draft.pk, by=None, **motion(KEEP, change(LOOSER), question_en="Really?", quorum=7))
        assert (again(draft).question_en, again(draft).quorum) == ("Really?", 7)
        assert list(Option.objects.filter(proposal=draft).values_list("changes", flat=True)) == [{}, LOOSER]
        assert audited(draft) == ["proposal.drafted", "proposal.edited"]

    def test_one_that_somebody_else_has_written_anew_meanwhile(self, season: Campaign) -> None:
        draft = drafted(season)
        seen = proposals.fingerprint(draft)
        proposals.edit(proposal_id=draft.pk, by=None, seen=seen, **motion(KEEP, change(LOOSER)))
        for act in (proposals.edit, proposals.open_):
            given = motion() if act is proposals.edit else {}
            with pytest.raises(errors.ProposalChanged):
                act(proposal_id=draft.pk, by=None, seen=seen, **given)
        assert Option.objects.get(proposal=draft, number=2).changes == LOOSER
        proposals.open_(proposal_id=draft.pk, by=None, seen=proposals.fingerprint(again(draft)))

    def test_what_is_not_valid_leaves_it_as_it_was(self, season: Campaign) -> None:
        draft = drafted(season)
        with pytest.raises(errors.InvalidProposal):
            proposals.edit(proposal_id=draft.pk, by=None, **motion(KEEP))
        assert Option.objects.filter(proposal=draft).count() == 2

    def test_not_once_it_is_open(self, season: Campaign) -> None:
        vote = opened(season)
        with pytest.raises(errors.ProposalState) as refused:
            proposals.edit(proposal_id=vote.pk, by=None, **motion())
        assert refused.value.facts == {"state": "open"}

    def test_one_that_is_not_there(self, season: Campaign) -> None:
        with pytest.raises(errors.ProposalNotFound):
            proposals.edit(proposal_id=0, by=None, **motion())


class TestOpen:
    def test_players_are_told(self, season: Campaign) -> None:
        alice = PlayerFactory.create(is_staff=True)
        draft = drafted(season)
        vote = again(proposals.open_(proposal_id=draft.pk, by=alice.pk))
        assert (vote.state, vote.opened_by) == (State.OPEN, alice)
        assert vote.opened_at
        assert audited(vote) == ["proposal.drafted", "proposal.opened"]
        news = Broadcast.objects.get(campaign=season, type="proposal.opened")
        assert set(news.data) == {"proposal", "opens_at", "closes_at"}
        assert news.data["proposal"] == str(vote.public_id)

    def test_it_opens_now_and_not_in_the_past(self, season: Campaign) -> None:
        """Who joins before the vote was to be seen may vote."""
        past = database_clock.now() - timedelta(minutes=30)
        vote = again(opened(season, opens_at=past))
        assert vote.opens_at == vote.opened_at

    def test_it_may_begin_later(self, season: Campaign) -> None:
        later = database_clock.now() + timedelta(minutes=30)
        assert again(opened(season, opens_at=later)).opens_at == later

    def test_twice(self, season: Campaign) -> None:
        vote = opened(season)
        with pytest.raises(errors.ProposalState):
            proposals.open_(proposal_id=vote.pk, by=None)
        assert told(season) == ["proposal.opened"]

    def test_one_that_is_not_there(self) -> None:
        with pytest.raises(errors.ProposalNotFound):
            proposals.open_(proposal_id=0, by=None)

    def test_before_the_campaign_was_opened(self) -> None:
        draft = drafted(DraftSeasonFactory.create())
        with pytest.raises(errors.CampaignNotLive):
            proposals.open_(proposal_id=draft.pk, by=None)

    @pytest.mark.parametrize("frozen", [False, True])
    def test_after_the_deadline(self, season: Campaign, clock: Clock, frozen: bool) -> None:
        """So nobody changes the split after the freeze either."""
        draft = drafted(season, KEEP, change({"split": {"mode": "random", "remainder": "share"}}))
        clock.move_to(season.closes_at)
        if frozen:
            Campaign.objects.filter(pk=season.pk).update(frozen_at=season.closes_at)
        with pytest.raises(errors.CampaignFrozen):
            proposals.open_(proposal_id=draft.pk, by=None)

    def test_a_vote_on_the_split_that_closes_after_the_deadline(self, season: Campaign) -> None:
        split = change({"split": {"mode": "random", "remainder": "share"}})
        refuse(season, split, "closes_at", closes_at=season.closes_at + timedelta(seconds=1))

    def test_one_that_closes_at_the_deadline_is_fine(self, season: Campaign) -> None:
        opened(season, KEEP, change({"split": {"mode": "random", "remainder": "share"}}), closes_at=season.closes_at)

    def test_one_that_would_be_over_already(self, season: Campaign, clock: Clock) -> None:
        draft = drafted(season)
        clock.move_to(draft.closes_at)
        with pytest.raises(errors.InvalidProposal) as refused:
            proposals.open_(proposal_id=draft.pk, by=None)
        assert refused.value.facts["field"] == "closes_at"
        assert again(draft).state == State.DRAFT

    def test_what_apps_above_have_against_it_is_the_last_word(self, season: Campaign) -> None:
        draft = drafted(season)

        def check(proposal: Proposal) -> None:
            assert proposal.pk == draft.pk
            raise errors.InvalidProposal("the fund is empty")

        with pytest.raises(errors.InvalidProposal, match="the fund is empty"):
            proposals.open_(proposal_id=draft.pk, by=None, check=check)
        assert (again(draft).state, told(season)) == (State.DRAFT, [])

    def test_while_the_gate_is_not_to_be_had(self, season: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
        draft = drafted(season)

        def held(campaign_id: int) -> None:
            raise gate.Held

        monkeypatch.setattr(gate, "close", held)
        monkeypatch.setattr(proposals, "PAUSE_S", 0)
        with pytest.raises(errors.Busy):
            proposals.open_(proposal_id=draft.pk, by=None)


class TestExtend:
    def test_everybody_is_told(self, season: Campaign) -> None:
        alice, vote = PlayerFactory.create(is_staff=True), opened(season)
        later = vote.closes_at + timedelta(hours=1)
        assert proposals.extend(proposal_id=vote.pk, closes_at=later, by=alice.pk).closes_at == later
        assert again(vote).closes_at == later
        assert told(season) == ["proposal.opened", "proposal.extended"]
        assert audited(vote)[-1] == "proposal.extended"

    @pytest.mark.parametrize("later", [timedelta(), timedelta(seconds=-1), timedelta(days=20)])
    def test_only_to_a_later_instant_before_the_deadline(self, season: Campaign, later: timedelta) -> None:
        vote = opened(season)
        with pytest.raises(errors.InvalidProposal):
            proposals.extend(proposal_id=vote.pk, closes_at=vote.closes_at + later, by=None)
        assert again(vote).closes_at == vote.closes_at

    def test_an_instant_needs_its_zone(self, season: Campaign) -> None:
        vote = opened(season)
        with pytest.raises(errors.InvalidProposal):
            proposals.extend(proposal_id=vote.pk, closes_at=datetime(2030, 1, 1), by=None)

    def test_not_beyond_what_it_would_strike(self) -> None:
        season, amendment = announced()
        vote = opened(season, KEEP, change({}, strikes=amendment.pk))
        late = amendment.takes_force_at + timedelta(seconds=1)
        with pytest.raises(errors.InvalidProposal, match="takes force before"):
            proposals.extend(proposal_id=vote.pk, closes_at=late, by=None)
        proposals.extend(proposal_id=vote.pk, closes_at=amendment.takes_force_at, by=None)

    def test_not_a_draft(self, season: Campaign) -> None:
        draft = drafted(season)
        with pytest.raises(errors.ProposalState):
            proposals.extend(proposal_id=draft.pk, closes_at=season.closes_at, by=None)

    def test_not_once_its_time_has_come(self, season: Campaign, clock: Clock) -> None:
        """Even if no worker has been there yet."""
        vote = opened(season)
        clock.move_to(vote.closes_at)
        with pytest.raises(errors.ProposalState):
            proposals.extend(proposal_id=vote.pk, closes_at=vote.closes_at + timedelta(hours=1), by=None)


def cancel(proposal: Proposal, **given: Any) -> Proposal:
    words = {"reason_zh": "写错了", "reason_en": "It was written by mistake", "by": None}
    return proposals.cancel(proposal_id=proposal.pk, **words | given)


class TestCancel:
    def test_everybody_is_told(self, season: Campaign) -> None:
        alice, vote = PlayerFactory.create(is_staff=True), opened(season)
        cancel(vote, by=alice.pk)
        vote = again(vote)
        assert (vote.state, vote.reason_en) == (State.CANCELLED, "It was written by mistake")
        assert vote.cancelled_at
        assert told(season) == ["proposal.opened", "proposal.cancelled"]
        assert audited(vote)[-1] == "proposal.cancelled"

    def test_of_a_draft_nobody_hears(self, season: Campaign) -> None:
        draft = drafted(season)
        cancel(draft)
        assert (again(draft).state, told(season)) == (State.CANCELLED, [])

    @pytest.mark.parametrize("given", [{"reason_zh": ""}, {"reason_en": " "}, {"reason_en": "x" * 201}])
    def test_it_needs_a_reason(self, season: Campaign, given: dict[str, str]) -> None:
        vote = opened(season)
        with pytest.raises(errors.InvalidProposal):
            cancel(vote, **given)
        assert again(vote).state == State.OPEN

    def test_not_once_its_time_has_come(self, season: Campaign, clock: Clock) -> None:
        """Nobody looks at the tally first and throws it away."""
        vote = opened(season)
        clock.move_to(vote.closes_at)
        with pytest.raises(errors.ProposalState):
            cancel(vote)

    @pytest.mark.parametrize("state", ["counting", "closed", "cancelled"])
    def test_not_in_another_state(self, season: Campaign, clock: Clock, state: str) -> None:
        vote = opened(season)
        if state == "cancelled":
            cancel(vote)
        elif state == "closed":
            close(clock, vote)
        else:
            Proposal.objects.filter(pk=vote.pk).update(state=state, counting_at=vote.closes_at)
        with pytest.raises(errors.ProposalState) as refused:
            cancel(vote)
        assert refused.value.facts == {"state": state}

    def test_one_that_is_not_there(self) -> None:
        with pytest.raises(errors.ProposalNotFound):
            proposals.cancel(proposal_id=0, reason_zh="无", reason_en="None", by=None)
