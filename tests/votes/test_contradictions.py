"""What a vote may not be about when it opens: impossible changes, and what contradicts announcements or other votes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fortunes import errors
from fortunes.actions import proposals
from fortunes.actions.judging import OptionPlan
from fortunes.models import Amendment, Campaign, Proposal
from tests.factories.cards import SeasonFactory
from tests.factories.fortunes import change_rules
from tests.plugins.clock import Clock
from tests.votes.motions import (
    INTO_WILD,
    KEEP,
    LOOSER,
    NO_STEALS,
    ONE_MORE,
    STEALS,
    again,
    announced,
    change,
    close,
    drafted,
    opened,
    refuse,
    told,
)

pytestmark = pytest.mark.django_db

State = Proposal.State


class TestImpossible:
    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            pytest.param({"weights": dict.fromkeys(KINDS, 0)}, "weights", id="disables all kinds")
            for KINDS in [("patriotism", "prosperity", "harmony", "friendliness", "dedication")]
        ]
        + [
            pytest.param({"extension_min": 19}, "reveal", id="beyond the reveal"),
            pytest.param({"weights": {"tiger": 5}}, "/weights/tiger", id="an unknown kind"),
            pytest.param({"quotas": {"shop": {"per_day": 1, "per_campaign": 1}}}, "/quotas/shop", id="unknown source"),
            pytest.param({"trading": {"speed": 1}}, "speed", id="an unknown rule"),
            pytest.param({"weights": "all"}, "weights", id="of another type"),
            pytest.param({"complete_set": ["harmony"]}, "complete_set", id="another complete set"),
            pytest.param({"specials": ["tiger"]}, "tiger", id="an unknown role"),
            pytest.param({"quotas": {"code": {"per_day": 3}}}, "nothing", id="changes nothing"),
            pytest.param({"trading": {"lifetime_h": 0}}, "lifetime_h", id="out of range"),
        ],
    )
    def test_it_is_refused(self, season: Campaign, changes: dict[str, Any], said: str) -> None:
        draft = drafted(season, KEEP, change(changes))
        with pytest.raises(errors.RuleChangeImpossible, match=said) as refused:
            proposals.open_(proposal_id=draft.pk, by=None)
        assert refused.value.facts == {"option": 2}
        assert (again(draft).state, told(season)) == (State.DRAFT, [])

    def test_the_deadline_moves_by_a_vote_that_closes_before_it(self, season: Campaign) -> None:
        refuse(season, change({"extension_min": 5}), "closes_at", closes_at=season.closes_at)
        opened(season, KEEP, change({"extension_min": 5}), closes_at=season.closes_at - timedelta(minutes=1))

    def test_a_removed_kind_needs_a_compensation(self) -> None:
        season = SeasonFactory.create(specials=True, rulebook=STEALS)
        refuse(season, change(NO_STEALS), "options.2.compensations")
        opened(season, KEEP, change(NO_STEALS, compensations=INTO_WILD))

    def test_a_compensation_needs_a_removed_kind(self, season: Campaign) -> None:
        refuse(season, change(LOOSER, compensations=INTO_WILD), "options.2.compensations")


class TestAnnounced:
    def test_what_is_announced_can_be_struck(self) -> None:
        season, amendment = announced()
        opened(season, KEEP, change({}, strikes=amendment.pk), closes_at=amendment.takes_force_at)

    def test_only_before_it_takes_force(self) -> None:
        season, amendment = announced()
        late = amendment.takes_force_at + timedelta(seconds=1)
        refuse(season, change({}, strikes=amendment.pk), "closes_at", closes_at=late)

    @pytest.mark.parametrize("end", ["applied_at", "impossible"])
    def test_not_once_it_has_come_to_its_end(self, end: str) -> None:
        season, amendment = announced()
        given = {"applied_at": amendment.takes_force_at} if end == "applied_at" else {"impossible": {"text": "so"}}
        Amendment.objects.filter(pk=amendment.pk).update(**given)
        refuse(season, change({}, strikes=amendment.pk), "options.2.strikes")

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"specials": ["wild"]}, "/specials"),
            ({"weights": {"harmony": 7}}, "/weights/harmony"),
        ],
    )
    def test_what_contradicts_it_is_refused(self, changes: dict[str, Any], path: str) -> None:
        """Which kinds may be played and how often they are drawn go together."""
        season, amendment = announced()
        compensations = {"copy": {"into": "wild"}} if "specials" in changes else {}
        draft = drafted(season, KEEP, change(changes, compensations=compensations))
        with pytest.raises(errors.ProposalConflict) as refused:
            proposals.open_(proposal_id=draft.pk, by=None)
        assert refused.value.facts == {"with": str(amendment.public_id), "path": path}

    def test_unless_it_is_struck_by_the_same_option(self) -> None:
        season, amendment = announced()
        opened(season, KEEP, change({"weights": {"harmony": 7}}, strikes=amendment.pk))

    def test_but_not_by_another(self) -> None:
        season, amendment = announced()
        other = OptionPlan(name_zh="别的", name_en="Other", changes={"weights": {"harmony": 7}})
        draft = drafted(season, KEEP, change({}, strikes=amendment.pk), other)
        with pytest.raises(errors.ProposalConflict):
            proposals.open_(proposal_id=draft.pk, by=None)

    def test_what_has_nothing_to_do_with_it_is_fine(self) -> None:
        season, _ = announced()
        opened(season, KEEP, change(LOOSER))


class TestContradictions:
    def refuse(self, season: Campaign, option: OptionPlan, vote: Proposal, path: str) -> None:
        draft = drafted(season, KEEP, option)
        with pytest.raises(errors.ProposalConflict) as refused:
            proposals.open_(proposal_id=draft.pk, by=None)
        assert refused.value.facts == {"with": str(vote.public_id), "path": path}
        assert again(draft).state == State.DRAFT

    def test_two_open_votes_on_one_rule(self, season: Campaign) -> None:
        vote = opened(season)
        more = change({"quotas": {"code": {"per_day": 20}}})
        self.refuse(season, more, vote, "/quotas/code/per_day")

    def test_two_that_would_strike_the_same(self) -> None:
        season, amendment = announced()
        vote = opened(season, KEEP, change({}, strikes=amendment.pk))
        self.refuse(season, change({}, strikes=amendment.pk), vote, "")

    def test_one_of_which_makes_the_other_impossible(self, season: Campaign) -> None:
        """A minimum is for random shares only."""
        random = opened(season, KEEP, change({"split": {"mode": "random", "remainder": "share"}}))
        proposals.cancel(proposal_id=random.pk, reason_zh="误", reason_en="By mistake", by=None)
        change_rules(season, split={"mode": "random", "remainder": "share", "minimum_fen": 0, "jackpots": []})
        even = opened(season, KEEP, change({"split": {"mode": "even"}}))
        self.refuse(season, change({"split": {"minimum_fen": 5}}), even, "/split/minimum_fen")

    def test_also_while_one_is_being_counted(self, season: Campaign) -> None:
        vote = opened(season)
        Proposal.objects.filter(pk=vote.pk).update(state=State.COUNTING, counting_at=vote.closes_at)
        self.refuse(season, change(ONE_MORE), vote, "/quotas/code/per_day")

    @pytest.mark.parametrize("ended", ["closed", "cancelled"])
    def test_not_with_one_that_has_ended(self, season: Campaign, clock: Clock, ended: str) -> None:
        vote = opened(season)
        if ended == "closed":
            close(clock, vote)
        else:
            proposals.cancel(proposal_id=vote.pk, reason_zh="误", reason_en="By mistake", by=None)
        opened(season)

    def test_not_in_different_rules_or_campaigns(self, season: Campaign) -> None:
        opened(season)
        opened(season, KEEP, change(LOOSER))
        opened(SeasonFactory.create())
