"""The people of the story of the steal card: at home on two processes, over REST and over sockets that stay."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

from accounts import tokens
from accounts.models import Player
from cards.actions import aftermaths, presets
from config.client.pushes import News, Push, TallyChanged
from config.client.rest import Client
from config.client.season import Season
from config.client.sockets import Position, Refused
from config.client.verbs import Verbs
from config.client.votes import BallotReceipt, Tally
from config.demo import season
from fortunes import clock, threads
from fortunes.actions import closing, proposals
from fortunes.actions.judging import OptionPlan
from fortunes.models import Amendment, Campaign, Proposal
from redpackets.actions import motions
from tests.factories.accounts import PlayerFactory
from tests.realtime.servers import PATIENCE_S, Server
from tests.realtime.test_line import Listener

KEEP, REMOVE = 1, 2
# Nobody is so slow that they are late for it. Then the clock is put forward.
VOTE = timedelta(minutes=5)


class Citizen:
    """A player with REST and a socket, and what they heard over it."""

    def __init__(self, player: Player, campaign: Campaign, home: Server) -> None:
        self.row = player
        self.id = str(player.public_id)
        self.home = home
        self.receipt: BallotReceipt | None = None
        self._tallies: list[Tally] = []
        self._slug = campaign.slug
        self._token = tokens.issue(player).token

    @asynccontextmanager
    async def present(self) -> AsyncIterator[Citizen]:
        async with Client(self.home.url) as self.client:
            self.client.access = self._token
            self.season: Season = self.client.season(self._slug)
            # From the first broadcast and the first event on.
            self.app = Listener(self.home.url, self._token, self._slug, Position(0, 0))
            try:
                yield self
            finally:
                await self.app.leave()

    def by(self, socket: bool) -> Verbs:
        """The same verbs over the socket, or over REST."""
        return self.app.line if socket else self.season

    @property
    def heard(self) -> list[Push]:
        return self.app.heard

    def news(self, event: str) -> list[News]:
        return [push.news for push in self.heard if push.event == event and push.news]

    async def hears(self, event: str) -> None:
        await self.app.until(lambda: bool(self.news(event)))

    async def follow(self, proposal: str) -> None:
        """Watch a tally."""
        await self.app.line.follow_tally(proposal, self._tallies.append)

    @property
    def tally(self) -> Tally | TallyChanged:
        """The newest of the one that is watched."""
        seen: list[Tally | TallyChanged] = [*self._tallies]
        seen += [news for news in self.news("tally.changed") if isinstance(news, TallyChanged)]
        return max(seen, key=lambda tally: tally.at)

    async def is_refused(self, act: Any) -> str:
        """The code."""
        try:
            answer = await act
        except Refused as refused:
            return refused.code
        raise AssertionError(f"it was not refused but answered {answer}")


@asynccontextmanager
async def everybody(citizens: Sequence[Citizen]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for citizen in citizens:
            await stack.enter_async_context(citizen.present())
        yield


def citizens(campaign: Campaign, homes: Sequence[Server], count: int) -> list[Citizen]:
    """New players, in turns at home on each of the servers."""
    return [Citizen(PlayerFactory.create(), campaign, homes[number % len(homes)]) for number in range(count)]


def put_to_the_vote(campaign: Campaign, options: Sequence[Mapping[str, Any]]) -> Proposal:
    """From now on, for some minutes."""
    now = clock.now()
    plans = [OptionPlan(name_zh=f"选项{n}", name_en=f"Option {n}", **given) for n, given in enumerate(options, 1)]
    proposal = proposals.draft(
        campaign_id=campaign.pk, by=None, question_zh="要不要取消顺手牵羊？", question_en="Shall the steal card go?",
        options=plans, opens_at=now, closes_at=now + VOTE,
    )  # fmt: skip
    return motions.open_(proposal_id=proposal.pk, by=None)


def close(proposal: Proposal) -> None:
    """What beat and a worker do once its time has come; a gate that is held up makes them come again."""
    ends = time.monotonic() + PATIENCE_S
    while Proposal.objects.get(pk=proposal.pk).state != Proposal.State.CLOSED:
        assert time.monotonic() < ends, "the vote isn't closed"
        closing.close_due()


def follow(campaign: Campaign) -> None:
    """The same for what a change of the rules leaves to be done."""
    ends = time.monotonic() + PATIENCE_S
    while aftermaths.unfinished(campaign_id=campaign.pk):
        assert time.monotonic() < ends, "the aftermath isn't done"
        aftermaths.follow_due()


def season_of_2017(**rulebook: Any) -> tuple[Campaign, Amendment, Proposal]:
    """A live season with the steal card announced for its middle, and the vote about it: soon, and for some minutes."""
    opens_at = clock.now() - timedelta(minutes=1)
    closes_at = opens_at + 8 * VOTE
    campaign = presets.five_fortunes_2017(
        slug=f"of-2017-{secrets.token_hex(4)}", opens_at=opens_at, closes_at=closes_at, reveal_at=closes_at,
        rulebook=rulebook,
    )  # fmt: skip
    season.ready(campaign, pool_fen=1_000, credit_after_s=None)
    proposal = Proposal.objects.get(campaign=campaign)
    return campaign, Amendment.objects.get(campaign=campaign), motions.open_(proposal_id=proposal.pk, by=None)


async def vote(voters: Sequence[Citizen], proposal: Proposal, against: int) -> None:
    """The first `against` are against it; every other one votes over the socket. Each sends it twice."""
    name = str(proposal.public_id)

    async def cast(place: int, voter: Citizen) -> None:
        option, key = REMOVE if place < against else KEEP, f"ballot-{place}"
        verbs = voter.by(socket=place % 2 == 0)
        voter.receipt = await verbs.cast(name, option, key=key)
        # The answer of the first, whichever way the second goes.
        assert await voter.by(socket=place % 2 == 1).cast(name, option, key=key) == voter.receipt
        assert await voter.is_refused(verbs.cast(name, KEEP)) == "ballot-already-cast"
        assert (await voter.season.ballot(name)).leaf == voter.receipt.leaf

    await asyncio.gather(*(cast(place, voter) for place, voter in enumerate(voters)))


async def until(holds: Callable[[], Any]) -> None:
    """Until a look at the database is true."""
    async with asyncio.timeout(PATIENCE_S):
        while not await threads.run(holds):
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def at_the_same_time(*acts: Any) -> AsyncIterator[None]:
    """While the block runs, and until they end by themselves."""
    async with asyncio.TaskGroup() as tasks:
        for act in acts:
            tasks.create_task(act)
        yield
