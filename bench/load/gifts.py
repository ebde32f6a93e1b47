"""Gifts between pairs of friends, each with a socket on another server, timed until the receiver's socket has it."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections import defaultdict
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec

from bench.load import cpu_seconds, main, shares
from bench.wire import Pool, Socket

CARD = "patriotism"
PATIENCE_S = 30.0


class Id(msgspec.Struct):
    id: str


class Result(msgspec.Struct):
    trade: Id | None = None
    seq: int = 0


class Data(msgspec.Struct):
    trade: str = ""


class Frame(msgspec.Struct):
    """As much of any frame as is needed here."""

    id: int | None = None
    result: Result | None = None
    error: dict[str, Any] | None = None
    event: str = ""
    seq: int = 0
    data: Data = msgspec.field(default_factory=Data)


DECODER = msgspec.json.Decoder(Frame)
RESULT = msgspec.json.Decoder(Result)


class Player:
    """One of a pair, at home on one server, with a socket there."""

    def __init__(self, name: str, token: str, home: int) -> None:
        self.name, self.token, self.home = name, token, home
        self.friend: Player
        self.socket: Socket
        self.seq = 0
        self.disorder = 0
        # When a gift was heard of, by its trade; and who waits for one.
        self.received: dict[str, float] = {}
        self.sent: dict[str, int] = defaultdict(int)
        self.expected: dict[str, asyncio.Future[None]] = {}
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self._ids = itertools.count(1)

    async def connect(self, campaign: str, port: int) -> None:
        self.socket = await Socket.open("127.0.0.1", port, self._hear)
        answer = await self.command("connect", {"token": self.token, "campaign": campaign})
        if answer.result is None:
            raise RuntimeError(f"not connected: {answer.error}")
        self.seq = answer.result.seq

    def command(self, op: str, data: dict[str, Any]) -> asyncio.Future[Frame]:
        number = next(self._ids)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        self.socket.send(msgspec.json.encode({"id": number, "op": op, "data": data}))
        return future

    def _hear(self, text: bytes) -> None:
        frame = DECODER.decode(text)
        if frame.id is not None:
            self._answers.pop(frame.id).set_result(frame)
            return
        if not frame.seq:
            return
        self.disorder += frame.seq != self.seq + 1
        self.seq = frame.seq
        if frame.event == "gift.received":
            self.disorder += frame.data.trade in self.received
            self.received[frame.data.trade] = monotonic()
            if waiting := self.expected.pop(frame.data.trade, None):
                waiting.set_result(None)
        elif frame.event == "gift.sent":
            self.sent[frame.data.trade] += 1

    async def heard(self, trade: str) -> float:
        if trade not in self.received:
            waiting = self.expected[trade] = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(PATIENCE_S):
                await waiting
        return self.received[trade]


class Case:
    """One way to send gifts, for some seconds."""

    def __init__(self, way: str, players: list[Player], pools: list[Pool], campaign: str) -> None:
        self.way = way
        self.times: list[float] = []
        self.acknowledged: list[str] = []
        self.errors: list[str] = []
        self._players = players
        self._pools = pools
        self._path = "/api/v1/nothing" if way == "rest no-op" else f"/api/v1/campaigns/{campaign}/trades"

    async def closed(self, loops: int, seconds: float) -> None:
        """So many loops, each going round its own pairs, where a card goes there and back; so nobody runs out of cards.

        Where there are fewer pairs than loops, each loop has a giver, and several the same one.
        """
        ends = monotonic() + seconds
        pairs = list(zip(self._players[::2], self._players[1::2], strict=True))

        async def loop(number: int) -> None:
            lonely = (self._players[number % len(self._players)],)
            for givers in itertools.cycle(pairs[number::loops] or [lonely]):
                if monotonic() >= ends:
                    return
                for giver in givers:
                    await self._one(giver, monotonic())

        await asyncio.gather(*(loop(number) for number in range(loops)))

    async def open(self, rate: float, seconds: float) -> None:
        """At fixed instants, whatever became of the last one; timed from the instant."""
        began, tasks = monotonic(), set()
        for number, giver in zip(range(int(rate * seconds)), itertools.cycle(self._players), strict=False):
            due = began + number / rate
            await asyncio.sleep(due - monotonic())
            tasks.add(asyncio.create_task(self._one(giver, due)))
        await asyncio.gather(*tasks)

    async def _one(self, giver: Player, began: float) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                trade = await (self._by_socket(giver) if self.way.startswith("socket") else self._by_rest(giver))
            if self.way.endswith("no-op"):
                self.times.append(monotonic() - began)
            elif trade:
                self.acknowledged.append(trade)
                self.times.append(await giver.friend.heard(trade) - began)
        except Exception as error:
            self.errors.append(repr(error))

    async def _by_socket(self, giver: Player) -> str:
        op = "nothing" if self.way == "socket no-op" else "trade.gift"
        data = {"key": secrets.token_hex(8), "to": giver.friend.name, "gives": [CARD]}
        frame = await giver.command(op, data)
        if frame.result is None:
            self.errors.append(str(frame.error))
            return ""
        return frame.result.trade.id if frame.result.trade else ""

    async def _by_rest(self, giver: Player) -> str:
        body = msgspec.json.encode({"type": "gift", "to": giver.friend.name, "gives": [CARD]})
        answer = await self._pools[giver.home].post(self._path, giver.token, body, secrets.token_hex(8))
        if answer.status != 201:
            self.errors.append(f"{answer.status} {answer.body.decode(errors='replace')[:200]}")
            return ""
        trade = RESULT.decode(answer.body).trade
        return trade.id if trade else ""


async def work(task: dict[str, Any]) -> dict[str, Any]:
    campaign, ports = task["campaign"], task["ports"]
    # One of each pair on either server; of neighbouring pairs the first ones are on different ones too.
    players = [Player(name, token, (place + place // 2) % 2) for place, (name, token) in enumerate(task["players"])]
    for one, other in zip(players[::2], players[1::2], strict=True):
        one.friend, other.friend = other, one
    for part in range(0, len(players), 50):
        await asyncio.gather(*(player.connect(campaign, ports[player.home]) for player in players[part : part + 50]))
    pools = [Pool(port) for port in ports]
    for pool in pools:
        await pool.fill(task["most"])
    rows, acknowledged = [], []
    for case in task["cases"]:
        row, done = await _measure(case, players, pools, task)
        rows.append(row)
        acknowledged += done
    await _settled(players, acknowledged)
    Path(task["file"]).write_text("\n".join(acknowledged))
    return {"rows": rows, "faults": _faults(players, acknowledged)}


async def _measure(
    given: dict[str, Any], players: list[Player], pools: list[Pool], task: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    case = Case(given["way"], players, pools, task["campaign"])
    before, began = cpu_seconds(task["pids"]), monotonic()
    if "rate" in given:
        await case.open(given["rate"], given["seconds"])
    else:
        await case.closed(given["loops"], given["seconds"])
    seconds = monotonic() - began
    cpu = shares(before, cpu_seconds(task["pids"]), seconds)
    row = {"case": given["case"], "seconds": seconds, "times_s": case.times, "errors": case.errors, "cpu": cpu}
    return row, case.acknowledged


async def _settled(players: list[Player], acknowledged: list[str]) -> None:
    """The giver's own push may come after the receiver's."""
    ends = monotonic() + PATIENCE_S
    while sum(len(player.sent) for player in players) < len(acknowledged) and monotonic() < ends:
        await asyncio.sleep(0.05)


def _faults(players: list[Player], acknowledged: list[str]) -> list[str]:
    """What a socket heard: every gift of its own and of its friend's once, numbered without a gap."""
    faults = []
    if disorder := sum(player.disorder for player in players):
        faults.append(f"{disorder} pushes came twice or out of order")
    if lost := [player.socket.lost for player in players if player.socket.lost]:
        faults.append(f"{len(lost)} sockets were closed: {lost[0]}")
    heard = {trade for player in players for trade in player.received}
    told = [trade for player in players for trade, times in player.sent.items() if times == 1]
    for name, known in (("received", heard), ("sent", set(told))):
        if missing := len(set(acknowledged) - known):
            faults.append(f"{missing} acknowledged gifts were not told once as {name}")
        if len(known) > len(acknowledged):
            faults.append(f"{len(known) - len(acknowledged)} gifts were told as {name} that nobody had an answer for")
    return faults


if __name__ == "__main__":
    main(work)
