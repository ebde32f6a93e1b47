"""What a socket is told: in order, without a gap, each once, from whichever process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import psycopg
import pytest
from django.db import transaction

from config.client.rest import Client
from config.client.sockets import Position, Push, Socket
from fortunes import events, threads
from fortunes.models import Campaign
from tests.realtime.people import CARD, Person, take
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed


def seqs(pushes: Iterable[Push]) -> list[int | None]:
    return [push.seq for push in pushes]


async def test_a_gift_by_rest_reaches_the_socket_on_the_other_process(alice: Person, bob: Person, b: Server) -> None:
    async with await bob.connect(b) as socket:
        before = socket.position.seq
        answer = await alice.post_gift(bob)
        push = await socket.next()

    assert (push.event, push.seq, push.campaign) == ("gift.received", before + 1, alice.season.slug)
    assert push.data == {
        "trade": answer["trade"]["id"], "sender": alice.id, "gives": [CARD], "hand_version": 1, "complete": True,
    }  # fmt: skip


async def test_the_givers_other_devices_are_told_too(alice: Person, bob: Person, b: Server) -> None:
    async with await alice.connect(b) as phone:
        answer = await alice.post_gift(bob)
        push = await phone.next()

    assert (push.event, push.data["trade"]) == ("gift.sent", answer["trade"]["id"])


async def test_a_socket_that_idled_10_s_gets_its_next_event(alice: Person, bob: Person, b: Server) -> None:
    async with await bob.connect(b) as socket:
        await asyncio.sleep(10)
        await alice.post_gift(bob)
        push = await socket.next()

    # By the doorbell: these servers don't poll while Redis is well.
    assert push.event == "gift.received"


async def test_who_was_away_gets_what_they_missed_also_from_another_process(
    alice: Person, bob: Person, a: Server, b: Server
) -> None:
    async with await bob.connect(a) as socket:
        await alice.post_gift(bob)
        await socket.next()
        last = socket.position
    for _ in range(3):
        await alice.post_gift(bob)

    async with await bob.connect(b, resume=last) as socket:
        assert socket.welcome.recovered
        assert socket.welcome.seq == last.seq + 3
        missed = await take(socket, 3)
        await alice.post_gift(bob)
        live = await socket.next()
        with pytest.raises(TimeoutError):
            await socket.next(within_s=0.5)

    assert seqs([*missed, live]) == [last.seq + 1, last.seq + 2, last.seq + 3, last.seq + 4]


async def test_without_a_position_nothing_is_repeated(alice: Person, bob: Person) -> None:
    await alice.post_gift(bob)
    async with await bob.connect() as socket:
        assert not socket.welcome.recovered
        await alice.post_gift(bob)
        assert (await socket.next()).seq == socket.welcome.seq + 1


async def test_what_was_taken_is_not_sent_again(alice: Person, bob: Person) -> None:
    position = await bob.position()
    async with await bob.connect(resume=position) as socket:
        assert socket.welcome.recovered
        with pytest.raises(TimeoutError):
            await socket.next(within_s=0.5)


async def test_a_thousand_missed_events_come_in_order(bob: Person) -> None:
    position = await bob.position()
    await threads.run(bob.told, 1000)

    async with await bob.connect(resume=position) as socket:
        assert socket.welcome.recovered
        pushes = await take(socket, 1000)

    assert seqs(pushes) == list(range(position.seq + 1, position.seq + 1001))


@pytest.mark.parametrize("kind", ["too much missed", "from the future", "of another history"])
async def test_a_position_that_cannot_be_resumed(bob: Person, kind: str) -> None:
    position = await bob.position()
    if kind == "too much missed":
        await threads.run(bob.told, 1001)
    elif kind == "from the future":
        position.seq += 1
    else:
        position.epoch = "0123456789abcdef"

    async with await bob.connect(resume=position) as socket:
        assert not socket.welcome.recovered
        await threads.run(bob.told, 1)
        assert (await socket.next()).seq == socket.welcome.seq + 1


async def test_events_that_retention_has_deleted_cannot_be_resumed(
    bob: Person, owner_connection: psycopg.Connection
) -> None:
    position = await bob.position()
    begin = position.seq
    await threads.run(bob.told, 3)
    owner_connection.execute("DELETE FROM fortunes_event WHERE player_id = %s AND seq <= %s", [bob.row.pk, begin + 1])

    async with await bob.connect(resume=position) as socket:
        assert not socket.welcome.recovered
    position.seq = begin + 1
    async with await bob.connect(resume=position) as socket:
        assert socket.welcome.recovered
        assert seqs(await take(socket, 2)) == [begin + 2, begin + 3]


def announce(season: Campaign) -> None:
    with transaction.atomic():
        payload = events.CampaignFrozen(campaign=season.slug, frozen_at="2026-01-01T00:00:00Z")
        events.broadcast(campaign_id=season.pk, payload=payload)


async def test_everybody_in_the_campaign_hears_a_broadcast(
    season: Campaign, alice: Person, bob: Person, charlie: Person, a: Server, b: Server
) -> None:
    sockets = [await alice.connect(a), await bob.connect(b), await charlie.connect(b)]
    before = {socket.position.campaign_seq for socket in sockets}
    away = await alice.position()
    await threads.run(announce, season)
    heard = [await socket.next() for socket in sockets]
    async with await alice.connect(b, resume=away) as returned:
        assert (await returned.next()).campaign_seq == heard[0].campaign_seq
    for socket in sockets:
        await socket.close()

    assert {push.event for push in heard} == {"campaign.frozen"}
    assert len(before) == 1
    assert {push.campaign_seq for push in heard} == {before.pop() + 1}
    assert {push.seq for push in heard} == {None}


async def test_a_burst_of_doorbells_doubles_and_drops_nothing(bob: Person, a: Server, b: Server) -> None:
    sockets: list[Socket] = [await bob.connect(server) for server in (a, b, a, b)]
    begin = sockets[0].position.seq
    await asyncio.gather(*(threads.run(bob.told, 1 + number % 3) for number in range(100)))
    expected = begin + sum(1 + number % 3 for number in range(100))

    async def all_of(socket: Socket) -> list[int | None]:
        return seqs(await take(socket, expected - begin))

    told = await asyncio.gather(*(all_of(socket) for socket in sockets))
    for socket in sockets:
        await socket.close()
    assert told == [list(range(begin + 1, expected + 1))] * 4


async def test_another_players_events_are_not_heard(alice: Person, bob: Person, charlie: Person) -> None:
    async with await charlie.connect() as socket:
        await alice.post_gift(bob)
        with pytest.raises(TimeoutError):
            await socket.next(within_s=0.7)


async def test_the_position_of_a_snapshot_can_be_resumed(alice: Person, bob: Person) -> None:
    """Over REST first: a snapshot's seq was read before its data, so nothing falls in between."""
    async with Client(bob.home.url) as client:
        client.access = bob.token
        snapshot = await client.get(f"campaigns/{bob.season.slug}/hand")
    await alice.post_gift(bob)
    async with await bob.connect() as socket:
        newest = socket.position.campaign_seq
    async with await bob.connect(resume=Position(snapshot["seq"], newest)) as socket:
        assert socket.welcome.recovered
        assert (await socket.next()).event == "gift.received"
