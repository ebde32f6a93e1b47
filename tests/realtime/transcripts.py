"""The transcripts of docs/mobile.md, spoken to a real server line by line.

A line is `→` what is sent or `←` what comes back; a name before the arrow is that of another person's device. A line
that begins with blanks goes on with the one before. A request is its first line, headers and a body; on an open socket
each line is a frame. `→ cut` loses the connection without a word, `← close 4401` is how the server ends it.

`$NAME` in an answer is remembered and put in where it comes again. `"…"` is any text, a member `"…"` stands for any
others, and of a number only the kind counts. Frames may come in another order: answers and events of one moment race.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from config.client.sockets import dial

BLOCK = re.compile(r"^```transcript\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^(?:(\w+) )?([→←]) (.*)$", re.DOTALL)
REQUEST = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S+)")
HEADER = re.compile(r"([A-Z][\w-]+): (.*)")
CLOSE = re.compile(r"close (\d{4})(?: ([\w-]+))?")
VARIABLE = re.compile(r"\$([A-Z_]+)")
PATIENCE_S = 90


@dataclass
class Actor:
    """One device: the request that is being written, the answer that is being read, an open socket."""

    asking: list[str] = field(default_factory=list)
    answer: httpx.Response | None = None
    socket: ClientConnection | None = None
    frames: list[Any] = field(default_factory=list)


class Reader:
    """Goes through the transcripts of one document; what was remembered is kept from one to the next."""

    def __init__(self, base_url: str, **known: str) -> None:
        self.known = known
        self._base_url = base_url
        self._actors: dict[str, Actor] = {}

    async def go_through(self, transcript: str) -> None:
        self._actors = {}
        try:
            for name, is_sent, text in lines(transcript):
                actor = self._actors.setdefault(name, Actor())
                try:
                    await (self._send(actor, text) if is_sent else self._receive(actor, text))
                except AssertionError as error:
                    raise AssertionError(f"{text}\n{error}") from error
        finally:
            for actor in self._actors.values():
                if actor.socket:
                    await actor.socket.close()
        left = [frame for actor in self._actors.values() for frame in actor.frames]
        assert not [frame for frame in left if "error" in frame]

    async def _send(self, actor: Actor, text: str) -> None:
        text = self._filled(text)
        if REQUEST.fullmatch(text):
            actor.asking = [text]
        elif actor.asking:
            actor.asking.append(text)
        elif text == "cut":
            assert actor.socket
            actor.socket.transport.abort()
            actor.socket, actor.frames = None, []
        else:
            assert actor.socket
            json.loads(text)
            await actor.socket.send(text)

    async def _receive(self, actor: Actor, text: str) -> None:
        if actor.asking:
            await self._ask(actor, int(text))
        elif actor.answer is not None and (header := HEADER.fullmatch(text)):
            self._match(header[2], actor.answer.headers[header[1]], header[1])
        elif actor.answer is not None:
            self._match(json.loads(text), actor.answer.json(), "")
            actor.answer = None
        elif closing := CLOSE.fullmatch(text):
            await self._closed(actor, int(closing[1]), closing[2])
        else:
            expected = json.loads(text)
            self._match(expected, await self._frame(actor, expected), "")

    async def _ask(self, actor: Actor, status: int) -> None:
        first, *rest = actor.asking
        method, _, path = first.partition(" ")
        headers = {header[1]: header[2] for line in rest if (header := HEADER.fullmatch(line))}
        bodies = [line for line in rest if not HEADER.fullmatch(line)]
        actor.asking = []
        if path.startswith("/ws/"):
            actor.socket = await dial(self._base_url, subprotocols=[headers["Sec-WebSocket-Protocol"]])
            assert status == 101
            return
        if bodies:
            headers["Content-Type"] = "application/json"
        async with httpx.AsyncClient(base_url=self._base_url, trust_env=False, timeout=PATIENCE_S) as http:
            actor.answer = await http.request(method, path, headers=headers, content="".join(bodies) or None)
        assert actor.answer.status_code == status, actor.answer.text
        if not actor.answer.content:
            actor.answer = None

    async def _frame(self, actor: Actor, expected: Any) -> Any:
        """The one that is meant: the answer of this id, or the next event of this type."""
        assert actor.socket
        mark = "id" if "id" in expected else "event"
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for frame in actor.frames:
                    if frame.get(mark) == expected[mark]:
                        actor.frames.remove(frame)
                        return frame
                actor.frames.append(json.loads(await actor.socket.recv()))

    async def _closed(self, actor: Actor, code: int, reason: str | None) -> None:
        assert actor.socket
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    actor.frames.append(json.loads(await actor.socket.recv()))
        except ConnectionClosed:
            assert (actor.socket.close_code, reason or actor.socket.close_reason) == (code, actor.socket.close_reason)
        actor.socket, actor.frames = None, []

    def _filled(self, text: str) -> str:
        return VARIABLE.sub(lambda found: self.known[found[1]], text)

    def _match(self, expected: Any, found: Any, where: str) -> None:
        if isinstance(expected, dict) and isinstance(found, dict):
            self._match_members(expected, found, where)
        elif isinstance(expected, list) and isinstance(found, list):
            assert len(expected) == len(found), f"{where}: {found}"
            for number, (one, other) in enumerate(zip(expected, found, strict=True)):
                self._match(one, other, f"{where}[{number}]")
        elif isinstance(expected, str) and isinstance(found, str):
            self._match_text(expected, found, where)
        elif isinstance(expected, bool) or expected is None or isinstance(found, bool):
            assert expected is found, f"{where}: {found!r}"
        else:
            assert type(expected) is type(found), f"{where}: {found!r}"

    def _match_members(self, expected: dict[str, Any], found: dict[str, Any], where: str) -> None:
        wanted = {self._filled(name): value for name, value in expected.items() if name != "…"}
        assert wanted.keys() <= found.keys(), f"{where}: {sorted(found)}"
        assert "…" in expected or wanted.keys() == found.keys(), f"{where}: {sorted(found)}"
        for name, value in wanted.items():
            self._match(value, found[name], f"{where}.{name}")

    def _match_text(self, expected: str, found: str, where: str) -> None:
        variable = VARIABLE.fullmatch(expected)
        if variable and variable[1] not in self.known:
            self.known[variable[1]] = found
        parts = map(re.escape, self._filled(expected).split("…"))
        assert re.fullmatch(".*".join(parts), found, re.DOTALL), f"{where}: {found!r}"


def lines(transcript: str) -> Iterator[tuple[str, bool, str]]:
    """Who, whether it is sent, and what."""
    joined = re.sub(r"\n\s+", " ", transcript)
    for line in filter(None, joined.splitlines()):
        found = LINE.match(line)
        assert found, f"no line of a transcript: {line}"
        yield found[1] or "", found[2] == "→", found[3].strip()
