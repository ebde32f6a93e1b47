"""For each type of event a real occurrence, brought about by its actions: what `test_asyncapi.py` validates.

A new event needs a function here, with its name in `@occurs`: it brings the event about and returns who hears of it, in
which campaign. Nothing may be written into a feed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from asgiref.sync import sync_to_async
from websockets.asyncio.client import ClientConnection

from accounts import tokens
from accounts.actions import friendships
from accounts.models import Player
from cards.actions import compensations as card_compensations
from cards.actions import copies, credits, steals, trades, wilds
from cards.models import SupportReason
from cards.trading import Audience
from config.client.sockets import Socket
from fortunes.actions import announcements, comments, proposals, rulechanges
from fortunes.models import Campaign, DatabaseNow, Proposal
from redpackets.actions import compensations, conversions, shares
from redpackets.models import LiveShare
from tests.factories import aftermaths, talk, votes
from tests.factories import cards as make
from tests.factories import redpackets as money
from tests.factories.accounts import FriendshipFactory, PlayerFactory, ReferralFactory
from tests.plugins.clock import Clock
from tests.realtime.servers import Server
from tests.votes import motions

# Who hears of it, and where.
Heard = tuple[Player, Campaign]
OCCURRENCES: dict[str, Callable[[psycopg.Connection], Heard]] = {}
ONE_CARD: dict[str, Any] = {**money.ONE_CARD, "caps": {}}


def occurs(*names: str) -> Callable[[Callable[[psycopg.Connection], Heard]], Callable[[psycopg.Connection], Heard]]:
    def register(case: Callable[[psycopg.Connection], Heard]) -> Callable[[psycopg.Connection], Heard]:
        OCCURRENCES.update(dict.fromkeys(names, case))
        return case

    return register


def friends() -> tuple[Player, Player]:
    one, other = PlayerFactory.create(), PlayerFactory.create()
    FriendshipFactory.create(player=one, friend=other)
    return one, other


def season(*, announced: Sequence[tuple[timedelta, Mapping[str, Any]]] = (), **rules: Any) -> Campaign:
    campaign: Campaign = make.SeasonFactory.create(rulebook={**ONE_CARD, **rules}, announced=announced)
    return campaign


@occurs("campaign.opened")
def opened(owner: psycopg.Connection) -> Heard:
    return PlayerFactory.create(), season()


@occurs("campaign.frozen", "campaign.settled")
def settled(owner: psycopg.Connection) -> Heard:
    """The clock is turned back before anybody connects; the feed keeps what it was told."""
    run, clock = money.SettlementFactory.create(winners=1), Clock(owner)
    try:
        money.close(clock, run)
        money.split(run)
    finally:
        clock.restore()
    return PlayerFactory.create(), run.pool.campaign


@occurs("proposal.opened", "proposal.extended", "proposal.cancelled")
def called_off(owner: psycopg.Connection) -> Heard:
    campaign = season()
    vote = motions.opened(campaign)
    later = vote.closes_at + timedelta(hours=1)
    proposals.extend(proposal_id=vote.pk, closes_at=later, by=None)
    proposals.cancel(proposal_id=vote.pk, reason_zh="写错了", reason_en="It was a mistake", by=None)
    return PlayerFactory.create(), campaign


@occurs("proposal.closed")
def decided(owner: psycopg.Connection) -> Heard:
    """The clock is turned back before anybody connects; the feed keeps what it was told."""
    vote, clock = motions.opened(season()), Clock(owner)
    try:
        motions.close(clock, vote)
    finally:
        clock.restore()
    return PlayerFactory.create(), vote.campaign


@occurs("rule.announced", "rulebook.changed")
def changed(owner: psycopg.Connection) -> Heard:
    campaign = season(announced=[(timedelta(days=3), {"split": {"mode": "random"}})])
    raised = {"quotas": {"code": {"per_day": 2_000}}}
    rulechanges.change_by_staff(campaign_id=campaign.pk, patch=raised, by=PlayerFactory.create(is_staff=True).pk)
    return PlayerFactory.create(), campaign


@occurs("announcement.published", "announcement.withdrawn")
def announced(owner: psycopg.Connection) -> Heard:
    campaign = season()
    announcements.withdraw(announcement_id=talk.announced(campaign, pinned=True).pk, by=None)
    return PlayerFactory.create(), campaign


@occurs("comment.answered", "comment.moderated")
def answered(owner: psycopg.Connection) -> Heard:
    campaign, player = season(), PlayerFactory.create()
    reply = talk.replied(talk.commented(player, votes.OpenProposalFactory.create(campaign=campaign)))
    comments.hide(comment_id=reply.pk, by=PlayerFactory.create(is_staff=True).pk)
    return player, campaign


@occurs("friendship.asked", "friendship.accepted", "friendship.ended")
def befriended(owner: psycopg.Connection) -> Heard:
    one, other = friends()
    friendships.end(by=one.pk, player=other.public_id)
    return other, season()


@occurs("gift.sent")
def gave(owner: psycopg.Connection) -> Heard:
    campaign, (one, other) = season(), friends()
    make.redeem(campaign, one)
    make.give(campaign, one, other, ["patriotism"])
    return one, campaign


@occurs("gift.received")
def received(owner: psycopg.Connection) -> Heard:
    campaign, (one, other) = season(), friends()
    make.redeem(campaign, one)
    make.give(campaign, one, other, ["patriotism"])
    return other, campaign


@occurs("invitation.credited")
def credited(owner: psycopg.Connection) -> Heard:
    campaign, inviter = season(), PlayerFactory.create()
    referral = ReferralFactory.create(inviter=inviter)
    make.redeem(campaign, referral.invited)
    credits.credit_due()
    return inviter, campaign


@occurs("draw.granted")
def granted(owner: psycopg.Connection) -> Heard:
    campaign = season(quotas={"support": {"per_day": 2, "per_campaign": 3}})
    player, staff = PlayerFactory.create(), PlayerFactory.create(is_staff=True)
    card_compensations.grant_draw(
        campaign_id=campaign.pk, player_id=player.pk, by=staff.pk, reason=SupportReason.FAULT, key="case-1"
    )
    return player, campaign


@occurs("compensation.paid")
def compensated(owner: psycopg.Connection) -> Heard:
    campaign, player, staff = season(), PlayerFactory.create(), PlayerFactory.create(is_staff=True)
    compensations.fund(campaign_id=campaign.pk, amount_fen=100, business_key=f"fund:{campaign.slug}:c", by=staff.pk)
    compensations.pay(
        campaign_id=campaign.pk, player_id=player.pk, amount_fen=60, reason=compensations.Reason.OUTAGE,
        case=f"C{campaign.pk}", by=staff.pk,
    )  # fmt: skip
    return player, campaign


def trading() -> tuple[Campaign, Player, Player]:
    """A season with special cards of which all may be played, and two friends in it."""
    campaign = make.TradingSeasonFactory.create(rules={"specials": ["wild", "steal", "copy"]})
    one, other = friends()
    return campaign, one, other


def propose(campaign: Campaign, one: Player, other: Player) -> UUID:
    """A request of the one's; the other holds the card."""
    make.deal(campaign, other, "harmony")
    receipt = trades.propose(
        asked=make.asked(one, "trades", {}), campaign=campaign, proposer=one, type="request",
        audience=Audience(to=(other.public_id,)), gives=[], takes=["harmony"], note="please",
    )  # fmt: skip
    return receipt.trade.id


@occurs("trade.proposed")
def asked(owner: psycopg.Connection) -> Heard:
    campaign, one, other = trading()
    propose(campaign, one, other)
    return other, campaign


@occurs("trade.accepted")
def accepted(owner: psycopg.Connection) -> Heard:
    campaign, one, other = trading()
    trade = propose(campaign, one, other)
    trades.accept(asked=make.asked(other, "trade-acceptance", {}), trade_id=trade, by=other)
    return one, campaign


@occurs("trade.closed")
def closed(owner: psycopg.Connection) -> Heard:
    campaign, one, other = trading()
    trade = propose(campaign, one, other)
    trades.decline(asked=make.asked(other, "trade-refusal", {}), trade_id=trade, by=other)
    return one, campaign


def steal() -> tuple[Campaign, Player, Player]:
    campaign, thief, victim = trading()
    make.deal(campaign, thief, "steal")
    make.deal(campaign, victim, "harmony", "harmony")
    steals.steal(asked=make.asked(thief, "steals", {}), campaign=campaign, by=thief, victim=victim.public_id)
    return campaign, thief, victim


@occurs("card.stolen")
def stolen(owner: psycopg.Connection) -> Heard:
    campaign, _, victim = steal()
    return victim, campaign


@occurs("card.taken")
def taken(owner: psycopg.Connection) -> Heard:
    campaign, thief, _ = steal()
    return thief, campaign


@occurs("card.converted")
def converted(owner: psycopg.Connection) -> Heard:
    campaign, one, _ = trading()
    make.deal(campaign, one, "steal")
    aftermaths.remove(campaign, "steal", promising=aftermaths.INTO_WILD)
    aftermaths.follow(campaign)
    return one, campaign


@occurs("conversion.paid")
def paid(owner: psycopg.Connection) -> Heard:
    campaign, one, _ = trading()
    make.deal(campaign, one, "steal")
    aftermaths.remove(campaign, "steal", promising=aftermaths.INTO_FEN)
    aftermaths.follow(campaign)
    compensations.fund(campaign_id=campaign.pk, amount_fen=100, business_key=f"fund:{campaign.slug}:v", by=None)
    conversions.pay_due()
    return one, campaign


@occurs("card.turned")
def turned(owner: psycopg.Connection) -> Heard:
    campaign, one, _ = trading()
    make.deal(campaign, one, "wild")
    wilds.turn(asked=make.asked(one, "wilds", {}), campaign=campaign, by=one, kind="harmony")
    return one, campaign


@occurs("card.copied")
def copied(owner: psycopg.Connection) -> Heard:
    campaign, one, other = trading()
    make.deal(campaign, one, "copy")
    make.deal(campaign, other, "harmony")
    copies.copy(asked=make.asked(one, "copies", {}), campaign=campaign, by=one, friend=other.public_id, kind="harmony")
    return one, campaign


def count(heard: Heard) -> None:
    """What beat does, as if the last count were long ago."""
    player, campaign = heard
    make.redeem(campaign, player)
    LiveShare.objects.filter(campaign=campaign).update(due_at=DatabaseNow() - timedelta(seconds=1))
    shares.count_due()


def friend_of(heard: Heard) -> str:
    """The token of a friend."""
    friend = PlayerFactory.create()
    FriendshipFactory.create(player=heard[0], friend=friend)
    return tokens.issue(friend).token


async def share_changed(heard: Heard, server: Server, connection: ClientConnection) -> AsyncExitStack:
    await sync_to_async(count)(heard)
    return AsyncExitStack()


async def presence_changed(heard: Heard, server: Server, connection: ClientConnection) -> AsyncExitStack:
    token = await sync_to_async(friend_of)(heard)
    await connection.send('{"id": 2, "op": "presence.watch"}')
    while json.loads(await connection.recv()).get("id") != 2:
        pass
    stack = AsyncExitStack()
    await stack.enter_async_context(await Socket.open(server.url, token, heard[1].slug))
    return stack


def vote_of(heard: Heard) -> Proposal:
    """A vote that takes a ballot of theirs."""
    player, campaign = heard
    proposal: Proposal = votes.OpenProposalFactory.create(campaign=campaign)
    votes.enrol(proposal, player)
    return proposal


async def tally_changed(heard: Heard, server: Server, connection: ClientConnection) -> AsyncExitStack:
    proposal = await sync_to_async(vote_of)(heard)
    data = {"proposal": str(proposal.public_id)}
    await connection.send(json.dumps({"id": 2, "op": "tally.watch", "data": data}))
    while json.loads(await connection.recv()).get("id") != 2:
        pass
    await sync_to_async(votes.cast)(heard[0], proposal)
    return AsyncExitStack()


# Of the ephemeral ones: brought about while somebody is connected; what comes back stays open until it was heard.
EPHEMERAL = {"share.changed": share_changed, "presence.changed": presence_changed, "tally.changed": tally_changed}
