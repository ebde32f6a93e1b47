"""Motions: what each option would do, and what has to be so before it is put to the vote."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Player
from fortunes.errors import InvalidProposal, ProposalNotFound, ProposalState
from fortunes.models import Campaign, Proposal
from redpackets.actions import compensations, motions
from redpackets.models import LiveShare
from tests.factories import aftermaths as rules
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.factories.votes import DraftProposalFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

WITHOUT_STEALS: dict[str, Any] = {"specials": ["wild", "copy"]}
POOL_FEN = 1_000_000


@pytest.fixture
def season() -> Campaign:
    return rules.season_with_steals()


@pytest.fixture
def alice() -> Player:
    return PlayerFactory.create()


def motion(season: Campaign, *options: dict[str, Any], **given: Any) -> Proposal:
    proposal: Proposal = DraftProposalFactory.create(campaign=season, options=({}, *options), **given)
    return proposal


def split(mode: str, **more: Any) -> dict[str, Any]:
    return {"split": {"mode": mode, **more}}


def jackpots(*prizes_fen: int) -> list[dict[str, int]]:
    return [{"count": 1, "prize_fen": fen} for fen in prizes_fen]


def counted(season: Campaign, complete: int) -> None:
    LiveShare.objects.create(campaign=season, complete=complete, each_fen=1, counted_at=season.opens_at)


def refused(proposal: Proposal, *failed: str) -> InvalidProposal:
    with pytest.raises(InvalidProposal) as refusal:
        motions.open_(proposal_id=proposal.pk, by=None)
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.DRAFT
    assert refusal.value.facts == {"option": 2, "failed": list(failed)}
    return refusal.value


def test_what_each_option_would_do(season: Campaign, alice: Player) -> None:
    make.deal(season, alice, "steal", "steal")
    make.deal(season, PlayerFactory.create(), "steal")
    proposal = motion(season, WITHOUT_STEALS, compensations={2: rules.INTO_WILD})

    nothing, removal = motions.preview(proposal_id=proposal.pk)

    assert (nothing.changes, nothing.may_open, nothing.missing_fen) == ([], True, 0)
    assert [change.path for change in removal.changes] == ["/specials"]
    assert removal.effects
    (removed,) = removal.effects.removals
    assert (removed.role, removed.cards, removed.players, removed.into) == ("steal", 3, 2, "wild")
    assert removal.may_open


def test_it_is_put_to_the_vote(season: Campaign) -> None:
    proposal = motion(season, WITHOUT_STEALS, compensations={2: rules.INTO_WILD})
    opened = motions.open_(proposal_id=proposal.pk, by=None)
    assert opened.state == Proposal.State.OPEN
    with pytest.raises(ProposalState):
        motions.open_(proposal_id=proposal.pk, by=None)


def test_there_is_no_such_proposal() -> None:
    with pytest.raises(ProposalNotFound):
        motions.preview(proposal_id=0)
    with pytest.raises(ProposalNotFound):
        motions.open_(proposal_id=0, by=None)


def test_cards_have_their_say() -> None:
    weights = {"patriotism": 25, "prosperity": 25, "harmony": 23, "friendliness": 22, "dedication": 5, "steal": 3}
    season = rules.season_with_steals(weights=weights)
    proposal = motion(season, WITHOUT_STEALS, compensations={2: rules.INTO_WILD})
    assert "steal" in str(refused(proposal, "removed-not-drawn").detail)


def test_rules_that_cannot_change_so_are_foreseen(season: Campaign) -> None:
    proposal = motion(season, {"extension_min": 60 * 24 * 300})
    foreseen = motions.preview(proposal_id=proposal.pk)[1]
    assert (foreseen.effects, foreseen.may_open, [check.slug for check in foreseen.checks]) == (
        None, False, ["rules-possible"],
    )  # fmt: skip
    assert foreseen.checks[0].detail
    with pytest.raises(Exception, match="extension_min") as refusal:
        motions.open_(proposal_id=proposal.pk, by=None)
    assert type(refusal.value).__module__ == "fortunes.errors"


class TestSplit:
    @pytest.mark.parametrize(
        "change",
        [
            split("random", minimum_fen=100),
            split("tiered", jackpots=jackpots(POOL_FEN - 1, 1)),
            split("even", remainder="return"),
        ],
    )
    def test_one_that_the_pool_can_pay(self, season: Campaign, change: dict[str, Any]) -> None:
        counted(season, 10_000)
        proposal = motion(season, change)
        assert motions.preview(proposal_id=proposal.pk)[1].split.mode == change["split"]["mode"]
        assert motions.open_(proposal_id=proposal.pk, by=None).state == Proposal.State.OPEN

    def test_jackpots_beyond_the_pool(self, season: Campaign) -> None:
        refusal = refused(motion(season, split("tiered", jackpots=jackpots(POOL_FEN, 1))), "split-fits")
        assert "-¥0.01" in str(refusal.detail)

    def test_a_minimum_that_cannot_be_paid_to_those_who_are_complete_already(self, season: Campaign) -> None:
        counted(season, 10_001)
        refused(motion(season, split("random", minimum_fen=100)), "split-fits")

    def test_a_minimum_beyond_the_pool_before_anybody_was_counted(self, season: Campaign) -> None:
        refused(motion(season, split("random", minimum_fen=POOL_FEN + 1)), "split-fits")


class TestFund:
    def test_it_has_to_cover_what_cards_would_become(self, season: Campaign, alice: Player) -> None:
        make.deal(season, alice, "steal", "steal")
        proposal = motion(season, WITHOUT_STEALS, compensations={2: rules.INTO_FEN})
        assert motions.preview(proposal_id=proposal.pk)[1].missing_fen == 176
        refused(proposal, "fund-covers")

        compensations.fund(campaign_id=season.pk, amount_fen=176, business_key=f"bank:{secrets.token_hex(6)}", by=None)
        assert motions.preview(proposal_id=proposal.pk)[1].missing_fen == 0
        assert motions.open_(proposal_id=proposal.pk, by=None).state == Proposal.State.OPEN

    def test_what_is_owed_already_does_not_count(self, season: Campaign, alice: Player) -> None:
        make.deal(season, alice, "steal")
        compensations.fund(campaign_id=season.pk, amount_fen=88, business_key=f"b:{secrets.token_hex(6)}", by=None)
        rules.remove(season, "steal", promising=rules.INTO_FEN)
        rules.follow(season)
        proposal = motion(season, {"specials": ["wild"]}, compensations={
            2: {"copy": {"into": "fen", "amount_fen": 1}}
        })  # fmt: skip
        make.deal(season, PlayerFactory.create(), "copy")
        assert motions.preview(proposal_id=proposal.pk)[1].missing_fen == 1


def test_a_vote_that_would_end_after_the_deadline_is_no_matter_of_money(season: Campaign, clock: Clock) -> None:
    """What the ground refuses comes through as it is."""
    proposal = motion(season, split("random"), closes_at=season.reveal_at + timedelta(days=1))
    with pytest.raises(InvalidProposal) as refusal:
        motions.open_(proposal_id=proposal.pk, by=None)
    assert "failed" not in refusal.value.facts
