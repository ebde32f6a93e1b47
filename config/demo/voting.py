"""The vote of a demo's season: does the steal card stay? What players do about it, and what they hear of it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from config.client.pushes import CardConverted, Push, RulebookChanged, TallyChanged
from config.client.verbs import ALL_FRIENDS
from config.demo import together
from config.demo.journal import Counted, Reading, Voted
from config.demo.player import Player

SUBJECT, INTO = "steal", "wild"
KEEP, REMOVE, NO_OPTION = 1, 2, 3
# Three of five are against it, and vote first: what a slow machine doesn't get round to is the losing side's.
AGAINST, OF = 3, 5
# How far from the close, either way, the ballots are that put it to the test.
STRADDLE_S = 0.2
FIRST_LOOK_S = 0.3

Step = Callable[[], Awaitable[None]]


def agenda(number: int, player: Player) -> Iterator[tuple[float, Step]]:
    """When this player does what about the vote."""
    vote = player.world.vote
    option = REMOVE if number % OF < AGAINST else KEEP
    half = (vote.closes - vote.opens) / 2
    begins = vote.opens + (0 if option == REMOVE else half)
    when = random.uniform(begins, begins + half * 0.9)
    if number % 10 == 9:
        # On either side of the close: it counts or it is refused, never half.
        when = vote.closes + random.uniform(-STRADDLE_S, STRADDLE_S)
    yield vote.opens - FIRST_LOOK_S, partial(_know_whether_one_may, player)
    yield when, partial(cast, player, option)
    if number % 4 == 0:
        yield vote.opens, partial(_watch, player)
    if number % 10 == 1:
        yield player.world.opens, partial(vote_too_early, player)
    if number % 10 == 2:
        yield vote.closes - half / 2, partial(vote_twice, player)
    if number % 10 == 3:
        yield vote.closes - half / 2, partial(vote_for_nothing, player)
    if number % 10 == 4:
        yield vote.closes + STRADDLE_S, partial(vote_too_late, player)
    if number % 10 == 5:
        # It is open until somebody gives one, or until the vote voids it.
        yield vote.closes - half / 2, partial(ask_for_one, player)


async def cast(player: Player, option: int) -> None:
    """The player's ballot, with the answer lost or the request doubled now and then, as every write."""
    vote, diary = player.world.vote, player.diary
    ballot = player.anyhow(lambda verbs, key: verbs.cast(vote.proposal, option, key=key))
    receipt = await player.write("ballot", ballot, *(() if diary.may_vote else ("not-eligible",)))
    if receipt:
        diary.voted = Voted(receipt.option, receipt.receipt, receipt.leaf)
        player.done("ballot", receipt.leaf)


async def _know_whether_one_may(player: Player) -> None:
    """Whoever was told of a card before the vote began has joined before."""
    player.diary.may_vote = bool(player.diary.draws) and together.now() < player.world.vote.opens


async def _watch(player: Player) -> None:
    player.run_an_errand(_follow_tally(player))


async def _follow_tally(player: Player) -> None:
    counted = player.diary.tallies
    follow = player.line.follow_tally(
        player.world.vote.proposal, lambda tally: counted.append(Counted(tally.at, tally.ballots))
    )
    await player.answered("watching the tally", follow)


async def vote_too_early(player: Player) -> None:
    vote = player.world.vote
    sent = player.season.cast(vote.proposal, KEEP)
    await player.refused("early ballot", sent, "vote-not-open", before=vote.opens)


async def vote_twice(player: Player) -> None:
    if player.diary.voted:
        sent = player.season.cast(player.world.vote.proposal, KEEP)
        await player.refused("second ballot", sent, "ballot-already-cast")


async def vote_for_nothing(player: Player) -> None:
    if player.diary.may_vote:
        sent = player.season.cast(player.world.vote.proposal, NO_OPTION)
        await player.refused("ballot for no option", sent, "option-not-found")


async def vote_too_late(player: Player) -> None:
    await player.refused("late ballot", player.season.cast(player.world.vote.proposal, KEEP), "vote-not-open")


async def ask_for_one(player: Player) -> None:
    ask = player.anyhow(lambda verbs, key: verbs.request([SUBJECT], ALL_FRIENDS, key=key))
    await player.write("request of a steal card", ask, "trade-limit-reached")


def note(player: Player, push: Push) -> None:
    """What is told of the vote, and what follows from it."""
    match news := push.news:
        case TallyChanged():
            player.diary.tallies.append(Counted(news.at, news.ballots))
        case RulebookChanged():
            player.run_an_errand(_read_rules(player, news))
        case CardConverted():
            player.diary.cards[news.kind] -= news.cards
            player.diary.cards.update(news.into)


async def _read_rules(player: Player, news: RulebookChanged) -> None:
    """What REST says once one has heard of a change."""
    rules = await player.answered("rules", player.season.rules())
    history = await player.answered("versions of the rules", player.season.rulebooks())
    if rules and history:
        known = next((row.in_force_at for row in history if row.version == news.version), "")
        player.diary.readings.append(
            Reading(news.version, rules.version, known == news.in_force_at, tuple(rules.rules["specials"]))
        )
