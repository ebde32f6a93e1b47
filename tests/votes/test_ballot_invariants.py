"""What must hold of ballots is looked for: a planted violation of each is found."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from fortunes import invariants
from fortunes.models import SHARDS, BallotCount, Proposal
from tests.factories import votes

KNOWN = {known.name: known.query for known in invariants.every()}

# Invariant → statements that break it, for the closed vote of the fixture and one of its voters.
PLANTS: dict[str, list[str]] = {
    "fortunes/ballots_once": [
        (
            "ALTER TABLE fortunes_ballot DROP CONSTRAINT ballot_once; "
            "INSERT INTO fortunes_ballot (proposal_id, player_id, option, receipt, leaf) "
            "SELECT proposal_id, player_id, 2, receipt, leaf FROM fortunes_ballot WHERE player_id = {player}"
        )
    ],
    "fortunes/ballots_counted": [
        "UPDATE fortunes_ballotcount SET ballots = ballots + 1 WHERE proposal_id = {vote} AND shard = {player} % 64",
        "UPDATE fortunes_ballot SET option = 2 WHERE player_id = {player}",
        "DELETE FROM fortunes_ballotcount WHERE proposal_id = {vote} AND shard = {player} % 64",
        "DELETE FROM fortunes_ballot WHERE player_id = {player}",
    ],
    "fortunes/ballots_in_time": [
        (
            "UPDATE fortunes_ballot b SET at = p.closes_at FROM fortunes_proposal p "
            "WHERE p.id = b.proposal_id AND b.player_id = {player}"
        ),
        (
            "UPDATE fortunes_ballot b SET at = p.opens_at - interval '1 microsecond' FROM fortunes_proposal p "
            "WHERE p.id = b.proposal_id AND b.player_id = {player}"
        ),
        (
            "UPDATE fortunes_campaign SET closes_at = (SELECT min(at) FROM fortunes_ballot WHERE proposal_id = {vote}) "
            "WHERE id = {season}"
        ),
    ],
    "fortunes/ballots_by_eligible": [
        "UPDATE fortunes_membership SET joined_at = fortunes_clock() WHERE player_id = {player}",
        "DELETE FROM fortunes_membership WHERE player_id = {player}",
        "UPDATE fortunes_ballot SET option = 9 WHERE player_id = {player}",
        "UPDATE fortunes_ballot SET receipt = sha256(receipt) WHERE player_id = {player}",
    ],
    "fortunes/ballots_published": [
        "DELETE FROM fortunes_ballot WHERE player_id = {player}",
        "UPDATE fortunes_proposal SET ballots_hash = sha256('') WHERE id = {vote}",
        "UPDATE fortunes_proposal SET eligible = 1 WHERE id = {vote}",
        "UPDATE fortunes_option SET ballots = ballots + 1 WHERE proposal_id = {vote} AND number = 1",
    ],
}


def found(name: str, connection: psycopg.Connection) -> bool:
    return bool(connection.execute(f"SELECT * FROM ({KNOWN[name]}) AS violation LIMIT 1".encode()).fetchall())


@pytest.fixture
def voted(owner_connection: psycopg.Connection, committed_db: None) -> Iterator[tuple[Proposal, int]]:
    """A closed vote, the number of one of its voters, and a transaction of the owner that never commits."""
    vote = votes.OpenProposalFactory.create()
    one, other = votes.VoterFactory.create_batch(2, proposal=vote)
    votes.cast(one, vote, 1)
    votes.cast(other, vote, 2)
    votes.end(vote)
    with owner_connection.transaction(force_rollback=True):
        yield vote, one.pk


@pytest.mark.committed
@pytest.mark.parametrize(("name", "plant"), [(name, plant) for name, plants in PLANTS.items() for plant in plants])
def test_a_planted_violation_is_found(
    name: str, plant: str, voted: tuple[Proposal, int], owner_connection: psycopg.Connection
) -> None:
    vote, player = voted
    assert not found(name, owner_connection)
    owner_connection.execute(plant.format(vote=vote.pk, player=player, season=vote.campaign_id).encode())
    assert found(name, owner_connection)


def test_every_invariant_of_ballots_has_its_violation() -> None:
    assert {name for name in KNOWN if name.startswith("fortunes/ballots_")} == set(PLANTS)


@pytest.mark.django_db
def test_sql_and_models_have_as_many_shards() -> None:
    """The number is written in both: the players of one shard add to one row."""
    vote = votes.OpenProposalFactory.create()
    voter = votes.VoterFactory.create(proposal=vote)
    votes.cast(voter, vote)
    assert BallotCount.objects.get(proposal=vote).shard == voter.pk % SHARDS
