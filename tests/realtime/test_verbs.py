"""What friends do, by the client's verbs, over REST and over a socket: the same words, the same typed answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
from asgiref.sync import sync_to_async

from accounts import tokens
from accounts.models import Player
from config.client import operations
from config.client.rest import Client
from config.client.season import Season
from config.client.shapes import Presence
from config.client.sockets import Refused
from config.client.verbs import ALL_FRIENDS, Audience, Verbs
from config.client.votes import Tally
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.realtime import story
from tests.realtime.people import Person
from tests.realtime.servers import Server
from tests.realtime.test_line import PATIENCE_S, collect, listening
from tests.realtime.weather import relay

pytestmark = pytest.mark.committed


@dataclass
class Friend:
    """One of two friends, with every card twice."""

    id: str
    client: Client
    season: Season
    verbs: Verbs


def stage() -> tuple[Campaign, Player, Player]:
    campaign = make.TradingSeasonFactory.create(rules={"specials": ["wild", "steal", "copy"]})
    one, other = PlayerFactory.create(), PlayerFactory.create()
    FriendshipFactory.create(player=one, friend=other)
    make.deal(campaign, one, "wild", "steal", "copy", "harmony", "harmony")
    make.deal(campaign, other, "patriotism", "patriotism", "dedication")
    return campaign, one, other


@pytest.fixture(params=["REST", "socket", "line"])
async def couple(request: pytest.FixtureRequest, a: Server) -> AsyncIterator[tuple[Friend, Friend]]:
    campaign, *players = await sync_to_async(stage)()
    async with AsyncExitStack() as stack:
        yield tuple([await stack.enter_async_context(friend(request.param, a, campaign, player)) for player in players])


@asynccontextmanager
async def friend(way: str, server: Server, campaign: Campaign, player: Player) -> AsyncIterator[Friend]:
    async with Client(server.url) as client:
        client.access = (await sync_to_async(tokens.issue)(player)).token
        season = client.season(campaign.slug)
        if way == "REST":
            yield Friend(str(player.public_id), client, season, season)
        elif way == "socket":
            async with await client.socket(campaign.slug) as socket:
                yield Friend(str(player.public_id), client, season, socket)
        else:
            line = client.line(campaign.slug)
            listening = asyncio.create_task(collect(line))
            yield Friend(str(player.public_id), client, season, line)
            await line.hang_up()
            await listening


async def test_a_request_that_is_accepted(couple: tuple[Friend, Friend]) -> None:
    one, other = couple
    asked = await one.verbs.request(["patriotism"], Audience(one=other.id), note="please")
    assert (asked.trade.state, asked.trade.note, asked.trade.audience) == ("open", "please", "one")
    done = await other.verbs.accept(asked.trade.id)
    assert (done.trade.state, done.hand.counts["patriotism"]) == ("accepted", 1)
    assert (await one.season.trade(asked.trade.id)).state == "accepted"
    assert (await one.season.hand()).hand.counts["patriotism"] == 1


async def test_a_swap_among_all_friends_and_one_that_is_declined(couple: tuple[Friend, Friend]) -> None:
    one, other = couple
    offered = await one.verbs.swap(["harmony"], ["patriotism"], of=ALL_FRIENDS)
    assert offered.trade.audience == "some"
    assert (await other.verbs.accept(offered.trade.id)).hand.counts["harmony"] == 1
    again = await one.verbs.swap(["harmony"], ["patriotism"], of=Audience(some=(other.id,)))
    assert (await other.verbs.decline(again.trade.id)).trade.id == again.trade.id
    with pytest.raises(Refused) as caught:
        await one.verbs.cancel(again.trade.id)
    assert caught.value.code == "trade-already-closed"


async def test_a_suggestion_is_a_swap(couple: tuple[Friend, Friend]) -> None:
    one, other = couple
    (suggested,) = await one.season.suggestions()
    assert (suggested.to, suggested.gives, suggested.takes) == (other.id, ["harmony"], ["patriotism"])
    offered = await one.verbs.swap(suggested.gives, suggested.takes, of=Audience(one=suggested.to))
    assert (await other.verbs.accept(offered.trade.id)).trade.state == "accepted"
    assert {ranked.player: ranked.kinds for ranked in await one.season.ranking()} == {one.id: 2, other.id: 3}


async def test_a_gift_by_link_that_is_taken_back_and_one_that_is_claimed(couple: tuple[Friend, Friend]) -> None:
    one, other = couple
    first = await one.verbs.gift_by_link("wechat", ["harmony"])
    assert (first.hand.counts["harmony"], first.hand.escrow["harmony"]) == (1, 1)
    assert (await one.verbs.cancel(first.trade.id)).hand.escrow["harmony"] == 0
    second = await one.verbs.gift_by_link("qr", ["harmony"], note="for you")
    assert second.trade.link is not None
    seen = await other.client.call(operations.LINK, code=second.trade.link.code)
    assert (seen.gives, seen.note, seen.proposer.id) == (["harmony"], "for you", one.id)
    claimed = await other.season.claim(second.trade.link.code)
    assert claimed.hand.counts["harmony"] == 1
    # Out into escrow, back, out again; and in to the other.
    moved = [entry async for entry in other.client.pages(operations.HISTORY, campaign=other.season.campaign)]
    assert (moved[0].kind, moved[0].direction, moved[0].counterpart) == ("harmony", "in", one.id)


async def test_special_cards(couple: tuple[Friend, Friend]) -> None:
    one, other = couple
    stolen = await one.verbs.steal(other.id, "patriotism")
    assert (stolen.play.friend, stolen.hand.counts["patriotism"], stolen.hand.counts["steal"]) == (other.id, 1, 0)
    copied = await one.verbs.copy(other.id, "dedication")
    assert (copied.play.kind, copied.hand.counts["dedication"], copied.hand.counts["copy"]) == ("dedication", 1, 0)
    kind = next(kind for kind, count in copied.hand.counts.items() if not count and kind not in ("steal", "copy"))
    turned = await one.verbs.wild(kind)
    assert (turned.hand.counts[kind], turned.hand.counts["wild"]) == (1, 0)


async def test_the_same_key_is_the_same_act(couple: tuple[Friend, Friend]) -> None:
    one, other = couple
    first = await one.verbs.gift(other.id, ["harmony"], key="chosen-once")
    assert await one.season.gift(other.id, ["harmony"], key="chosen-once") == first
    assert first.hand.counts["harmony"] == 1


def put_to_the_vote(slug: str) -> str:
    return str(story.put_to_the_vote(Campaign.objects.get(slug=slug), [{}, {}]).public_id)


async def test_a_ballot_and_what_is_said_under_the_vote(couple: tuple[Friend, Friend]) -> None:
    one, other = couple
    proposal = await sync_to_async(put_to_the_vote)(one.season.campaign)
    receipt = await one.verbs.cast(proposal, story.REMOVE)
    assert (receipt.option, receipt.changed) == (story.REMOVE, False)
    assert (await one.season.ballot(proposal)).receipt == receipt.receipt
    with pytest.raises(Refused) as caught:
        await other.verbs.cast(proposal, 3)
    assert caught.value.code == "option-not-found"
    (found,) = await other.season.proposals()
    assert ([option.ballots for option in found.options], found.mine, found.state) == ([0, 1], None, "open")
    written = await one.season.comment(proposal, "Let it go")
    assert [said.text async for said in other.client.pages(operations.COMMENTS, proposal=proposal)] == ["Let it go"]
    await one.client.call(operations.TAKE_BACK_COMMENT, comment=written.id)
    assert [said async for said in other.client.pages(operations.COMMENTS, proposal=proposal)] == []
    assert (await one.season.announcements(), await one.season.amendments()) == ([], [])
    assert [row.version for row in await one.season.rulebooks()] == [1]


async def test_a_line_watches_a_tally_again_over_each_new_socket(alice: Person) -> None:
    proposal = await sync_to_async(put_to_the_vote)(alice.season.slug)
    async with relay(alice.home) as between, listening(alice, between.url) as app, Client(alice.home.url) as client:
        client.access = alice.token
        heard: list[Tally] = []
        await app.line.follow_tally(proposal, heard.append)
        between.cut()
        await app.until(lambda: len(heard) > 1)
        await client.season(alice.season.slug).cast(proposal, story.KEEP)
        await app.until(lambda: heard[-1].cast == 1 or any(push.event == "tally.changed" for push in app.heard))
        await app.line.leave_tally(proposal)
        told = len(heard)
        between.cut()
        await app.until(lambda: app.line.reconnects >= 2)
        await app.line.ping()
    assert len(heard) == told


async def test_a_line_asks_for_presence_again_over_each_new_socket(alice: Person, bob: Person) -> None:
    async with relay(alice.home) as between, listening(alice, between.url) as app, await bob.connect():
        heard: list[Presence] = []
        await app.line.follow_presence(heard.append)
        between.cut()
        async with asyncio.timeout(PATIENCE_S):
            while len(heard) < 2 or bob.id not in heard[-1].online:
                await asyncio.sleep(0.05)
                if len(heard) >= 2 and bob.id not in heard[-1].online:
                    between.cut()
    assert app.line.reconnects >= 1
