"""Ballots over REST and as commands of a socket, and the ways in which they can be asked wrongly."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import msgspec
import pytest
from rest_framework.exceptions import ValidationError

from accounts.models import Player
from fortunes.commands import COMMANDS, Caller
from fortunes.errors import DomainError
from fortunes.models import Ballot, Proposal
from tests.cards.calling import get, items, pages, pointers, post, problem
from tests.factories import votes
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def vote() -> Proposal:
    return votes.OpenProposalFactory.create()


@pytest.fixture
def alice(vote: Proposal) -> Player:
    return votes.VoterFactory.create(proposal=vote)


def address(vote: Proposal) -> str:
    return f"proposals/{vote.public_id}/ballot"


def command(vote: Proposal, player: Player, **data: Any) -> Any:
    """What a socket answers: the result, or the code of the error."""
    try:
        given = {"proposal": str(vote.public_id), "option": 1, "key": "k", **data}
        return msgspec.to_builtins(COMMANDS["ballot.cast"].run(Caller(player, vote.campaign), given))
    except DomainError as refusal:
        return refusal.code


def test_a_ballot_over_rest(vote: Proposal, alice: Player) -> None:
    answer = post(alice, address(vote), {"option": 2}, key="k")
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/v1/{address(vote)}"
    body = answer.json()
    assert set(body) == {"proposal", "option", "receipt", "leaf", "cast_at", "changed"}
    assert (body["proposal"], body["option"], body["changed"]) == (str(vote.public_id), 2, False)
    assert (len(body["receipt"]), len(body["leaf"])) == (32, 64)

    again = post(alice, address(vote), {"option": 2}, key="k")
    assert (again.status_code, again.content, again["Location"]) == (201, answer.content, answer["Location"])
    assert get(alice, address(vote)).json() == body


def test_a_ballot_by_socket_is_the_same_act(vote: Proposal, alice: Player) -> None:
    told = command(vote, alice)
    assert post(alice, address(vote), {"option": 1}, key="k").json() == told
    assert command(vote, alice) == told
    assert command(vote, alice, option=2) == "idempotency-key-reused"
    assert command(vote, alice, option=2, key="other") == "ballot-already-cast"


def test_a_socket_finds_the_proposals_of_its_own_campaign_only(vote: Proposal, alice: Player) -> None:
    elsewhere = votes.OpenProposalFactory.create()
    votes.enrol(elsewhere, alice)
    elsewhere.campaign = vote.campaign
    assert command(elsewhere, alice) == "proposal-not-found"


def test_refusals_say_what_a_client_needs(vote: Proposal, alice: Player) -> None:
    assert problem(post(PlayerFactory.create(), address(vote), {"option": 1})) == (403, "not-eligible")
    assert problem(post(alice, address(vote), {"option": 3})) == (422, "option-not-found")
    assert problem(get(alice, address(vote))) == (404, "ballot-not-found")
    post(alice, address(vote), {"option": 1})
    refused = post(alice, address(vote), {"option": 2})
    assert problem(refused) == (409, "ballot-already-cast")
    assert refused.json()["option"] == 1


def test_a_vote_that_is_not_open_says_how_it_stands() -> None:
    ended = votes.EndedProposalFactory.create(state="closed")
    voter = votes.VoterFactory.create(proposal=ended)
    refused = post(voter, address(ended), {"option": 1})
    assert problem(refused) == (409, "vote-not-open")
    assert {"state", "opens_at", "closes_at"} <= set(refused.json())
    assert refused.json()["state"] == "closed"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, {"/option": "required"}),
        ({"option": None}, {"/option": "null"}),
        ({"option": "first"}, {"/option": "invalid"}),
        ({"option": 0}, {"/option": "min_value"}),
        ({"option": 256}, {"/option": "max_value"}),
        ({"option": 1, "receipt": "00"}, {"/receipt": "unknown"}),
    ],
)
def test_bodies_that_are_no_ballot(vote: Proposal, alice: Player, body: Any, fault: dict[str, str]) -> None:
    assert pointers(post(alice, address(vote), body)) == fault
    assert not Ballot.objects.filter(player=alice).exists()


def test_without_a_key_nothing_is_cast(vote: Proposal, alice: Player) -> None:
    assert problem(post(alice, address(vote), {"option": 1}, key="")) == (400, "idempotency-key-missing")
    assert command(vote, alice, key="") == "idempotency-key-missing"
    assert not Ballot.objects.filter(player=alice).exists()


def test_a_command_of_another_shape(vote: Proposal, alice: Player) -> None:
    for wrong in ({"proposal": "none"}, {"option": 0}, {"ballot": 1}):
        with pytest.raises(ValidationError):
            command(vote, alice, **wrong)


def test_proposals_that_are_not_there(alice: Player) -> None:
    draft = votes.DraftProposalFactory.create()
    for nowhere in (draft.public_id, uuid4()):
        for path in (f"proposals/{nowhere}/ballot", f"proposals/{nowhere}/ballots"):
            assert problem(get(alice, path)) == (404, "proposal-not-found")
        assert problem(post(alice, f"proposals/{nowhere}/ballot", {"option": 1})) == (404, "proposal-not-found")


@pytest.mark.parametrize("state", ["open", "counting", "cancelled"])
def test_no_ballot_is_published_before_the_result(state: str) -> None:
    factory = votes.OpenProposalFactory if state == "open" else votes.EndedProposalFactory
    vote = factory.create(state=state)
    refused = get(None, f"proposals/{vote.public_id}/ballots")
    assert problem(refused) == (409, "vote-not-closed")
    assert refused.json()["state"] == state


def test_the_published_list_is_sorted_and_has_everybody(vote: Proposal) -> None:
    receipts = [
        votes.cast(voter, vote, number % 2 + 1)
        for number, voter in enumerate(votes.VoterFactory.create_batch(7, proposal=vote))
    ]
    votes.end(vote)
    path = f"proposals/{vote.public_id}/ballots"
    expected = sorted(
        ({"leaf": receipt.leaf, "option": receipt.option} for receipt in receipts), key=lambda x: x["leaf"]
    )

    assert get(None, path).json() == {"items": expected, "next": None}
    reader = PlayerFactory.create()
    assert items(reader, f"{path}?limit=3") == expected
    assert [len(page["items"]) for page in pages(reader, f"{path}?limit=3")] == [3, 3, 1]
    assert [len(page["items"]) for page in pages(reader, f"{path}?limit=7")] == [7]


@pytest.mark.parametrize("cursor", ["x", "cD0xMg==", "cD0tMQ=="])
def test_cursors_that_are_not_ours(vote: Proposal, alice: Player, cursor: str) -> None:
    votes.end(vote)
    assert pointers(get(alice, f"proposals/{vote.public_id}/ballots?cursor={cursor}")) == {"/cursor": "invalid"}


def test_nobody_is_told_of_another_ones_ballot(vote: Proposal, alice: Player) -> None:
    post(alice, address(vote), {"option": 1})
    other = votes.VoterFactory.create(proposal=vote)
    assert problem(get(other, address(vote))) == (404, "ballot-not-found")
    assert get(None, address(vote)).status_code == 401
    assert post(None, address(vote), {"option": 1}).status_code == 401
