"""Ballots of very many players by REST and by socket, and watchers who are told the tally meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections import Counter
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec

from bench.load import cpu_seconds, main, shares
from bench.wire import Lost, Pool, Socket

AT_ONCE = 50
PATIENCE_S = 60.0
# Two tellings are half a second apart where they are sent; on their way one may be held up, and then the next one comes
# sooner after it. So they are counted over the whole case, with one more for its beginning.
TELLINGS_PER_S = 2


class Receipt(msgspec.Struct):
    leaf: str = ""


class Told(msgspec.Struct):
    proposal: str = ""
    ballots: dict[str, int] = {}


class Frame(msgspec.Struct):
    """As much of any frame as is needed here."""

    id: int | None = None
    result: Receipt | None = None
    error: dict[str, Any] | None = None
    event: str = ""
    data: Told = msgspec.field(default_factory=Told)


DECODER = msgspec.json.Decoder(Frame)
RECEIPT = msgspec.json.Decoder(Receipt)


class Voter:
    """A player, at home on one server, with a socket there if they vote by it or watch."""

    def __init__(self, number: int, token: str, servers: int) -> None:
        self.number, self.token, self.home = number, token, number % servers
        self.socket: Socket | None = None
        self.tellings: list[Told] = []
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self._ids = itertools.count(1)

    async def be_heard(self, campaign: str, port: int) -> None:
        if self.socket is not None:
            await self.command("ping", {})
            return
        self.socket = await Socket.open("127.0.0.1", port, self._hear)
        answer = await self.command("connect", {"token": self.token, "campaign": campaign})
        if answer.result is None:
            raise RuntimeError(f"not connected: {answer.error}")

    def command(self, op: str, data: dict[str, Any]) -> asyncio.Future[Frame]:
        if self.socket is None:
            raise RuntimeError("this voter has no socket")
        number = next(self._ids)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        self.socket.send(msgspec.json.encode({"id": number, "op": op, "data": data}))
        return future

    def _hear(self, text: bytes) -> None:
        frame = DECODER.decode(text)
        if frame.id is not None:
            self._answers.pop(frame.id).set_result(frame)
        elif frame.event == "tally.changed":
            self.tellings.append(frame.data)


class Case:
    """One vote, or what does nothing, by one way or both."""

    def __init__(self, given: dict[str, Any], voters: list[Voter], pools: list[Pool]) -> None:
        self.times: list[float] = []
        self.errors: list[str] = []
        # Option and leaf of each ballot that was answered with a receipt.
        self.acknowledged: list[tuple[int, str]] = []
        self._given = given
        self._voters = voters
        self._pools = pools
        self._proposal = given.get("proposal", "")

    async def run(self) -> None:
        """Everybody once, by so many loops, or as many as can in the seconds."""
        ends = monotonic() + (self._given.get("seconds") or float("inf"))
        # One iterator for all loops: each voter votes once.
        waiting = iter(self._voters)

        async def loop() -> None:
            for voter in waiting:
                if monotonic() >= ends:
                    return
                await self._one(voter)

        await asyncio.gather(*(loop() for _ in range(self._given["loops"])))

    async def _one(self, voter: Voter) -> None:
        began, option = monotonic(), 1 + (voter.number * 47 % 100 >= 53)
        by_socket = self._given["way"] == "socket" or (self._given["way"] == "both" and voter.socket is not None)
        try:
            async with asyncio.timeout(PATIENCE_S):
                leaf = await (self._by_socket(voter, option) if by_socket else self._by_rest(voter, option))
        except Exception as error:
            self.errors.append(repr(error))
            return
        self.times.append(monotonic() - began)
        if leaf:
            self.acknowledged.append((option, leaf))

    async def _by_socket(self, voter: Voter, option: int) -> str:
        data: dict[str, Any] = {"option": option, "key": secrets.token_hex(8)}
        op = "ballot.cast" if self._proposal else "nothing.ballot"
        frame = await voter.command(op, data | ({"proposal": self._proposal} if self._proposal else {}))
        if frame.result is None:
            raise RuntimeError(str(frame.error))
        return frame.result.leaf

    async def _by_rest(self, voter: Voter, option: int) -> str:
        path = f"/api/v1/proposals/{self._proposal}/ballot" if self._proposal else "/api/v1/nothing/ballot"
        body = msgspec.json.encode({"option": option})
        pool, key = self._pools[voter.home], secrets.token_hex(8)
        try:
            answer = await pool.post(path, voter.token, body, key)
        except Lost:
            # The server hung up on an idle connection at that moment. Under its key a ballot may be sent again.
            answer = await pool.post(path, voter.token, body, key)
        if answer.status != 201:
            raise RuntimeError(f"{answer.status} {answer.body.decode(errors='replace')[:200]}")
        return RECEIPT.decode(answer.body).leaf


async def work(task: dict[str, Any]) -> dict[str, Any]:
    voters = [Voter(number, token, len(task["ports"])) for number, (_, token) in enumerate(task["players"])]
    with_sockets = voters[: task["sockets"]]
    pools = [Pool(port) for port in task["ports"]]
    for pool in pools:
        await pool.fill(task["most"])
    rows, lines, faults = [], list[str](), list[str]()
    for given in task["cases"]:
        chosen = with_sockets if given["way"] == "socket" else voters
        watchers = with_sockets[: given.get("watchers", 0)]
        case = Case(given, chosen, pools)
        if given["way"] != "rest":
            await _be_heard(with_sockets, task)
        rows.append(await _measure(case, given, watchers, task["pids"]))
        lines += [f"{given['proposal']} {option} {leaf}" for option, leaf in case.acknowledged]
        faults += await _told_at_last(watchers, given, case, rows[-1]["seconds"])
    Path(task["file"]).write_text("\n".join(lines))
    if lost := [voter.socket.lost for voter in with_sockets if voter.socket and voter.socket.lost]:
        faults.append(f"{len(lost)} sockets were closed: {lost[0]}")
    return {"rows": rows, "faults": faults}


async def _be_heard(voters: list[Voter], task: dict[str, Any]) -> None:
    """Connect, or say ping: whoever is silent for long is taken for gone."""
    for part in range(0, len(voters), AT_ONCE):
        some = voters[part : part + AT_ONCE]
        await asyncio.gather(*(voter.be_heard(task["campaign"], task["ports"][voter.home]) for voter in some))


async def _measure(case: Case, given: dict[str, Any], watchers: list[Voter], pids: dict[str, int]) -> dict[str, Any]:
    for watcher in watchers:
        answer = await watcher.command("tally.watch", {"proposal": given["proposal"]})
        if answer.result is None:
            raise RuntimeError(f"not watching: {answer.error}")
        watcher.tellings.clear()
    before, began = cpu_seconds(pids), monotonic()
    await case.run()
    seconds = monotonic() - began
    cpu = shares(before, cpu_seconds(pids), seconds)
    return {"case": given["case"], "seconds": seconds, "times_s": case.times, "errors": case.errors, "cpu": cpu}


async def _told_at_last(watchers: list[Voter], given: dict[str, Any], case: Case, seconds: float) -> list[str]:
    """Whether each watcher was told the ballots that were answered, in the end, and not too often before."""
    expected = Counter(str(option) for option, _ in case.acknowledged)
    ends = monotonic() + PATIENCE_S
    faults = list[str]()
    for number, watcher in enumerate(watchers):
        while not (watcher.tellings and Counter(watcher.tellings[-1].ballots) == expected):
            if monotonic() > ends:
                last = watcher.tellings[-1].ballots if watcher.tellings else None
                return [*faults, f"watcher {number} was told {last} at last, of {dict(expected)}"]
            await asyncio.sleep(0.05)
        # The last one comes after the last ballot, once its pause is over.
        if len(watcher.tellings) > TELLINGS_PER_S * (seconds + 2):
            faults.append(f"watcher {number} was told {len(watcher.tellings)} times in {seconds:.1f} s")
        await watcher.command("tally.unwatch", {"proposal": given["proposal"]})
    return faults


if __name__ == "__main__":
    main(work)
