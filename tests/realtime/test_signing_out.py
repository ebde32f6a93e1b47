"""Whoever signs out or is shut out is gone from every process within five seconds, sockets and tokens both."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from accounts import errors, families, tokens
from accounts.actions import bans, sessions
from accounts.models import Ban, Player
from config import watch
from config.client.sockets import Lost, Refused, Socket
from fortunes import threads
from fortunes.models import Campaign
from tests.factories.accounts import PlayerFactory
from tests.realtime.people import Person
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed

# How long the test waits; that it is less than five seconds is arithmetic, below.
PATIENCE_S = 30


class Device:
    """A session of a player, at home on one server."""

    def __init__(self, person: Person) -> None:
        self.session = sessions.begin(person.row)
        self.id = families.id_of(self.session.tokens.refresh)
        self.token = self.session.tokens.access
        self.season: Campaign = person.season

    async def connect(self, server: Server) -> Socket:
        return await Socket.open(server.url, self.token, self.season.slug)

    async def call(self, server: Server, method: str, path: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=f"{server.url}/api/v1/", trust_env=False, timeout=30) as client:
            return await client.request(method, path, headers={"Authorization": f"Bearer {self.token}"})


async def device_of(person: Person) -> Device:
    return await threads.run(Device, person)


async def lost(socket: Socket) -> tuple[int | None, str]:
    async with asyncio.timeout(PATIENCE_S):
        end: Lost = await socket.wait_lost()
    return end.code, end.reason


async def refused_everywhere(device: Device, *servers: Server) -> None:
    async with asyncio.timeout(PATIENCE_S):
        for server in servers:
            while (await device.call(server, "GET", "me")).status_code != 401:
                await asyncio.sleep(0.1)


def test_five_seconds_are_enough() -> None:
    """A process may have remembered a token for its whole time, and then let a socket in just after a tick's look."""
    assert tokens.REMEMBER_S + watch.SHUT_OUT_TICKS * watch.TICK_S < 5


async def test_signing_out_closes_sockets_on_both_processes(alice: Person, a: Server, b: Server) -> None:
    phone, tablet = await device_of(alice), await device_of(alice)
    async with await phone.connect(a) as here, await phone.connect(b) as there, await tablet.connect(a) as other:
        answer = await phone.call(a, "DELETE", "sessions/current")
        assert answer.status_code == 204
        assert [await lost(here), await lost(there)] == [(4401, "signed-out")] * 2
        assert await other.command("ping")
        await refused_everywhere(phone, a, b)
        assert (await tablet.call(b, "GET", "me")).status_code == 200


async def test_signing_out_everywhere(alice: Person, bob: Person, a: Server, b: Server) -> None:
    phone, tablet, of_bob = await device_of(alice), await device_of(alice), await device_of(bob)
    async with await phone.connect(a) as here, await tablet.connect(b) as there, await of_bob.connect(a) as other:
        assert (await phone.call(b, "DELETE", "sessions")).status_code == 204
        assert [await lost(here), await lost(there)] == [(4401, "signed-out")] * 2
        assert await other.command("ping")


async def test_a_refresh_token_used_twice_closes_the_sockets_of_its_family(alice: Person, a: Server) -> None:
    phone = await device_of(alice)
    async with await phone.connect(a) as socket:
        await threads.run(sessions.refresh, token=phone.session.tokens.refresh)
        with pytest.raises(errors.RefreshReused):
            await threads.run(sessions.refresh, token=phone.session.tokens.refresh)
        assert await lost(socket) == (4401, "signed-out")
        await refused_everywhere(phone, a)


async def test_a_ban_closes_all_sockets_of_a_player(alice: Person, bob: Person, a: Server, b: Server) -> None:
    boss: Player = await threads.run(PlayerFactory.create, is_staff=True)
    phone, tablet = await device_of(bob), await device_of(bob)
    async with await phone.connect(a) as here, await tablet.connect(b) as there, await alice.connect() as other:
        before = time.monotonic()
        await threads.run(bans.ban, player_id=bob.row.pk, by=boss.pk, reason=Ban.Reason.ABUSE)
        codes = {(await lost(socket))[0] for socket in (here, there)}
        print(f"sockets of a banned player were closed after {time.monotonic() - before:.1f} s")
        assert codes <= {4401, 4403}
        await refused_everywhere(phone, a, b)
        print(f"and tokens refused after {time.monotonic() - before:.1f} s")
        assert await other.command("ping")


async def test_a_socket_follows_the_session_of_its_newer_token(alice: Person, a: Server) -> None:
    old, new = await device_of(alice), await device_of(alice)
    async with await old.connect(a) as socket:
        await socket.command("token.refresh", {"token": new.token})
        await threads.run(sessions.end, by=alice.row.pk, session=old.id)
        await refused_everywhere(old, a)
        await asyncio.sleep(2 * watch.SHUT_OUT_TICKS * watch.TICK_S)
        assert await socket.command("ping")
        await threads.run(sessions.end, by=alice.row.pk, session=new.id)
        assert await lost(socket) == (4401, "signed-out")


async def test_who_has_signed_out_does_not_come_in_again(alice: Person, a: Server) -> None:
    phone = await device_of(alice)
    await threads.run(sessions.end_all, by=alice.row.pk)
    with pytest.raises(Refused) as refused:
        await phone.connect(a)
    assert refused.value.code == "token-invalid"
