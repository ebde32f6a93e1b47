"""The script for strangers counts a vote again from what is published, finds one's ballot, and believes nothing."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fortunes import answers, tally
from fortunes.models import Proposal
from tests.cards.calling import get, pages
from tests.factories import votes
from tests.factories.accounts import PlayerFactory

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "verify" / "ballots.py"


def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_ballots", SCRIPT)
    assert spec and spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def as_a_stranger(published: Any, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script as its reader would, isolated from everything installed here."""
    file = folder / "published.json"
    file.write_text(json.dumps(published))
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(file), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def vote(db: None) -> Proposal:
    return votes.OpenProposalFactory.create(options=[{}, {}, {}], quorum=3)


@pytest.fixture
def receipts(vote: Proposal) -> list[answers.BallotReceipt]:
    """Five for the second option, two for the third."""
    voters = votes.VoterFactory.create_batch(7, proposal=vote)
    receipts = [votes.cast(voter, vote, 3 if number < 2 else 2) for number, voter in enumerate(voters)]
    votes.end(vote)
    return receipts


@pytest.fixture
def published(vote: Proposal, receipts: list[answers.BallotReceipt]) -> dict[str, Any]:
    """What anybody may fetch."""
    reader, path = PlayerFactory.create(), f"proposals/{vote.public_id}"
    ballots = [ballot for page in pages(reader, f"{path}/ballots?limit=3") for ballot in page["items"]]
    return {"proposal": get(reader, path).json(), "ballots": ballots}


def test_a_stranger_counts_the_vote_again(published: dict[str, Any], tmp_path: Path) -> None:
    said = as_a_stranger(published, tmp_path)
    assert (said.returncode, said.stderr) == (0, "")
    assert "7 of 7 voted" in said.stdout and "adopted" in said.stdout


def test_a_voter_finds_their_ballot(
    published: dict[str, Any], receipts: list[answers.BallotReceipt], tmp_path: Path
) -> None:
    for receipt in (receipts[0], receipts[-1]):
        said = as_a_stranger(published, tmp_path, receipt.receipt)
        assert said.returncode == 0
        assert f"it is for option {receipt.option}" in said.stdout
    for word in ("00" * 16, "my receipt", receipts[0].receipt[:-1], ""):
        nobodys = as_a_stranger(published, tmp_path, word)
        assert (nobodys.returncode, nobodys.stderr) == (1, "")
        assert "no ballot has this receipt" in nobodys.stdout


def lies(published: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What an operator could have told instead, by what is said of it."""

    def changed(**members: Any) -> dict[str, Any]:
        lie = deepcopy(published)
        lie["proposal"]["result"].update(members)
        return lie

    ballots = published["ballots"]
    told_twice = {**published, "ballots": sorted([*ballots, ballots[0]], key=lambda ballot: ballot["leaf"])}
    turned = deepcopy(published)
    turned["ballots"] = [{**ballot, "option": 1} for ballot in ballots]
    more_for_the_first = deepcopy(published)
    more_for_the_first["proposal"]["options"][0]["ballots"] += 1
    unfinished = deepcopy(published)
    unfinished["proposal"]["result"] = None
    return {
        "the hash of the ballots is": {**published, "ballots": ballots[1:]},
        "in the list twice": told_twice,
        "isn't sorted": {**published, "ballots": ballots[::-1]},
        "a leaf is no hash": {**published, "ballots": [{"leaf": "x", "option": 1}]},
        "option 1 has 7 ballots": turned,
        "option 1 has 0 ballots": more_for_the_first,
        "9 were told": changed(cast=9),
        "of 6 who may vote": changed(eligible=6),
        "the ballots say adopted (2)": changed(winner=3),
        "the result tie (None)": changed(outcome="tie", winner=None),
        "there is no result yet": unfinished,
    }


def test_every_lie_is_found(published: dict[str, Any], tmp_path: Path) -> None:
    for said, lie in lies(published).items():
        assert any(said in fault for fault in module().faults(lie["proposal"], lie["ballots"])), said
    (said, lie), *_ = lies(published).items()
    stranger = as_a_stranger(lie, tmp_path)
    assert stranger.returncode == 1
    assert said in stranger.stdout


def test_a_winner_whose_changes_were_impossible_is_no_lie(published: dict[str, Any]) -> None:
    published["proposal"]["result"].update(outcome="impossible", winner=None)
    assert module().faults(published["proposal"], published["ballots"]) == []


def test_without_words_it_says_how_it_is_used() -> None:
    said = subprocess.run([sys.executable, "-I", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert "published.json" in said.stderr


@given(
    st.dictionaries(st.integers(1, 255), st.integers(0, 1000), min_size=1, max_size=6),
    st.integers(0, 2000),
    st.integers(0, 9_999),
)
def test_it_decides_as_the_close_does(ballots: dict[int, int], quorum: int, threshold: int) -> None:
    result = tally.decide(ballots, quorum=quorum, threshold_bp=threshold)
    assert module().decide(ballots, quorum, threshold) == (result.outcome, result.winner)


@given(st.uuids(), st.binary(min_size=16, max_size=16), st.integers(1, 255))
def test_its_leaves_are_ours(proposal: UUID, receipt: bytes, option: int) -> None:
    assert module().leaf(str(proposal), receipt.hex(), option) == tally.leaf(proposal, receipt, option).hex()
