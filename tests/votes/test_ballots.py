"""Casting ballots, one connection: what counts, what is refused, and what is remembered."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import uuid4

import pytest

from accounts.models import Player
from fortunes import errors, tally
from fortunes.actions import ballots
from fortunes.models import Ballot, BallotCount, Campaign, Exclusion, IdempotencyKey, Option, Proposal
from tests.factories import cards as make
from tests.factories import votes
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create()


@pytest.fixture
def vote(season: Campaign) -> Proposal:
    return votes.OpenProposalFactory.create(campaign=season)


@pytest.fixture
def second_thoughts(season: Campaign) -> Proposal:
    """A vote whose ballots may be changed."""
    return votes.OpenProposalFactory.create(campaign=season, may_change=True, options=[{}, {}, {}])


@pytest.fixture
def alice(vote: Proposal) -> Player:
    return votes.VoterFactory.create(proposal=vote)


def counts(proposal: Proposal) -> dict[str, int]:
    return ballots.tallies(proposals=[proposal.pk])[proposal.pk].ballots


def test_a_ballot_is_a_row_a_count_and_a_receipt(vote: Proposal, alice: Player) -> None:
    receipt = votes.cast(alice, vote, 2)

    row = Ballot.objects.get(player=alice, proposal=vote)
    assert (row.option, bytes(row.receipt).hex(), bytes(row.leaf).hex()) == (2, receipt.receipt, receipt.leaf)
    assert tally.leaf(vote.public_id, bytes.fromhex(receipt.receipt), 2).hex() == receipt.leaf
    assert (receipt.proposal, receipt.option, receipt.changed) == (vote.public_id, 2, False)
    count = BallotCount.objects.get(proposal=vote)
    assert (count.option, count.shard, count.ballots) == (2, alice.pk % 64, 1)
    assert counts(vote) == {"1": 0, "2": 1}


def test_receipts_are_never_the_same(vote: Proposal) -> None:
    voters = votes.VoterFactory.create_batch(20, proposal=vote)
    assert len({votes.cast(voter, vote).receipt for voter in voters}) == 20


def test_the_same_key_and_body_answer_again_what_they_answered(vote: Proposal, alice: Player) -> None:
    first = votes.cast(alice, vote, 1, key="k")
    assert votes.cast(alice, vote, 1, key="k") == first
    assert counts(vote) == {"1": 1, "2": 0}


def test_another_body_under_the_same_key(vote: Proposal, alice: Player) -> None:
    votes.cast(alice, vote, 1, key="k")
    with pytest.raises(errors.IdempotencyKeyReused):
        votes.cast(alice, vote, 2, key="k")


def test_a_replay_is_answered_even_after_the_vote(vote: Proposal, alice: Player, clock: Clock) -> None:
    first = votes.cast(alice, vote, 1, key="k")
    clock.shift(timedelta(days=20))
    assert votes.cast(alice, vote, 1, key="k") == first


@pytest.mark.parametrize("option", [1, 2])
def test_a_second_ballot_is_refused_and_says_what_the_first_was_for(vote: Proposal, alice: Player, option: int) -> None:
    votes.cast(alice, vote, 1)
    with pytest.raises(errors.BallotAlreadyCast) as refused:
        votes.cast(alice, vote, option)
    assert refused.value.facts == {"option": 1}
    assert counts(vote) == {"1": 1, "2": 0}


def test_a_refusal_is_not_remembered(vote: Proposal) -> None:
    late = PlayerFactory.create()
    with pytest.raises(errors.NotEligible):
        votes.cast(late, vote, key="k")
    assert not IdempotencyKey.objects.filter(player=late).exists()
    votes.enrol(vote, late)
    assert votes.cast(late, vote, key="k").option == 1


def test_a_changed_ballot_replaces_the_first_one(second_thoughts: Proposal, alice: Player) -> None:
    first = votes.cast(alice, second_thoughts, 1)
    changed = votes.cast(alice, second_thoughts, 3)

    assert (changed.changed, changed.option) == (True, 3)
    assert changed.receipt != first.receipt and changed.leaf != first.leaf
    assert counts(second_thoughts) == {"1": 0, "2": 0, "3": 1}
    assert bytes(Ballot.objects.get(player=alice, proposal=second_thoughts).leaf).hex() == changed.leaf


def test_a_change_to_the_same_option_keeps_ballot_and_receipt(second_thoughts: Proposal, alice: Player) -> None:
    first = votes.cast(alice, second_thoughts, 1)
    assert votes.cast(alice, second_thoughts, 1) == first
    assert counts(second_thoughts) == {"1": 1, "2": 0, "3": 0}


def test_the_first_key_still_answers_the_first_ballot_after_a_change(second_thoughts: Proposal, alice: Player) -> None:
    first = votes.cast(alice, second_thoughts, 1, key="k")
    votes.cast(alice, second_thoughts, 2)
    assert votes.cast(alice, second_thoughts, 1, key="k") == first
    assert counts(second_thoughts) == {"1": 0, "2": 1, "3": 0}


def test_two_who_swap_their_options_leave_the_counts_as_they_were(season: Campaign) -> None:
    """In one transaction: the counts of a shard are changed by nothing."""
    vote = votes.OpenProposalFactory.create(campaign=season, may_change=True)
    one = votes.VoterFactory.create(proposal=vote)
    other = next(p for p in iter(PlayerFactory.create, None) if p.pk % 64 == one.pk % 64)
    votes.enrol(vote, other)
    both = [(one, 1), (other, 2)]
    for swapped in (both, [(one, 2), (other, 1)]):
        wanted = [votes.wanted(player, vote, option) for player, option in swapped]
        ballots.cast_many(campaign_id=season.pk, wanted=wanted)
    assert counts(vote) == {"1": 1, "2": 1}
    assert ballots.options_of(proposals=[vote.pk], player_id=one.pk) == {vote.pk: 2}


def test_nobody_votes_who_has_not_joined(vote: Proposal) -> None:
    with pytest.raises(errors.NotEligible):
        votes.cast(PlayerFactory.create(), vote)


def test_nobody_votes_who_joined_after_the_opening(vote: Proposal) -> None:
    late = PlayerFactory.create()
    make.redeem(vote.campaign, late)
    with pytest.raises(errors.NotEligible):
        votes.cast(late, vote)


def test_nobody_votes_who_joined_at_the_instant_of_the_opening(vote: Proposal, alice: Player) -> None:
    Proposal.objects.filter(pk=vote.pk).update(opens_at=vote.opens_at - timedelta(minutes=1))
    with pytest.raises(errors.NotEligible):
        votes.cast(alice, vote)


def test_nobody_votes_who_was_excluded(vote: Proposal, alice: Player) -> None:
    Exclusion.objects.create(campaign=vote.campaign, player=alice, reason=Exclusion.Reason.FRAUD)
    with pytest.raises(errors.NotEligible):
        votes.cast(alice, vote)


def test_an_option_of_another_proposal(vote: Proposal, second_thoughts: Proposal, alice: Player) -> None:
    assert Option.objects.filter(proposal=second_thoughts, number=3).exists()
    with pytest.raises(errors.OptionNotFound):
        votes.cast(alice, vote, 3)


@pytest.mark.parametrize("option", [0, 255])
def test_an_option_that_nobody_has(vote: Proposal, alice: Player, option: int) -> None:
    with pytest.raises(errors.OptionNotFound):
        votes.cast(alice, vote, option)


def test_an_unknown_proposal(vote: Proposal, alice: Player) -> None:
    vote.public_id = uuid4()
    with pytest.raises(errors.ProposalNotFound):
        votes.cast(alice, vote)


@pytest.mark.parametrize("thrown_away", [False, True])
def test_a_draft_is_not_found(season: Campaign, alice: Player, thrown_away: bool) -> None:
    draft = votes.DraftProposalFactory.create(campaign=season)
    if thrown_away:
        Proposal.objects.filter(pk=draft.pk).update(state="cancelled", cancelled_at=draft.closes_at)
    with pytest.raises(errors.ProposalNotFound):
        votes.cast(alice, draft)
    with pytest.raises(errors.ProposalNotFound):
        ballots.mine(proposal_id=draft.public_id, player_id=alice.pk)
    with pytest.raises(errors.ProposalNotFound):
        ballots.published(proposal_id=draft.public_id, after=b"", limit=1)
    assert ballots.looks(proposals=[draft.public_id]) == {}


def test_a_proposal_of_another_campaign(vote: Proposal, alice: Player) -> None:
    asked = votes.wanted(alice, vote).asked
    other = make.SeasonFactory.create()
    with pytest.raises(errors.ProposalNotFound):
        ballots.cast(asked=asked, proposal_id=vote.public_id, option=1, by=alice, campaign=other)
    assert ballots.cast(asked=asked, proposal_id=vote.public_id, option=1, by=alice, campaign=vote.campaign)


def test_whoever_asks_is_who_votes(vote: Proposal, alice: Player) -> None:
    with pytest.raises(ValueError, match="whoever asks"):
        ballots.cast(
            asked=votes.wanted(alice, vote).asked, proposal_id=vote.public_id, option=1, by=PlayerFactory.create()
        )


def test_before_the_opening_of_the_vote(season: Campaign) -> None:
    opens_at = season.opens_at + timedelta(days=1)
    vote = votes.OpenProposalFactory.create(campaign=season, opens_at=opens_at, opened_at=season.opens_at)
    voter = votes.VoterFactory.create(proposal=vote)
    with pytest.raises(errors.VoteNotOpen) as refused:
        votes.cast(voter, vote)
    assert refused.value.facts["state"] == "scheduled"


def test_at_the_instant_of_the_opening(season: Campaign, clock: Clock) -> None:
    opens_at = season.opens_at + timedelta(days=1)
    vote = votes.OpenProposalFactory.create(campaign=season, opens_at=opens_at, opened_at=season.opens_at)
    voter = votes.VoterFactory.create(proposal=vote)
    clock.move_to(opens_at)
    assert votes.cast(voter, vote).option == 1


def test_after_the_close(vote: Proposal, alice: Player, clock: Clock) -> None:
    clock.move_to(vote.closes_at)
    with pytest.raises(errors.VoteNotOpen) as refused:
        votes.cast(alice, vote)
    assert refused.value.facts["state"] == "counting"
    assert set(refused.value.facts) == {"state", "opens_at", "closes_at"}


@pytest.mark.parametrize("state", ["counting", "closed", "cancelled"])
def test_a_vote_that_is_over(season: Campaign, state: str) -> None:
    vote = votes.EndedProposalFactory.create(campaign=season, state=state)
    voter = votes.VoterFactory.create(proposal=vote)
    with pytest.raises(errors.VoteNotOpen) as refused:
        votes.cast(voter, vote)
    assert refused.value.facts["state"] == state


def test_after_the_deadline_of_the_season(season: Campaign, clock: Clock) -> None:
    vote = votes.OpenProposalFactory.create(campaign=season, closes_at=season.closes_at + timedelta(hours=1))
    voter = votes.VoterFactory.create(proposal=vote)
    clock.move_to(season.closes_at)
    with pytest.raises(errors.CampaignFrozen):
        votes.cast(voter, vote)


def test_before_the_season(clock: Clock) -> None:
    opens_at = clock.now() + timedelta(hours=1)
    season = make.SeasonFactory.create(opens_at=opens_at, closes_at=opens_at + timedelta(hours=1))
    vote = votes.OpenProposalFactory.create(campaign=season)
    voter = votes.VoterFactory.create(proposal=vote)
    with pytest.raises(errors.CampaignNotLive):
        votes.cast(voter, vote)


def test_a_list_is_judged_item_by_item(season: Campaign, vote: Proposal, second_thoughts: Proposal) -> None:
    one, other = votes.VoterFactory.create_batch(2, proposal=vote)
    stranger = PlayerFactory.create()
    outcomes = ballots.cast_many(
        campaign_id=season.pk,
        wanted=[
            votes.wanted(one, vote, 1),
            votes.wanted(stranger, vote, 1),
            votes.wanted(other, vote, 2),
            votes.wanted(one, second_thoughts, 3),
            votes.wanted(one, vote, 2),
            votes.wanted(one, second_thoughts, 2),
        ],
    )
    kinds = [getattr(outcome, "code", None) or outcome.option for outcome in outcomes]
    assert kinds == [1, "not-eligible", 2, 3, "ballot-already-cast", 2]
    assert counts(vote) == {"1": 1, "2": 1}
    assert counts(second_thoughts) == {"1": 0, "2": 1, "3": 0}
    assert ballots.cast_many(campaign_id=season.pk, wanted=[]) == []


def test_a_campaign_that_is_not_there(vote: Proposal, alice: Player) -> None:
    """No caller lets it come to this."""
    (outcome,) = ballots.cast_many(campaign_id=vote.campaign_id + 10**8, wanted=[votes.wanted(alice, vote)])
    assert isinstance(outcome, errors.ProposalNotFound)


def test_a_player_finds_their_own_ballot_with_its_receipt(vote: Proposal, alice: Player) -> None:
    with pytest.raises(errors.BallotNotFound):
        ballots.mine(proposal_id=vote.public_id, player_id=alice.pk)
    receipt = votes.cast(alice, vote)
    assert ballots.mine(proposal_id=vote.public_id, player_id=alice.pk) == receipt
    assert ballots.options_of(proposals=[vote.pk, 0], player_id=alice.pk) == {vote.pk: 1}
    with pytest.raises(errors.ProposalNotFound):
        ballots.mine(proposal_id=uuid4(), player_id=alice.pk)


def test_tallies_of_several_proposals(season: Campaign, vote: Proposal, second_thoughts: Proposal) -> None:
    for voter, option in zip(votes.VoterFactory.create_batch(5, proposal=vote), [1, 2, 2, 1, 2], strict=True):
        votes.cast(voter, vote, option)
    found = ballots.tallies(proposals=[vote.pk, second_thoughts.pk])
    assert {pk: (tally.ballots, tally.cast) for pk, tally in found.items()} == {
        vote.pk: ({"1": 2, "2": 3}, 5),
        second_thoughts.pk: ({"1": 0, "2": 0, "3": 0}, 0),
    }


def test_who_watches_learns_whose_vote_it_is_and_whether_it_is_over(season: Campaign, vote: Proposal) -> None:
    ended = votes.EndedProposalFactory.create(campaign=season, state="closed")
    looks = ballots.looks(proposals=[vote.public_id, ended.public_id, uuid4()])
    assert {found: (look.campaign_id, look.is_over) for found, look in looks.items()} == {
        vote.public_id: (season.pk, False),
        ended.public_id: (season.pk, True),
    }
    assert looks[vote.public_id].tally.ballots == {"1": 0, "2": 0}


def test_a_count_of_a_vote_is_its_rows(season: Campaign, vote: Proposal) -> None:
    voters = votes.VoterFactory.create_batch(6, proposal=vote)
    receipts = [votes.cast(voter, vote, number % 3 // 2 + 1) for number, voter in enumerate(voters)]
    counted = ballots.count(proposal=vote)
    leaves = sorted(bytes.fromhex(receipt.leaf) for receipt in receipts)
    assert counted.ballots == {1: 4, 2: 2}
    assert (counted.cast, counted.eligible) == (6, 6)
    assert counted.digest == hashlib.sha256(b"".join(leaves)).digest()


def test_a_count_goes_on_where_the_last_part_ended(vote: Proposal, monkeypatch: pytest.MonkeyPatch) -> None:
    for voter in votes.VoterFactory.create_batch(7, proposal=vote):
        votes.cast(voter, vote)
    whole = ballots.count(proposal=vote)
    for part in (1, 3, 7):
        monkeypatch.setattr(ballots, "LEAVES_AT_ONCE", part)
        assert ballots.count(proposal=vote) == whole


def test_a_vote_without_a_ballot_is_counted(vote: Proposal) -> None:
    assert ballots.count(proposal=vote) == ballots.Counted({}, 0, hashlib.sha256().digest(), 0)


def test_eligible_are_those_who_may_vote_and_those_who_have(vote: Proposal) -> None:
    """Excluded after having voted: the ballot counts, and so does the voter."""
    voted, excluded, silent = votes.VoterFactory.create_batch(3, proposal=vote)
    make.redeem(vote.campaign, PlayerFactory.create())
    votes.cast(voted, vote)
    for player in (voted, excluded):
        Exclusion.objects.create(campaign=vote.campaign, player=player, reason=Exclusion.Reason.FRAUD)
    assert ballots.count(proposal=vote).eligible == 2
    votes.cast(silent, vote)
    assert ballots.count(proposal=vote).eligible == 2
