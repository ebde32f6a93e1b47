"""Thousands of sockets on one server: idle, hearing broadcasts, or coming back all at once.

It reads one word a line from its input and answers each with a line of JSON: `connect` all, say what was heard of
`broadcasts`, `cut` all, `resume` all; the next line has what a word is about.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from time import monotonic
from typing import Any

import msgspec

from bench.load import cpu_seconds, main, shares
from bench.wire import Socket

AT_ONCE = 100
PATIENCE_S = 60.0


class Result(msgspec.Struct):
    seq: int = 0
    campaign_seq: int = 0
    epoch: str = ""
    recovered: bool = False


class Frame(msgspec.Struct):
    """As much of any frame as is needed here."""

    id: int | None = None
    result: Result | None = None
    error: dict[str, Any] | None = None
    seq: int | None = None
    campaign_seq: int | None = None


DECODER = msgspec.json.Decoder(Frame)


class Member:
    """A player with one socket, who knows how far both feeds were followed, and says ping now and then."""

    def __init__(self, name: str, token: str) -> None:
        self.name, self.token = name, token
        self.socket: Socket
        self.seq = self.campaign_seq = self.disorder = 0
        self.recovered = True
        self.epoch = ""
        # When each broadcast was heard, by its number.
        self.heard: dict[int, float] = {}
        self._welcome: asyncio.Future[Result]
        self._ids = itertools.count(1)
        self._wanted = (0, 0)
        self._reached: asyncio.Future[None] | None = None

    async def connect(self, campaign: str, port: int, *, resume: bool = False) -> None:
        self.socket = await Socket.open("127.0.0.1", port, self._hear)
        self._welcome = asyncio.get_running_loop().create_future()
        data: dict[str, Any] = {"token": self.token, "campaign": campaign}
        if resume:
            data["resume"] = {"epoch": self.epoch, "seq": self.seq, "campaign_seq": self.campaign_seq}
        self.socket.send(msgspec.json.encode({"id": next(self._ids), "op": "connect", "data": data}))
        result = await self._welcome
        self.recovered, self.epoch = result.recovered, result.epoch
        if not resume:
            self.seq, self.campaign_seq = result.seq, result.campaign_seq

    async def reach(self, seq: int, campaign_seq: int) -> None:
        self._wanted, self._reached = (seq, campaign_seq), asyncio.get_running_loop().create_future()
        self._look()
        await self._reached

    def ping(self) -> None:
        self.socket.send(msgspec.json.encode({"id": next(self._ids), "op": "ping"}))

    def _hear(self, text: bytes) -> None:
        frame = DECODER.decode(text)
        if frame.id is not None:
            if not self._welcome.done():
                if frame.result is None:
                    self._welcome.set_exception(RuntimeError(str(frame.error)))
                else:
                    self._welcome.set_result(frame.result)
        elif frame.seq is not None:
            self.disorder += frame.seq != self.seq + 1
            self.seq = frame.seq
        elif frame.campaign_seq is not None:
            self.disorder += frame.campaign_seq != self.campaign_seq + 1
            self.campaign_seq = frame.campaign_seq
            self.heard[frame.campaign_seq] = monotonic()
        self._look()

    def _look(self) -> None:
        seq, campaign_seq = self._wanted
        if self._reached and not self._reached.done() and self.seq >= seq and self.campaign_seq >= campaign_seq:
            self._reached.set_result(None)


class Crowd:
    """All of them."""

    def __init__(self, task: dict[str, Any]) -> None:
        self._task = task
        self._members = [Member(*given) for given in task["players"]]
        self._port = task["ports"][0]

    async def connect(self, count: int) -> dict[str, Any]:
        """The next so many, some at a time."""
        began, before = monotonic(), cpu_seconds(self._task["pids"])
        new = [member for member in self._members if not member.epoch][:count]
        for part in range(0, len(new), AT_ONCE):
            joining = (member.connect(self._task["campaign"], self._port) for member in new[part : part + AT_ONCE])
            await asyncio.gather(*joining)
        return self._took(began, before)

    async def ping(self, _: Any) -> dict[str, Any]:
        """So that the server doesn't take them for gone."""
        for member in self._members:
            member.ping()
        await asyncio.sleep(0)
        return {}

    async def broadcasts(self, number: int) -> dict[str, Any]:
        """When each broadcast up to this number was heard by the first and by the last."""
        ends = monotonic() + PATIENCE_S
        while monotonic() < ends and any(member.campaign_seq < number for member in self._members):
            await asyncio.sleep(0.02)
        numbers = sorted({seq for member in self._members for seq in member.heard})
        heard = {seq: sorted(member.heard.get(seq, float("inf")) for member in self._members) for seq in numbers}
        return {"heard": {seq: [times[0], times[-1]] for seq, times in heard.items()}, **self._faults()}

    async def cut(self, _: Any) -> dict[str, Any]:
        for member in self._members:
            member.socket.cut()
        await asyncio.sleep(1.0)
        return {}

    async def resume(self, newest: dict[str, Any]) -> dict[str, Any]:
        """All at once; each until it has everything up to the newest numbers."""
        began, before = monotonic(), cpu_seconds(self._task["pids"])
        campaign_seq = newest["campaign_seq"]

        async def back(member: Member) -> float:
            await member.connect(self._task["campaign"], self._port, resume=True)
            async with asyncio.timeout(PATIENCE_S):
                await member.reach(newest["seqs"][member.name], campaign_seq)
            return monotonic() - began

        times = await asyncio.gather(*(back(member) for member in self._members), return_exceptions=True)
        failed = [repr(time) for time in times if isinstance(time, BaseException)]
        took = [time for time in times if isinstance(time, float)]
        fresh = sum(not member.recovered for member in self._members)
        faults = self._faults()["faults"] + ([f"{fresh} were not recovered"] if fresh else [])
        if failed:
            faults.append(f"{len(failed)} did not come back: {failed[0]}")
        return {"times_s": took, "faults": faults, **self._took(began, before)}

    def _took(self, began: float, before: dict[str, float]) -> dict[str, Any]:
        seconds = monotonic() - began
        return {"seconds": seconds, "cpu": shares(before, cpu_seconds(self._task["pids"]), seconds)}

    def _faults(self) -> dict[str, list[str]]:
        faults = []
        if disorder := sum(member.disorder for member in self._members):
            faults.append(f"{disorder} pushes came twice or out of order")
        if lost := [member.socket.lost for member in self._members if member.epoch and member.socket.lost]:
            faults.append(f"{len(lost)} sockets were closed: {lost[0]}")
        return {"faults": faults}


async def work(task: dict[str, Any]) -> dict[str, Any]:
    """Until the input ends."""
    crowd, loop = Crowd(task), asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        word, about = msgspec.json.decode(line)
        answer = await getattr(crowd, word)(about)
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
        sys.stdout.flush()
    return {}


if __name__ == "__main__":
    main(work)
