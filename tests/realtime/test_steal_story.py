"""The story of the steal card, on two web processes, a worker and beat: voted out of the game, or never let in."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cards import catalogue
from cards.actions import presets
from cards.models import Aftermath, Conversion, Draw, Hand, Play, Trade, Transfer
from config.client import operations
from config.client.pushes import CardConverted, ProposalClosed, RulebookChanged
from config.client.sockets import Refused
from config.client.verbs import ALL_FRIENDS, Audience
from fortunes import threads
from fortunes.models import Amendment, Ballot, BallotCount, Campaign, Proposal, Rulebook
from redpackets.actions import compensations
from redpackets.models import LedgerEntry
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.plugins.clock import Clock
from tests.realtime import story
from tests.realtime.servers import Server
from tests.realtime.story import KEEP, REMOVE, Citizen
from tests.redpackets.test_worker import beat, worker

pytestmark = [pytest.mark.committed, pytest.mark.slow]

# No season is so short that somebody needs to be protected for a day.
STEALING = {"per_day": 1_000, "per_pair_per_day": 1_000, "protection_h": 0, "spares_last": False}
RULES: dict[str, Any] = {
    "weights": {**presets.FIVE_FORTUNES_RULES["weights"], "wild": 4, "steal": 4, "copy": 4},
    "specials": ["wild", "steal", "copy"],
    "stealing": STEALING,
    "caps": {},
    "quotas": make.PLENTY,
}
GONE = {"specials": ["wild", "copy"], "weights": {"steal": 0}}
FEN = 88
# Each of these has a victim; then come two with open trades, one who holds some and does nothing, and one with none.
THIEVES, STEALS, LOOT = 3, 40, 80
CITIZENS = 2 * THIEVES + 4
AGAINST = 6
# A socket has 20 frames a second.
PACE_S = 0.1
# The clocks of two connections may be read in another order than their statements began.
A_MOMENT = timedelta(seconds=1)


@pytest.fixture
def machinery(committed_db: None, tmp_path: Path) -> Iterator[None]:
    with worker(tmp_path), beat(tmp_path, "beat"):
        yield


@pytest.fixture(autouse=True)
def tokens_outlive_the_story(settings: Any) -> None:
    """The clock is put forward by more than the minutes that tokens live."""
    settings.ACCESS_TOKEN_LIFETIME_S = 6 * 3600


@pytest.fixture
def cast(committed_db: None, a: Server, b: Server) -> tuple[Campaign, list[Citizen]]:
    """Thieves and victims in pairs of friends, at home on different processes."""
    campaign = make.SeasonFactory.create(rulebook=RULES)
    people = story.citizens(campaign, [a, b], CITIZENS)
    for one, other in zip(people[::2], people[1::2], strict=True):
        FriendshipFactory.create(player=one.row, friend=other.row)
    for thief, victim in zip(people[: 2 * THIEVES : 2], people[1 : 2 * THIEVES : 2], strict=True):
        make.deal(campaign, thief.row, *["steal"] * STEALS)
        make.deal(campaign, victim.row, *["harmony"] * LOOT)
    linking, swapping, idle, poor = people[2 * THIEVES :]
    make.deal(campaign, linking.row, "steal", "steal", "harmony")
    make.deal(campaign, swapping.row, "steal", "harmony")
    make.deal(campaign, idle.row, "steal", "steal", "steal")
    make.deal(campaign, poor.row, "harmony")
    return campaign, people


@pytest.mark.parametrize("into", ["wild", "fortune", "fen"])
async def test_it_is_voted_out_of_the_game(
    cast: tuple[Campaign, list[Citizen]], machinery: None, clock: Clock, b: Server, into: str
) -> None:
    campaign, people = cast
    proposal = await threads.run(put_to_the_vote, campaign, into)
    newcomer = await threads.run(joins_late, campaign, b)
    async with story.everybody([*people, newcomer]):
        opened = await propose_trades(people)
        await watch(people[:4], proposal)
        assert await newcomer.is_refused(newcomer.season.cast(str(proposal.public_id), KEEP)) == "not-eligible"
        await story.vote(people, proposal, AGAINST)
        for watcher in people[:4]:
            await watcher.app.until(lambda watcher=watcher: watcher.tally.cast == CITIZENS)
            assert watcher.tally.ballots == {str(REMOVE): AGAINST, str(KEEP): CITIZENS - AGAINST}

        for thief, victim in pairs(people):
            await thief.season.steal(victim.id, "harmony")
        async with story.at_the_same_time(*(steal_on(thief, victim) for thief, victim in pairs(people))):
            await threads.run(clock.move_to, proposal.closes_at)

        for citizen in [*people, newcomer]:
            await hears_of_the_new_rules(citizen, proposal)
        await story.until(lambda: Aftermath.objects.filter(campaign=campaign, version=2, state="done").exists())
        for citizen in people:
            await keeps_what_was_promised(citizen, into)
        await finds_every_ballot(people, proposal)
        late = people[0].by(socket=True)
        assert await people[0].is_refused(late.cast(str(proposal.public_id), KEEP)) == "vote-not-open"
    assert await threads.run(wrong, campaign, proposal, opened, into) == []


async def test_it_is_struck_before_it_is_in_force(
    committed_db: None, machinery: None, clock: Clock, a: Server, b: Server
) -> None:
    """Announced in two seasons for the same time. One strikes it. In the other it is kept, and comes."""
    struck, kept = [await threads.run(announced, [a, b]) for _ in range(2)]
    async with story.everybody([*struck.people, *kept.people]):
        for coming in (struck, kept):
            thief, victim, *_ = coming.people
            assert [item.state for item in await thief.season.amendments()] == ["announced"]
            assert await thief.is_refused(thief.season.steal(victim.id)) == "rule-forbids"
        # The one that was made last is the last to open, too.
        await threads.run(clock.move_to, kept.proposal.opens_at + A_MOMENT)
        # Of six, four are for striking it here, and two there.
        await story.vote(struck.people, struck.proposal, 4)
        await story.vote(kept.people, kept.proposal, 2)
        await threads.run(clock.move_to, kept.proposal.closes_at + A_MOMENT)
        for coming, winner in ((struck, REMOVE), (kept, KEEP)):
            for citizen in coming.people:
                await citizen.hears("proposal.closed")
                (closed,) = citizen.news("proposal.closed")
                assert isinstance(closed, ProposalClosed)
                assert (closed.outcome, closed.winner, closed.version) == ("adopted", winner, None)

        await threads.run(clock.move_to, kept.amendment.takes_force_at + A_MOMENT)
        for citizen in kept.people:
            await citizen.hears("rulebook.changed")
            (changed,) = citizen.news("rulebook.changed")
            assert isinstance(changed, RulebookChanged)
            assert (changed.version, changed.amendment) == (2, str(kept.amendment.public_id))
            assert "steal" in (await citizen.season.rules()).rules["specials"]
        thief, victim, *_ = kept.people
        assert (await thief.by(socket=True).steal(victim.id)).play.kind == "harmony"
        assert [item.state for item in await thief.season.amendments()] == ["in-force"]

        # The worker that has put the one in force has passed by the other.
        for citizen in struck.people:
            (amendment,) = await citizen.season.amendments()
            assert (amendment.state, amendment.struck_by) == ("struck", str(struck.proposal.public_id))
            assert (await citizen.season.rules()).version == 1
            assert citizen.news("rulebook.changed") == []
        thief, victim, *_ = struck.people
        assert await thief.is_refused(thief.season.steal(victim.id)) == "rule-forbids"


@dataclass(frozen=True)
class Announced:
    """A season that waits for the steal card, and its six players: a thief, whose friend has something, and others."""

    amendment: Amendment
    proposal: Proposal
    people: list[Citizen]


def announced(homes: list[Server]) -> Announced:
    campaign, amendment, proposal = story.season_of_2017(caps={}, quotas=make.PLENTY, stealing=STEALING)
    people = story.citizens(campaign, homes, 6)
    for citizen in people:
        make.deal(campaign, citizen.row, "harmony", "harmony")
    make.deal(campaign, people[0].row, "steal")
    FriendshipFactory.create(player=people[0].row, friend=people[1].row)
    return Announced(amendment, proposal, people)


def put_to_the_vote(campaign: Campaign, into: str) -> Proposal:
    promise: dict[str, Any] = {"into": into}
    if into == "fen":
        promise["amount_fen"] = FEN
        key, staff = f"fund:{campaign.slug}:c", PlayerFactory.create(is_staff=True)
        compensations.fund(campaign_id=campaign.pk, amount_fen=100_000, business_key=key, by=staff.pk)
    return story.put_to_the_vote(campaign, [{}, {"changes": GONE, "compensations": {"steal": promise}}])


def joins_late(campaign: Campaign, home: Server) -> Citizen:
    (newcomer,) = story.citizens(campaign, [home], 1)
    make.deal(campaign, newcomer.row, "harmony")
    return newcomer


def pairs(people: list[Citizen]) -> list[tuple[Citizen, Citizen]]:
    return list(zip(people[: 2 * THIEVES : 2], people[1 : 2 * THIEVES : 2], strict=True))


async def propose_trades(people: list[Citizen]) -> list[str]:
    """A link that gives a steal card, a swap that offers one, and a request for one: all open when the vote closes."""
    linking, swapping, _, poor = people[2 * THIEVES :]
    gift = await linking.app.line.gift_by_link("wechat", ["steal"])
    swap = await swapping.season.swap(["steal"], ["harmony"], of=Audience(one=linking.id))
    ask = await poor.app.line.request(["steal"], ALL_FRIENDS)
    return [gift.trade.id, swap.trade.id, ask.trade.id]


async def watch(watchers: list[Citizen], proposal: Proposal) -> None:
    for watcher in watchers:
        await watcher.follow(str(proposal.public_id))


async def steal_on(thief: Citizen, victim: Citizen) -> None:
    """One after the other, over REST and over the socket, until the rules forbid it. Each is done or refused."""
    for number in range(10_000):
        try:
            await thief.by(socket=number % 2 == 0).steal(victim.id, "harmony")
        except Refused as refused:
            if refused.code == "rule-forbids":
                return
            # On a slow machine all may have been played.
            if refused.code != "card-not-held":
                raise
        await asyncio.sleep(PACE_S)


async def hears_of_the_new_rules(citizen: Citizen, proposal: Proposal) -> None:
    """Once, with the result; and what REST says from then on is the same."""
    await citizen.hears("rulebook.changed")
    await citizen.hears("proposal.closed")
    (changed,), (closed,) = citizen.news("rulebook.changed"), citizen.news("proposal.closed")
    assert isinstance(changed, RulebookChanged) and isinstance(closed, ProposalClosed)
    assert (closed.outcome, closed.winner, closed.version) == ("adopted", REMOVE, 2)
    assert (closed.cast, closed.eligible) == (CITIZENS, CITIZENS)
    assert (changed.version, changed.reason, changed.proposal) == (2, "vote", str(proposal.public_id))
    rules = await citizen.season.rules()
    newest = (await citizen.season.rulebooks())[0]
    assert (rules.version, rules.in_force_at) == (newest.version, newest.in_force_at) == (2, changed.in_force_at)
    assert sorted(change.path for change in newest.changes) == sorted(changed.paths)
    assert rules.rules["specials"] == GONE["specials"] and rules.rules["weights"]["steal"] == 0
    assert newest.proposal == changed.proposal


async def keeps_what_was_promised(citizen: Citizen, into: str) -> None:
    """What was held has become something else, and the hand agrees with what the player was told."""
    hand = (await citizen.season.hand()).hand
    assert (hand.counts["steal"], hand.escrow["steal"]) == (0, 0)
    converted = await threads.run(lambda: Conversion.objects.filter(player=citizen.row).count())
    await citizen.app.until(lambda: len(citizen.news("card.converted")) >= converted)
    told = [news for news in citizen.news("card.converted") if isinstance(news, CardConverted)]
    assert len(told) == converted <= 1
    for news in told:
        assert (news.kind, news.fen) == ("steal", news.cards * FEN if into == "fen" else 0)
        assert len(news.into) == (0 if into == "fen" else news.cards)
        if into == "wild":
            assert set(news.into) == {"wild"} and hand.counts["wild"] == news.cards
        if into == "fen":
            await story.until(lambda: not Conversion.objects.filter(player=citizen.row, paid_at=None).exists())
            assert (await citizen.client.call(operations.WALLET)).balance_fen == news.fen
    # Nothing of it can be done any more, held or not.
    friend = str((await citizen.client.friends())[0].player.id)
    for verbs in (citizen.by(socket=True), citizen.by(socket=False)):
        assert await citizen.is_refused(verbs.steal(friend)) == "rule-forbids"
        assert await citizen.is_refused(verbs.gift(friend, ["steal"])) == "rule-forbids"
        assert await citizen.is_refused(verbs.request(["steal"], ALL_FRIENDS)) == "rule-forbids"


async def finds_every_ballot(people: list[Citizen], proposal: Proposal) -> None:
    """Each their own in the published list, which anybody can count."""
    name = str(proposal.public_id)
    leaves = [leaf async for leaf in people[0].client.pages(operations.BALLOTS, proposal=name, limit=4)]
    published = {leaf.leaf: leaf.option for leaf in leaves}
    assert [leaf.leaf for leaf in leaves] == sorted(published)
    for voter in people:
        assert voter.receipt
        own = UUID(name).bytes + bytes.fromhex(voter.receipt.receipt) + bytes([voter.receipt.option])
        assert published[hashlib.sha256(own).hexdigest()] == voter.receipt.option
    found = await people[1].season.proposal(name)
    assert found.result
    assert {option.number: option.ballots for option in found.options} == Counter(published.values())
    digest = hashlib.sha256(b"".join(bytes.fromhex(leaf.leaf) for leaf in leaves)).hexdigest()
    assert (found.state, found.result.ballots_hash, found.mine) == ("closed", digest, found.result.winner)


def wrong(campaign: Campaign, proposal: Proposal, opened: list[str], into: str) -> list[str]:
    """What is not as it should be, by the database."""
    known = catalogue.of(campaign.pk)
    steal = known.kinds.index("steal")
    change = Rulebook.objects.get(campaign=campaign, version=2)
    faults = [f"version {row.version}" for row in Rulebook.objects.filter(campaign=campaign, version__gt=2)]
    plays = Play.objects.filter(campaign=campaign, type=Play.Type.STEAL)
    faults += [
        f"stolen at {play.at}, forbidden since {change.in_force_at}"
        for play in plays.filter(at__gte=change.in_force_at)
    ]
    moved = Transfer.objects.filter(campaign=campaign)
    halves = Counter(moved.filter(play__in=plays).values_list("play_id", flat=True))
    # A card comes, and the steal card is used up.
    faults += [f"play {play.pk} moved {halves[play.pk]} cards" for play in plays if halves[play.pk] != 2]
    states = Counter(Trade.objects.filter(public_id__in=opened).values_list("state", flat=True))
    faults += [] if states == {"voided": len(opened)} else [f"trades are {dict(states)}"]
    faults += _conversions(campaign, steal, into)
    rows = Counter(Ballot.objects.filter(proposal=proposal).values_list("option", flat=True))
    shards: Counter[int] = Counter()
    for count in BallotCount.objects.filter(proposal=proposal):
        shards[count.option] += count.ballots
    return faults + ([] if rows == shards == {REMOVE: AGAINST, KEEP: CITIZENS - AGAINST} else [f"{rows}, {shards}"])


def _conversions(campaign: Campaign, steal: int, into: str) -> Iterator[str]:
    """Each card that nobody had played was converted, once, and paid for once."""
    moved = Transfer.objects.filter(campaign=campaign)
    used = Counter(moved.filter(play__isnull=False, kind=steal).values_list("giver_id", flat=True))
    done = Conversion.objects.filter(campaign=campaign)
    for player, cards in _dealt(campaign, steal).items():
        converted = sum(done.filter(player=player).values_list("cards", flat=True))
        if converted != cards - used[player]:
            yield f"player {player} had {cards}, played {used[player]}, and {converted} were converted"
    for conversion in done:
        ends = moved.filter(conversion=conversion, kind=steal, receiver=None).count()
        gains = moved.filter(conversion=conversion, giver=None).count()
        if (ends, gains) != (conversion.cards, len(conversion.into)):
            yield f"conversion {conversion.pk} used {ends} and gained {gains}"
        paid = LedgerEntry.objects.filter(business_key=f"conversion:{conversion.pk}")
        if list(paid.values_list("amount_fen", flat=True)) != ([FEN * conversion.cards] if into == "fen" else []):
            yield f"conversion {conversion.pk} was paid {paid.count()} times"
    if any(hand.counts[steal] + hand.escrow[steal] for hand in Hand.objects.filter(campaign=campaign)):
        yield "somebody still holds one"


def _dealt(campaign: Campaign, steal: int) -> Counter[int]:
    return Counter(Draw.objects.filter(campaign=campaign, kind=steal).values_list("player_id", flat=True))
