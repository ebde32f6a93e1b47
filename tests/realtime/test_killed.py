"""Two processes, one of them killed in the middle of 500 trades: nothing acknowledged is lost, nothing told twice."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from accounts import tokens
from accounts.models import Player
from cards.actions import scans
from cards.models import Trade, Transfer
from config.client.line import Line
from config.client.pushes import Push
from config.client.rest import Client
from fortunes import threads
from fortunes.actions import feeds
from fortunes.models import Campaign, Event
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.realtime import servers
from tests.realtime.people import CARD
from tests.realtime.weather import Relay, relay

pytestmark = pytest.mark.committed

COUPLES = 4
TRADES = 500
# When so many are acknowledged a process is killed; its clients find nobody until so many more are.
BEFORE, WITHOUT = 150, 40
HEARD_WITHIN_S = 60.0


class Trader:
    """A player at home behind a relay: a line that stays, REST beside it, and a diary of what was heard."""

    friend: Trader

    def __init__(self, player: Player, season: Campaign, line: type[Line], ways: int) -> None:
        self.row, self.season = player, season
        self.diary: list[Push] = []
        self._line_type = line
        self._ways = ways
        self._token = tokens.issue(player).token

    async def join(self, between: Relay) -> None:
        self.rest = Client(between.url)
        self.rest.access = self._token
        async with await self.rest.socket(self.season.slug) as socket:
            self.begin = socket.position
        self.line = self._line_type(between.url, self.rest.token, self.season.slug, self.begin)
        self._listening = asyncio.create_task(self._listen())

    async def leave(self) -> None:
        await self.line.hang_up()
        self._listening.cancel()
        await self.rest.close()

    async def _listen(self) -> None:
        async for push in self.line.pushes():
            self.diary.append(push)

    async def trade(self, number: int) -> str:
        """One card to or from the friend, in one of the ways; the trade's id, once it's acknowledged."""
        way = number % self._ways
        to = str(self.friend.row.public_id)
        key = secrets.token_hex(8)
        if way == 0:
            answer = await self.line.command("trade.gift", {"to": to, "gives": [CARD], "key": key})
        elif way == 1:
            body = {"type": "gift", "to": to, "gives": [CARD]}
            answer = await self.rest.post(f"campaigns/{self.season.slug}/trades", body, key=key)
        else:
            asked = await self.line.command("trade.request", {"to": to, "takes": [CARD], "key": key})
            trade = asked["trade"]["id"]
            answer = await self.friend.line.command("trade.accept", {"trade": trade, "key": secrets.token_hex(8)})
        return str(answer["trade"]["id"])


class Forgetful(Line):
    """A client that connects again and doesn't say where it was."""

    async def _open(self) -> Any:
        if self._socket is not None:
            self.position = None
        return await super()._open()


def couples(season: Campaign, line: type[Line]) -> list[Trader]:
    """Friends with cards enough for whatever order their trades come in.

    The first of each will be at home on the process that is killed. The other one asks for nothing: it goes on while
    nobody answers there.
    """
    traders = [Trader(PlayerFactory.create(), season, line, ways) for _ in range(COUPLES) for ways in (3, 2)]
    for one, other in zip(traders[::2], traders[1::2], strict=True):
        one.friend, other.friend = other, one
        FriendshipFactory(player=one.row, friend=other.row)
    for _ in range(2 * TRADES // len(traders)):
        drawn = scans.redeem(campaign=season, scans=[make.scan(season, trader.row) for trader in traders])
        assert not [outcome for outcome in drawn if isinstance(outcome, Exception)]
    return traders


async def play(traders: list[Trader], reached: dict[int, Callable[[], None]]) -> list[str]:
    """All trades, each trader's one after the other; `reached` is called at numbers of acknowledged ones."""
    acknowledged: list[str] = []

    async def go(trader: Trader, trades: int) -> None:
        for number in range(trades):
            acknowledged.append(await trader.trade(number))
            if act := reached.get(len(acknowledged)):
                act()

    shares = [len(range(place, TRADES, len(traders))) for place in range(len(traders))]
    await asyncio.gather(*(go(trader, share) for trader, share in zip(traders, shares, strict=True)))
    return acknowledged


@contextlib.asynccontextmanager
async def running(
    tmp_path: Path, traders: list[Trader]
) -> AsyncGenerator[tuple[Relay, servers.Server, servers.Server], None]:
    """One of each couple behind a relay that leads to the first process, the other at the second one."""
    with servers.running(tmp_path / "one.log") as one, servers.running(tmp_path / "other.log") as other:
        async with relay(one) as first, relay(other) as second:
            for number, trader in enumerate(traders):
                await trader.join(second if number % 2 else first)
            try:
                yield first, one, other
            finally:
                await asyncio.gather(*(trader.leave() for trader in traders))


async def killed(tmp_path: Path, traders: list[Trader]) -> list[str]:
    async with running(tmp_path, traders) as (first, one, other):

        def kill() -> None:
            first.lead_to(None)
            one.process.kill()

        reached = {BEFORE: kill, BEFORE + WITHOUT: lambda: first.lead_to(other)}
        acknowledged = await play(traders, reached)
        assert one.process.wait(10) == -9
        await all_heard(traders)
    return acknowledged


async def all_heard(traders: list[Trader]) -> None:
    newest = await threads.run(feeds.player_positions, players=[trader.row.pk for trader in traders])
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HEARD_WITHIN_S):
            while any(not trader.diary or (trader.diary[-1].seq or 0) < newest[trader.row.pk] for trader in traders):
                await asyncio.sleep(0.1)


def done_once(season: Campaign, acknowledged: list[str]) -> list[str]:
    """What is wrong with the trades."""
    accepted = Trade.objects.filter(campaign=season, state=Trade.State.ACCEPTED)
    rows = Counter(str(name) for name in accepted.values_list("public_id", flat=True))
    moved = Counter(
        str(name) for name in Transfer.objects.filter(trade__campaign=season).values_list("trade__public_id", flat=True)
    )
    faults = [f"acknowledged twice: {name}" for name, times in Counter(acknowledged).items() if times > 1]
    faults += [f"lost: {name}" for name in set(acknowledged) - set(rows)]
    faults += [f"nobody knows of: {name}" for name in set(rows) - set(acknowledged)]
    return faults + [f"moved {moved[name]} times: {name}" for name in rows if moved[name] != 1]


def told_once(trader: Trader) -> list[str]:
    """What is wrong with what a trader heard."""
    heard = [push.seq or 0 for push in trader.diary if push.seq is not None]
    faults = [f"after {one} came {other}" for one, other in pairwise([trader.begin.seq, *heard]) if other != one + 1]
    written = Event.objects.filter(player=trader.row, seq__gt=trader.begin.seq).order_by("seq")
    events = [(row.seq, row.type, row.data) for row in written]
    told = [(push.seq, push.event, push.data) for push in trader.diary if push.seq is not None]
    return faults + ([] if events == told else [f"{len(events)} events, {len(told)} told, or others"])


async def test_a_process_is_killed_in_the_middle_of_500_trades(season: Campaign, tmp_path: Path) -> None:
    traders = await threads.run(couples, season, Line)
    acknowledged = await killed(tmp_path, traders)

    assert len(acknowledged) == TRADES
    assert await threads.run(done_once, season, acknowledged) == []
    for trader in traders:
        assert await threads.run(told_once, trader) == []
        assert trader.line.gaps == 0
    # All of those at home on the killed process came back on the other, and had missed something.
    assert all(trader.line.reconnects for trader in traders[::2])
    assert not any(trader.line.reconnects for trader in traders[1::2])


async def test_clients_that_dont_resume_miss_something(season: Campaign, tmp_path: Path) -> None:
    """The control: the same accident, and it shows."""
    traders = await threads.run(couples, season, Forgetful)
    acknowledged = await killed(tmp_path, traders)

    assert await threads.run(done_once, season, acknowledged) == []
    assert any([await threads.run(told_once, trader) for trader in traders[::2]])
