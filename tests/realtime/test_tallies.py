"""Live tallies over sockets: who watches a vote is told what changes, at most twice a second, wherever it was cast."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from config.client.rest import Client
from config.client.sockets import Push, Socket, dial
from config.sockets.tallies import MOST, PACE_S
from fortunes import threads
from fortunes.models import Proposal
from tests.factories import votes
from tests.realtime.people import Person
from tests.realtime.protocol import conforms, payload_of
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "verify" / "ballots.py"


@pytest.fixture
def vote(cast: dict[str, Person]) -> Proposal:
    """All three may vote."""
    (alice, *_) = cast.values()
    vote = votes.OpenProposalFactory.create(campaign=alice.season)
    votes.enrol(vote, *(person.row for person in cast.values()))
    return vote


async def watch(socket: Socket, vote: Proposal) -> Any:
    return await socket.command("tally.watch", {"proposal": str(vote.public_id)})


async def cast_ballot(socket: Socket, vote: Proposal, option: int, key: str = "k") -> Any:
    return await socket.command("ballot.cast", {"proposal": str(vote.public_id), "option": option, "key": key})


async def told(socket: Socket, ballots: dict[str, int]) -> Push:
    """The push that tells these counts. Earlier ones may tell some of them."""
    while True:
        push = await socket.next()
        assert (push.event, push.seq, push.campaign_seq) == ("tally.changed", None, None)
        if push.data["ballots"] == ballots:
            return push
        assert all(count <= ballots[option] for option, count in push.data["ballots"].items())


async def test_who_watches_hears_of_ballots_by_socket_and_rest(
    alice: Person, bob: Person, charlie: Person, b: Server, vote: Proposal
) -> None:
    async with await alice.connect() as here, await bob.connect(b) as there:
        for socket in (here, there):
            answer = await watch(socket, vote)
            assert (answer["proposal"], answer["ballots"], answer["cast"]) == (str(vote.public_id), {"1": 0, "2": 0}, 0)
        await cast_ballot(there, vote, 2)
        async with Client(b.url) as client:
            client.access = charlie.token
            await client.post(f"proposals/{vote.public_id}/ballot", {"option": 1}, key="k")
        for socket in (here, there):
            push = await told(socket, {"1": 1, "2": 1})
            assert (push.data["proposal"], push.data["cast"], push.data["at"]) == (str(vote.public_id), 2, push.at)
        # It moves no position, so a client resumes as if it had not been.
        assert (here.position.seq, here.position.campaign_seq) == (here.welcome.seq, here.welcome.campaign_seq)


async def test_ballots_are_told_at_most_twice_a_second(alice: Person, vote: Proposal) -> None:
    """However fast they come: between two tellings lies the pace, by the clock of the database that both name."""
    voters = await threads.run(votes.VoterFactory.create_batch, 60, proposal=vote)
    async with await alice.connect() as socket:
        await watch(socket, vote)
        stream = asyncio.create_task(threads.run(lambda: [votes.cast(voter, vote) for voter in voters]))
        seen = [await socket.next()]
        while seen[-1].data["cast"] < len(voters):
            seen.append(await socket.next())
        await stream
    instants = [datetime.fromisoformat(push.data["at"]) for push in seen]
    # The loop's own clock may be some ticks ahead of the database's.
    least = timedelta(seconds=0.9 * PACE_S)
    assert all(later - sooner >= least for sooner, later in pairwise(instants))
    counts = [push.data["cast"] for push in seen]
    assert counts == sorted(set(counts))


async def test_what_has_not_changed_is_not_told(alice: Person, vote: Proposal) -> None:
    """Two tallies after the last one was told nothing has come but what was sent last."""
    async with await alice.connect() as socket:
        await watch(socket, vote)
        await cast_ballot(socket, vote, 1)
        await told(socket, {"1": 1, "2": 0})
        await asyncio.sleep(3 * PACE_S)
        await threads.run(alice.told, 1)
        assert (await socket.next()).event == "friendship.asked"


async def test_unwatched_it_is_not_told(alice: Person, bob: Person, vote: Proposal) -> None:
    """Bob, who watches on the same server, has been told when alice would have been."""
    async with await alice.connect() as here, await bob.connect() as there:
        for socket in (here, there):
            await watch(socket, vote)
        for _ in range(2):
            answer = await here.command("tally.unwatch", {"proposal": str(vote.public_id)})
            assert answer == {"proposal": str(vote.public_id)}
        await cast_ballot(there, vote, 1)
        await told(there, {"1": 1, "2": 0})
        await threads.run(alice.told, 1)
        assert (await here.next()).event == "friendship.asked"


async def test_watching_again_tells_on(alice: Person, vote: Proposal) -> None:
    async with await alice.connect() as socket:
        await watch(socket, vote)
        await socket.command("tally.unwatch", {"proposal": str(vote.public_id)})
        await watch(socket, vote)
        await cast_ballot(socket, vote, 2)
        await told(socket, {"1": 0, "2": 1})


async def test_who_comes_later_is_answered_and_told_on(alice: Person, bob: Person, vote: Proposal) -> None:
    async with await alice.connect() as here, await bob.connect() as there:
        await watch(here, vote)
        await cast_ballot(here, vote, 1)
        await told(here, {"1": 1, "2": 0})
        assert (await watch(there, vote))["ballots"] == {"1": 1, "2": 0}
        await cast_ballot(there, vote, 2)
        for socket in (here, there):
            await told(socket, {"1": 1, "2": 1})


async def test_several_votes_of_one_socket(alice: Person, vote: Proposal) -> None:
    other = await threads.run(votes.OpenProposalFactory.create, campaign=vote.campaign)
    await threads.run(votes.enrol, other, alice.row)
    async with await alice.connect() as socket:
        for watched in (vote, other):
            await watch(socket, watched)
        await cast_ballot(socket, vote, 1, "one")
        await cast_ballot(socket, other, 2, "other")
        heard: dict[str, Any] = {}
        while len(heard) < 2:
            push = await socket.next()
            heard[push.data["proposal"]] = push.data["ballots"]
        assert heard == {str(vote.public_id): {"1": 1, "2": 0}, str(other.public_id): {"1": 0, "2": 1}}


async def test_when_the_vote_is_over_the_last_counts_are_told_and_nothing_more(alice: Person, vote: Proposal) -> None:
    """The ballot and the close come together; the answer to who watches later says it all."""

    def last_ballot_and_close() -> None:
        votes.cast(alice.row, vote, 1)
        votes.end(vote)

    async with await alice.connect() as socket:
        await watch(socket, vote)
        await threads.run(last_ballot_and_close)
        await told(socket, {"1": 1, "2": 0})
        assert (await watch(socket, vote))["ballots"] == {"1": 1, "2": 0}


async def test_votes_that_are_not_there(alice: Person, vote: Proposal) -> None:
    draft = await threads.run(votes.DraftProposalFactory.create, campaign=vote.campaign)
    elsewhere = await threads.run(votes.OpenProposalFactory.create)
    async with await alice.connect() as socket:
        for nowhere in (draft, elsewhere):
            with pytest.raises(Exception, match="proposal-not-found"):
                await watch(socket, nowhere)
        with pytest.raises(Exception, match="invalid-request"):
            await socket.command("tally.watch", {"proposal": "x"})
        with pytest.raises(Exception, match="invalid-request"):
            await socket.command("tally.unwatch", {})


async def test_a_socket_watches_so_many_votes_at_most(alice: Person, vote: Proposal) -> None:
    others = await threads.run(votes.OpenProposalFactory.create_batch, MOST, campaign=vote.campaign)
    async with await alice.connect() as socket:
        for other in others:
            await watch(socket, other)
        with pytest.raises(Exception, match="too-many-requests"):
            await watch(socket, vote)
        # Of one that is watched it may ask again.
        await watch(socket, others[0])
        await socket.command("tally.unwatch", {"proposal": str(others[0].public_id)})
        await watch(socket, vote)


async def test_frames_conform_to_the_protocol(alice: Person, vote: Proposal) -> None:
    connection = await dial(alice.home.url)
    connect = {"id": 1, "op": "connect", "data": {"token": alice.token, "campaign": alice.season.slug}}
    about = {"proposal": str(vote.public_id)}
    frames = [connect, {"id": 2, "op": "tally.watch", "data": about}]
    frames += [{"id": 3, "op": "ballot.cast", "data": {**about, "option": 2, "key": "k"}}]
    for frame in frames:
        await connection.send(json.dumps(frame))
    # The push may be written before the answer to the ballot that it tells of.
    heard = {frame.get("id"): frame for frame in [json.loads(await connection.recv()) for _ in range(4)]}
    await connection.send(json.dumps({"id": 4, "op": "tally.unwatch", "data": about}))
    heard[4] = json.loads(await connection.recv())
    await connection.close()
    names = {2: "tally.watch.result", 3: "ballot.cast.result", None: "tally.changed", 4: "tally.unwatch.result"}
    for number, name in names.items():
        assert conforms(heard[number], payload_of(name)), heard[number]
    assert set(heard[None]) == {"event", "at", "data"}
    assert not conforms({**heard[None], "data": {"cast": 1}}, payload_of("tally.changed"))


async def test_a_stranger_counts_a_closed_vote_again_over_http(alice: Person, bob: Person, vote: Proposal) -> None:
    """With the published script, which fetches page after page."""

    def vote_and_close() -> str:
        receipt = votes.cast(alice.row, vote, 2).receipt
        votes.cast(bob.row, vote, 1)
        votes.end(vote)
        return receipt

    receipt = await threads.run(vote_and_close)
    command = [sys.executable, "-I", "-S", str(SCRIPT), f"{alice.home.url}/api/v1/proposals/{vote.public_id}", receipt]
    script = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await script.communicate()
    assert "2 of 3 voted" in said.decode() and "it is for option 2" in said.decode()
    assert script.returncode == 0
