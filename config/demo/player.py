"""A simulated player: an honest one, who writes everything down."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import httpx

from config.client import operations
from config.client.line import Line
from config.client.outages import Outage
from config.client.pushes import GiftReceived, InvitationCredited, Push
from config.client.rest import Client
from config.client.season import Season
from config.client.shapes import Scan
from config.client.sockets import Lost, Position, Refused
from config.client.verbs import Verbs
from config.demo import together
from config.demo.hostapp import HostApp
from config.demo.journal import Diary, Given, Heard, Journal
from config.demo.outages import Done

# Shares of writes whose answer is thrown away before it comes, and of those that are sent again although it came.
DROPPED, REPEATED = 0.06, 0.06
LONGEST_WAIT_FOR_DROPPED_S = 0.03
OVER_REST = 0.2
PATIENCE_S = 60.0
# How much earlier than by our clock a refusal may say that the deadline has passed.
CLOCK_SLACK_S = 0.05
# What is refused from an instant of the season on: the deadline, or the end of the vote.
TIMELY = ("campaign-frozen", "vote-not-open", "rule-forbids")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Vote:
    """A proposal of the season, by its public id. Instants are on the event loop's clock."""

    proposal: str
    opens: float
    closes: float


@dataclass(slots=True)
class World:
    """What all players share. Instants are on the event loop's clock."""

    slug: str
    complete_set: tuple[str, ...]
    codes: Iterator[str]
    opens: float
    closes: float
    reveals: float
    vote: Vote
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    def explains(self, code: str) -> bool:
        """Whether it is no wonder to be refused with this code, at this time of the season, whatever one tried."""
        since = self.closes if code == "campaign-frozen" else self.vote.closes
        return code in TIMELY and together.now() >= since - CLOCK_SLACK_S


class Player:
    """Friends tell each other what they hold, as people do; all else a player knows comes from the server."""

    def __init__(self, name: str, client: Client, journal: Journal) -> None:
        self.name = name
        self.client = client
        self.diary = Diary(player="")
        self.friends: list[Player] = []
        self.used_codes: list[str] = []
        self.scans_left = 1
        self.world: World
        self.season: Season
        self.line: Line
        self._journal = journal
        self._heed: Callable[[Player, Push], None]
        self._errands: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Task[None]
        journal.diaries.append(self.diary)

    async def arrive(self, password: str, host: HostApp | None, inviter: Player | None) -> None:
        """Sign up, or come from the host app, by a friend's invitation if there is one; again, from another device."""
        code = await inviter.invite() if inviter else ""
        if host:
            await self.client.sign_in_from_host(partial(host.token, self.name), code)
            await self.client.sign_in_from_host(partial(host.token, self.name))
        else:
            await self.client.sign_up(self.name, password, invitation=code)
            await self.client.sign_in(self.name, password)
        self.diary.player = self.client.player.id
        if inviter:
            # Whoever comes by an invitation is a friend of the one who invites.
            self.are_friends(inviter)
            self._journal.invitations += 1

    async def invite(self) -> str:
        """The code of this player's link."""
        return (await self.client.call(operations.INVITE)).code

    async def befriend(self, other: Player) -> None:
        """Ask, and be accepted."""
        await self.answered("friendship", self.client.befriend(other.diary.player))
        await self.answered("friendship", other.client.accept_friend(self.diary.player))
        self.are_friends(other)

    def are_friends(self, other: Player) -> None:
        if other not in self.friends:
            self.friends.append(other)
            other.friends.append(self)

    def join(self, world: World, heed: Callable[[Player, Push], None]) -> None:
        """Listen on a socket, from the first event on; `heed` is told of everything that comes."""
        self.world, self._heed = world, heed
        self.season = self.client.season(world.slug)
        self.line = self.client.line(world.slug, resume=Position(0, 0))
        self._listening = asyncio.create_task(self._listen())

    def run_an_errand(self, errand: Coroutine[Any, Any, None]) -> None:
        """Do it beside everything else, and before the player leaves."""
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def leave(self) -> None:
        await asyncio.gather(*self._errands)
        await self.line.hang_up()
        self._listening.cancel()
        await asyncio.wait([self._listening])
        self._journal.reconnects += self.line.reconnects
        self._journal.replays += self.line.repeats + self.client.repeats
        self._journal.requests += self.client.requests
        self._journal.outages += [*self.line.outages, *self.client.outages]
        if self.line.gaps:
            self.surprise("socket", f"could not be resumed {self.line.gaps} times")

    @property
    def is_complete(self) -> bool:
        return all(self.diary.cards[kind] > 0 for kind in self.world.complete_set)

    async def _listen(self) -> None:
        try:
            async for push in self.line.pushes():
                self._note(push)
        except (Refused, Lost) as error:
            self.surprise("socket", f"ended: {error}")

    def _note(self, push: Push) -> None:
        if push.campaign_seq is not None:
            self.diary.broadcasts.append(Heard(push.campaign_seq, push.event, push.data))
            if push.event == "campaign.settled" and not self.world.settled.is_set():
                self.world.settled.set()
                self._journal.outages.append(Outage("split", self.world.closes, together.now()))
        elif push.seq is not None:
            self.diary.events.append(Heard(push.seq, push.event, push.data))
            match push.news:
                case GiftReceived(trade=trade, gives=gives):
                    self.diary.cards.update(gives)
                    self._journal.heard_at[trade] = together.now()
                case InvitationCredited(draw=draw, kind=kind):
                    self._note_card(draw, kind)
                    self._journal.credited += 1
        self._heed(self, push)

    async def scan_and_share(self) -> None:
        if self.scans_left:
            code = next(self.world.codes)
            self.note_draw(code, await self.write("scan", lambda key: self.season.scan(code, key=key)))
        await self.share()

    def note_draw(self, code: str, answer: Scan | None) -> None:
        if answer:
            self._note_card(answer.draw.id, answer.draw.kind)
            self.done("draw", answer.draw.id)
            self.scans_left = answer.quota.left_today
            self.used_codes.append(code)

    async def check_in(self) -> None:
        """The card of today; asked for again it is refused."""
        answer = await self.write("check-in", lambda key: self.season.check_in(key=key))
        if answer:
            self._note_card(answer.draw.id, answer.draw.kind)
            self.done("draw", answer.draw.id)
            self._journal.check_ins += 1
            await self.refused("second check-in", self.season.check_in(), "already-checked-in")

    def _note_card(self, draw: str, kind: str) -> None:
        self.diary.draws[draw] = kind
        self.diary.cards[kind] += 1

    async def share(self) -> None:
        """Give a double to a friend who lacks it; now and then two of what is to spare to any friend."""
        doubles = [kind for kind, count in self.diary.cards.items() if count > 1]
        random.shuffle(doubles)
        for kind in doubles:
            lacking = [friend for friend in self.friends if not friend.diary.cards[kind]]
            if lacking:
                await self.give(random.choice(lacking), [kind])
                return
        if len(doubles) > 1 and random.random() < OVER_REST:
            await self.give(random.choice(self.friends), doubles[:2])

    async def give(self, friend: Player, kinds: Sequence[str]) -> None:
        gift = self.anyhow(lambda verbs, key: verbs.gift(friend.diary.player, kinds, key=key))
        # A friend may have stolen it, or got it in a trade, at this very moment.
        answer = await self.write("gift", gift, "card-not-held")
        if answer:
            trade = answer.trade.id
            self.diary.gifts[trade] = Given(friend.diary.player, tuple(kinds))
            self._journal.told_at[trade] = together.now()
            self.done("gift", trade)
            self.diary.cards.subtract(kinds)

    async def open_packet(self) -> None:
        """By their own reckoning players know whether there is one."""
        if not self.is_complete:
            await self.refused("opening without a set", self.season.open_packet(), "not-a-winner")
            return
        answer = await self.write("opening", lambda key: self.season.open_packet(key=key))
        if answer:
            self.diary.opened_fen, self.diary.wallet_fen = answer.amount_fen, answer.wallet_balance_fen
            self.done("opening", self.diary.player)
            self._journal.replays += 1
            again = await self.answered("opening", self.season.open_packet())
            if again and again != answer:
                self.surprise("opening", f"twice, {answer} and {again}")

    def anyhow(self, verb: Callable[[Verbs, str], Awaitable[T]]) -> Callable[[str], Awaitable[T]]:
        """An act for `write`: over REST now and then, and else over the socket; sent again over the same."""
        by_rest = random.random() < OVER_REST or self._listening.done()

        async def send(key: str) -> T:
            if by_rest:
                return await verb(self.season, key)
            # A line waits for its server as long as it takes; a player does not.
            async with asyncio.timeout(PATIENCE_S):
                return await verb(self.line, key)

        return send

    async def command(self, op: str, data: dict[str, Any]) -> Any:
        """Any command, right or wrong."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.line.command(op, data)

    async def write(self, what: str, send: Callable[[str], Awaitable[T]], *codes: str) -> T | None:
        """Do it under a new key; None if it was refused with one of these codes.

        Now and then the answer gets lost on the way, or the request is sent twice.
        """
        key, first, dice = secrets.token_hex(8), None, random.random()
        if dice < DROPPED:
            self._journal.replays += 1
            with contextlib.suppress(TimeoutError, Refused, Lost, httpx.HTTPError):
                async with asyncio.timeout(random.uniform(0.0, LONGEST_WAIT_FOR_DROPPED_S)):
                    first = await send(key)
        answer = await self._hear(what, send(key), codes)
        if answer and dice > 1 - REPEATED:
            self._journal.replays += 1
            first = await self.answered(what, send(key))
        if first and first != answer:
            self.surprise(what, f"the same key was answered {first} and {answer}")
        return answer

    async def answered(self, what: str, sent: Awaitable[T]) -> T | None:
        """The answer; None if it was refused because its time has passed. Any other refusal is a surprise."""
        return await self._hear(what, sent, ())

    async def refused(self, what: str, sent: Awaitable[T], *codes: str, before: float = math.inf) -> T | None:
        """It must be refused with one of these codes, unless the answer takes until `before`: then anything may be."""
        answer = await self._hear(what, sent, codes, before)
        if answer is not None and together.now() < before:
            self.surprise(what, f"was not refused but answered {answer}")
        return answer

    async def _hear(self, what: str, sent: Awaitable[T], codes: Sequence[str], before: float = math.inf) -> T | None:
        try:
            return await sent
        except Refused as refused:
            self._journal.refusals[(what, refused.code)] += 1
            is_late = (refused.code in TIMELY and self.world.explains(refused.code)) or together.now() >= before
            if refused.code not in codes and not is_late:
                self.surprise(what, f"was refused: {refused}")
        except (httpx.HTTPError, Lost, TimeoutError) as error:
            self.surprise(what, f"got no answer: {error!r}")
        return None

    def done(self, what: str, item: str) -> None:
        self._journal.done.append(Done(what, item, together.now()))

    def surprise(self, what: str, happened: str) -> None:
        self._journal.surprises.append(f"{self.name}, {what}: {happened}")
