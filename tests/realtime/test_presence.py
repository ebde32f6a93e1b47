"""Presence: friends see each other come and go, on whatever process, and whatever happens to processes and to Redis."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db.models import F

from accounts.actions import friendships
from accounts.models import Friendship, Player
from config.client.rest import Client
from config.client.sockets import Refused, Socket, dial
from config.local import processes
from fortunes import threads
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.realtime import servers
from tests.realtime.people import Person
from tests.realtime.servers import Server
from tests.realtime.test_doorbell import OwnRedis, logged, own_redis

__all__ = ["own_redis"]

pytestmark = pytest.mark.committed

# What is promised is 30 s; this machine may have a lot else to do.
PROMISED_S = 90


async def watch(socket: Socket) -> set[str]:
    """Who is online, once the process knows."""
    async with asyncio.timeout(PROMISED_S):
        while not (answer := await socket.command("presence.watch"))["known"]:
            await asyncio.sleep(0.2)
    return set(answer["online"])


async def change(socket: Socket) -> tuple[str, bool]:
    """The next change."""
    while True:
        push = await socket.next(PROMISED_S)
        if push.event == "presence.changed":
            assert (push.seq, push.campaign_seq) == (None, None)
            return push.data["player"], push.data["online"]


async def seen_over_rest(person: Person, server: Server | None = None) -> dict[str, Any]:
    async with Client((server or person.home).url) as client:
        client.access = person.token
        return await client.get("friendships/presence")


async def until_seen(person: Person, online: set[str], server: Server | None = None) -> None:
    async with asyncio.timeout(PROMISED_S):
        while True:
            answer = await seen_over_rest(person, server)
            if answer["known"] and set(answer["online"]) == online:
                return
            await asyncio.sleep(0.2)


@pytest.fixture
def dave(cast: dict[str, Person], alice: Person) -> Person:
    """Nobody's friend."""
    return Person(PlayerFactory.create(), alice.season, alice.home)


class TestComingAndGoing:
    async def test_on_another_process(self, alice: Person, bob: Person, a: Server, b: Server) -> None:
        async with await alice.connect(a) as here:
            assert bob.id not in await watch(here)
            async with await bob.connect(b):
                assert await change(here) == (bob.id, True)
                assert await watch(here) == {bob.id}
                assert await seen_over_rest(alice, a) == {"known": True, "online": [bob.id]}
                await until_seen(bob, {alice.id}, b)
            assert await change(here) == (bob.id, False)
            assert await watch(here) == set()

    async def test_on_the_same_process(self, alice: Person, bob: Person, charlie: Person, a: Server) -> None:
        async with await alice.connect(a) as here, await bob.connect(a) as there:
            assert await watch(here) == {bob.id}
            assert await watch(there) == {alice.id}
            async with await charlie.connect(a):
                assert await change(here) == await change(there) == (charlie.id, True)

    async def test_whoever_moves_is_not_away(
        self, alice: Person, bob: Person, charlie: Person, a: Server, b: Server
    ) -> None:
        async with await alice.connect(a) as here, await bob.connect(a) as first:
            assert await watch(here) == {bob.id}
            async with await bob.connect(b), await charlie.connect(b) as passing:
                # Who has heard of charlie knows that bob is there too.
                assert await change(here) == (charlie.id, True)
                await first.close()
                # By then bob would have been told offline: charlie goes after him.
                await passing.close()
                assert await change(here) == (charlie.id, False)
                assert await watch(here) == {bob.id}

    async def test_all_devices_of_a_player_are_told(self, alice: Person, bob: Person, a: Server, b: Server) -> None:
        async with await alice.connect(a) as phone, await alice.connect(a) as tablet, await alice.connect(b) as laptop:
            for device in (phone, tablet, laptop):
                await watch(device)
            async with await bob.connect(b):
                for device in (phone, tablet, laptop):
                    assert await change(device) == (bob.id, True)

    async def test_who_does_not_watch_is_told_nothing(self, alice: Person, bob: Person, charlie: Person) -> None:
        async with await alice.connect() as silent, await charlie.connect() as watching:
            await watch(watching)
            async with await bob.connect():
                assert await change(watching) == (bob.id, True)
                await threads.run(alice.told, 1)
                assert (await silent.next()).event == "friendship.asked"


class TestOnlyFriends:
    async def test_strangers_see_nothing(self, alice: Person, dave: Person, bob: Person, a: Server, b: Server) -> None:
        async with await dave.connect(b) as stranger, await alice.connect(a) as here:
            assert await watch(stranger) == set()
            assert await watch(here) == set()
            await until_seen(bob, {alice.id}, b)
            assert await seen_over_rest(dave, b) == {"known": True, "online": []}
            # The stranger is told of a new friend, who was online before, and of nobody else.
            await threads.run(befriend, dave, bob)
            await threads.run(dave.told, 1)
            async with await bob.connect(a):
                assert await change(stranger) == (bob.id, True)
                assert await change(here) == (bob.id, True)

    async def test_a_new_friend_who_is_online_already(self, alice: Person, dave: Person, a: Server, b: Server) -> None:
        async with await dave.connect(b), await alice.connect(a) as here:
            assert await watch(here) == set()
            await threads.run(friendships.ask, by=dave.row.pk, player=alice.row.public_id)
            await threads.run(friendships.accept, by=alice.row.pk, player=dave.row.public_id)
            assert await change(here) == (dave.id, True)

    @pytest.mark.parametrize("verb", [friendships.end, friendships.block], ids=["ended", "blocked"])
    @pytest.mark.parametrize("turned", [False, True], ids=["by-them", "by-me"])
    async def test_an_ended_friendship_ends_it(
        self, alice: Person, bob: Person, charlie: Person, a: Server, b: Server, verb: Any, turned: bool
    ) -> None:
        by, whom = (alice, bob) if turned else (bob, alice)
        async with await alice.connect(a) as here:
            await watch(here)
            await threads.run(verb, by=by.row.pk, player=whom.row.public_id)
            async with await bob.connect(b):
                await until_seen(charlie, {alice.id, bob.id}, a)
                assert await seen_over_rest(alice, a) == {"known": True, "online": []}
                async with await charlie.connect(b):
                    # Charlie came after bob, of whom nothing was told.
                    assert await change(here) == (charlie.id, True)
                    assert await watch(here) == {charlie.id}

    async def test_the_database_has_the_last_word(
        self, alice: Person, bob: Person, charlie: Person, a: Server, b: Server
    ) -> None:
        """The event of the end, by which a process learns of it, is late here."""
        async with await alice.connect(a) as here:
            await watch(here)
            await threads.run(forget, alice, bob)
            async with await bob.connect(b):
                await until_seen(charlie, {alice.id, bob.id}, a)
                async with await charlie.connect(b):
                    assert await change(here) == (charlie.id, True)


def befriend(one: Person, other: Person) -> None:
    FriendshipFactory(player=one.row, friend=other.row)


def forget(one: Person, other: Person) -> None:
    """The friendship is gone, and nobody was told yet."""
    both = [one.row.pk, other.row.pk]
    Friendship.objects.filter(player__in=both, friend__in=both).delete()
    Player.objects.filter(pk__in=both).update(friend_count=F("friend_count") - 1)


class TestAccidents:
    async def test_a_process_is_killed(
        self, alice: Person, bob: Person, charlie: Person, a: Server, b: Server, tmp_path: Path
    ) -> None:
        async with await alice.connect(a) as here:
            with servers.running(tmp_path / "web.log") as doomed:
                assert await watch(here) == set()
                async with await bob.connect(doomed), await charlie.connect(doomed):
                    assert {await change(here), await change(here)} == {(bob.id, True), (charlie.id, True)}
                    doomed.process.kill()
            # One goes on elsewhere, the other doesn't.
            async with await charlie.connect(b):
                assert await change(here) == (bob.id, False)
                await until_seen(alice, {charlie.id}, a)
                await until_seen(alice, {charlie.id}, b)

    async def test_redis_forgets_everything(
        self, alice: Person, bob: Person, charlie: Person, own_redis: OwnRedis, tmp_path: Path
    ) -> None:
        given = {"REDIS_URL": own_redis.url}
        with (
            servers.running(tmp_path / "one.log", **given) as one,
            servers.running(tmp_path / "other.log", **given) as other,
        ):
            async with await alice.connect(one) as here, await bob.connect(other):
                assert await change_or_seen(here, bob)
                with redis.Redis.from_url(own_redis.url) as client:
                    client.flushall()
                async with await charlie.connect(other):
                    # Nobody flickers: charlie's coming is the next that is told.
                    assert await change(here) == (charlie.id, True)
                    assert await watch(here) == {bob.id, charlie.id}
                # Who comes now hears of everybody as well.
                with servers.running(tmp_path / "new.log", **given) as new:
                    await until_seen(charlie, {alice.id, bob.id}, new)

    async def test_without_redis(self, alice: Person, bob: Person, tmp_path: Path) -> None:
        nowhere = f"redis://127.0.0.1:{processes.free_port()}/0"
        with servers.running(tmp_path / "web.log", REDIS_URL=nowhere) as web:
            async with await alice.connect(web) as here:
                assert await here.command("presence.watch") == {"known": False, "online": []}
                # What happens on the process itself needs nobody else.
                async with await bob.connect(web):
                    assert await change(here) == (bob.id, True)
                    assert await seen_over_rest(alice, web) == {"known": False, "online": [bob.id]}
                assert await change(here) == (bob.id, False)

    async def test_redis_is_away_for_a_while(
        self, alice: Person, bob: Person, charlie: Person, own_redis: OwnRedis, tmp_path: Path
    ) -> None:
        given = {"REDIS_URL": own_redis.url}
        with (
            servers.running(tmp_path / "one.log", **given) as one,
            servers.running(tmp_path / "other.log", **given) as other,
        ):
            async with await alice.connect(one) as here, await bob.connect(other) as there:
                assert await change_or_seen(here, bob)
                own_redis.hang()
                await logged(one, "presence is unknown")
                await logged(other, "presence is unknown")
                # What was known stays, and others still come in.
                assert await here.command("presence.watch") == {"known": False, "online": [bob.id]}
                async with await charlie.connect(other):
                    await there.close()
                    assert (await seen_over_rest(alice, one))["known"] is False
                    own_redis.kill()
                    own_redis.start()
                    await logged(one, "presence is known again")
                    told = {await change(here), await change(here)}
                    assert told == {(charlie.id, True), (bob.id, False)}
                    assert await watch(here) == {charlie.id}


class TestBadInput:
    async def test_it_takes_no_data(self, alice: Person) -> None:
        async with await alice.connect() as socket:
            with pytest.raises(Refused) as refused:
                await socket.command("presence.watch", {"player": alice.id})
            assert refused.value.code == "invalid-request"

    async def test_before_connect(self, alice: Person) -> None:
        connection = await dial(alice.home.url)
        await connection.send('{"id":1,"op":"presence.watch","data":{}}')
        assert '"not-signed-in"' in str(await connection.recv())
        await connection.close()


async def change_or_seen(socket: Socket, friend: Person) -> bool:
    """The friend is online, whether they were before or come now."""
    if friend.id in await watch(socket):
        return True
    return await change(socket) == (friend.id, True)
