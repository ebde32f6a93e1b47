"""The play: players arrive, make friends, scan and give until the deadline, and open their packets."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from operator import itemgetter

import httpx

from config.client import operations
from config.client.outages import Outage
from config.client.pushes import Push
from config.client.rest import Client
from config.demo import dealings, hostapp, mischief, outages, staging, together, voting
from config.demo.journal import Journal
from config.demo.player import Player, World
from config.demo.progress import Progress
from config.demo.staging import Plan, Stage
from config.demo.together import sleep_until
from fortunes import threads

# A pool looks at each of its connections with every request, so several small ones cost less than a large one.
POOLS, CONNECTIONS = 8, 4
MOMENTS_TO_SHARE = 6
MOMENTS_TO_DEAL = 5
FROM_HOST_EVERY = 3
# How far from the deadline, either way, the scans are that put it to the test.
STRADDLE_S = 0.2
# After these something is wrong: no worker, no beat, or no events.
HEARD_WITHIN_S, CLOSED_WITHIN_S, SETTLED_WITHIN_S, CREDITED_WITHIN_S = 60.0, 60.0, 60.0, 60.0

Step = Callable[[], Awaitable[None]]
WHEN = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody, and what they have in common."""

    players: list[Player]
    journal: Journal
    stage: Stage
    progress: Progress

    @property
    def world(self) -> World:
        return self.stage.world


async def play(
    base_url: str, plan: Plan, progress: Progress, staged: Callable[[Stage], None] = lambda stage: None
) -> tuple[Journal, Stage]:
    """A whole season against the running servers; what the players know of it. `staged` hears when it will be what."""
    random.seed(plan.seed)
    journal = Journal()
    run = f"demo-{secrets.token_hex(4)}"
    async with AsyncExitStack() as stack:
        pools = [await stack.enter_async_context(_connections()) for _ in range(POOLS)]
        players = [
            Player(f"{run}-{number:03}", Client(base_url, http=pools[number % POOLS]), journal)
            for number in range(plan.players)
        ]
        await _arrive(players, progress)
        await _make_friends(players, progress)
        stage = await threads.run(staging.set_up, run, plan, players, asyncio.get_running_loop().time)
        staged(stage)
        cast = Cast(players, journal, stage, progress)
        async with _listening(cast):
            await _connect(cast)
            await _collect(cast)
            await _recount(cast)
            await _await_split(cast)
            await _open_packets(cast)
            await _hear_the_rest(cast)
    journal.outages += outages.late_pushes(journal.told_at, journal.heard_at)
    return journal, stage


def _connections() -> httpx.AsyncClient:
    """Waiting for a free one is waiting in line, and no failure of the server's: no timeout there."""
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    return httpx.AsyncClient(timeout=httpx.Timeout(20, pool=None), limits=limits, trust_env=False)


async def _arrive(players: list[Player], progress: Progress) -> None:
    """Every other one comes by the invitation of the one before; some come from the host app, if there is one."""
    password, host = secrets.token_urlsafe(12), hostapp.known()

    async def arrive(number: int) -> None:
        inviter = players[number - 1] if number % 2 else None
        await players[number].arrive(password, host if number % FROM_HOST_EVERY == 0 else None, inviter)

    progress.phase("signing up")
    for first in (0, 1):
        await together.each(range(first, len(players), 2), arrive, progress)
    progress.done(f"{len(players):,} players")


async def _make_friends(players: list[Player], progress: Progress) -> None:
    """A ring, so that nobody is alone, and half as many pairs again by chance."""
    pairs = {frozenset(pair) for pair in zip(players, [*players[1:], players[0]], strict=True)}
    while len(pairs) < 1.5 * len(players):
        pairs.add(frozenset(random.sample(players, 2)))
    pairs -= {frozenset((player, friend)) for player in players for friend in player.friends}

    async def befriend(pair: frozenset[Player]) -> None:
        one, other = pair
        await one.befriend(other)

    progress.phase("befriending")
    await together.each(pairs, befriend, progress)
    progress.done(f"{len(pairs):,} friendships")


@asynccontextmanager
async def _listening(cast: Cast) -> AsyncIterator[None]:
    for player in cast.players:
        player.join(cast.world, _heed)
    try:
        yield
    finally:
        await asyncio.gather(*(player.leave() for player in cast.players))


def _heed(player: Player, push: Push) -> None:
    dealings.note(player, push)
    voting.note(player, push)


async def _connect(cast: Cast) -> None:
    """Everybody hears that the season was announced; before it begins nothing counts."""
    players = cast.players
    cast.progress.phase("connecting")
    await mischief.scan_too_early(players[0])
    heard = partial(_share_of, players, lambda player: bool(player.diary.broadcasts))
    if not await together.until(heard, HEARD_WITHIN_S, cast.progress):
        cast.journal.surprises.append(f"only {heard():.0%} of the players heard of the opening")
    await sleep_until(cast.world.opens)
    cast.progress.done(f"{len(players):,} sockets")


async def _collect(cast: Cast) -> None:
    """Scans and gifts until the deadline, and what comes too late."""
    world, progress = cast.world, cast.progress
    progress.phase("collecting")
    async with asyncio.TaskGroup() as tasks:
        for number, player in enumerate(cast.players):
            # Whoever is behind with scans votes in time all the same.
            for agenda in (_agenda(number, player, cast.stage), sorted(voting.agenda(number, player), key=WHEN)):
                tasks.create_task(_follow(agenda, until=world.closes + 2 * STRADDLE_S))
        while (left := world.closes - together.now()) > 0:
            progress.show(1 - left / (world.closes - world.opens), _counts(cast.players))
            await asyncio.sleep(together.LOOK_EVERY_S)
        await _come_late(cast)
    progress.done(_counts(cast.players))


def _agenda(number: int, player: Player, stage: Stage) -> list[tuple[float, Step]]:
    """One player's season: when to do what, by chance, with one piece of mischief in the second half."""
    opens, closes = stage.world.opens, stage.world.closes
    last = closes - 0.5
    scans = [random.uniform(opens, last) for _ in range(stage.scans)]
    if number % 3 == 0:
        # On either side of the deadline: it counts or it is refused, never half.
        scans[0] = closes + random.uniform(-STRADDLE_S, STRADDLE_S)
    agenda: list[tuple[float, Step]] = [(moment, player.scan_and_share) for moment in scans]
    agenda += [(random.uniform(opens, last), player.share) for _ in range(MOMENTS_TO_SHARE)]
    deal = partial(dealings.act, player, stage.props.players)
    agenda += [(random.uniform(opens, last), deal) for _ in range(MOMENTS_TO_DEAL)]
    agenda.append((random.uniform(opens, last), player.check_in))
    if number % 3 == 1:
        agenda.append((last, partial(mischief.scan_too_often, player)))
    trick = mischief.TRICKS[number % len(mischief.TRICKS)]
    agenda.append((random.uniform((opens + closes) / 2, last), partial(trick, player, stage.props)))
    return sorted(agenda, key=WHEN)


async def _follow(agenda: list[tuple[float, Step]], *, until: float) -> None:
    """What a slow machine has not got round to in time is left out."""
    for moment, step in agenda:
        await sleep_until(moment)
        if together.now() < until:
            await step()


async def _come_late(cast: Cast) -> None:
    """After the deadline nothing counts, and before the reveal nothing opens."""

    async def try_everything(player: Player) -> None:
        await mischief.open_too_early(player)
        await mischief.scan_too_late(player)
        await mischief.give_too_late(player)

    await asyncio.gather(*(try_everything(player) for player in cast.players[::10]))


async def _recount(cast: Cast) -> None:
    """The vote is over: anybody can have its result, and every ballot without its voter."""
    player, proposal = cast.players[0], cast.world.vote.proposal
    ends = together.now() + CLOSED_WITHIN_S
    while (found := await player.season.proposal(proposal)).state != "closed":
        if together.now() > ends:
            cast.journal.surprises.append(f"the vote is {found.state} after {CLOSED_WITHIN_S:.0f} s")
            return
        await asyncio.sleep(together.LOOK_EVERY_S)
    cast.journal.result = {option.number: option.ballots for option in found.options}
    async for leaf in player.client.pages(operations.BALLOTS, proposal=proposal):
        cast.journal.published[leaf.leaf] = leaf.option


async def _await_split(cast: Cast) -> None:
    """The running worker splits the pool, rung by beat; nobody here does anything about it."""
    cast.progress.phase("splitting")
    settled = cast.world.settled
    if not await together.until(lambda: float(settled.is_set()), SETTLED_WITHIN_S, cast.progress):
        cast.journal.surprises.append(
            f"no split was heard of within {SETTLED_WITHIN_S:.0f} s of the deadline: do worker and beat run?"
        )
    await sleep_until(cast.world.reveals)
    cast.progress.done("settled and revealed" if settled.is_set() else "not settled")


async def _open_packets(cast: Cast) -> None:
    """Nine of ten look into theirs; what stays unopened is credited by the worker."""
    players, progress = cast.players, cast.progress
    progress.phase("opening")
    if cast.world.settled.is_set():
        openers = [player for number, player in enumerate(players) if number % 10]
        await together.each(openers, Player.open_packet, progress)
        ends = together.now() + CREDITED_WITHIN_S
        while not await _all_credited(cast):
            if together.now() > ends:
                cast.journal.surprises.append(f"unopened packets were not credited within {CREDITED_WITHIN_S:.0f} s")
                break
            await asyncio.sleep(together.LOOK_EVERY_S)
        cast.journal.outages.append(Outage("credit", cast.world.reveals, together.now()))
    progress.done(f"{sum(player.diary.opened_fen is not None for player in players):,} packets")


async def _all_credited(cast: Cast) -> bool:
    return (await cast.players[0].season.settlement()).state == "done"


async def _hear_the_rest(cast: Cast) -> None:
    """Wait for events that are still on their way. The check of what was heard comes later (checks.py)."""
    cast.progress.phase("listening")
    diaries = [player.diary for player in cast.players]
    last = await threads.run(staging.last_numbers, cast.stage.campaign_id, [diary.player for diary in diaries])

    def has_heard(player: Player) -> bool:
        events, broadcasts = last[player.diary.player]
        return len(player.diary.events) >= events and len(player.diary.broadcasts) >= broadcasts

    await together.until(partial(_share_of, cast.players, has_heard), HEARD_WITHIN_S, cast.progress)
    cast.progress.done(f"{sum(len(diary.events) for diary in diaries):,} events")


def _share_of(players: list[Player], is_done: Callable[[Player], bool]) -> float:
    return sum(is_done(player) for player in players) / len(players)


def _counts(players: list[Player]) -> str:
    scans, gifts, agreed, events = (
        sum(len(getattr(player.diary, name)) for player in players) for name in ("draws", "gifts", "agreed", "events")
    )
    return f"{scans:,} scans, {gifts:,} gifts, {agreed:,} other trades, {events:,} events"
