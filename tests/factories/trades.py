"""Trades and plays, through the actions, under a fresh key each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from accounts.models import Player
from cards import answers, trading
from cards.actions import copies, links, steals, trades, wilds
from fortunes.models import Campaign
from tests.factories.accounts import FriendshipFactory
from tests.factories.cards import asked


def befriend(*players: Player) -> None:
    """Make each of them a friend of each."""
    for place, player in enumerate(players):
        for friend in players[place + 1 :]:
            FriendshipFactory.create(player=player, friend=friend)


def propose(
    campaign: Campaign,
    proposer: Player,
    type_: str,
    *,
    to: Sequence[Player] = (),
    everyone: bool = False,
    link: str | None = None,
    gives: Sequence[str] = (),
    takes: Sequence[str] = (),
    note: str = "",
    key: str | None = None,
) -> answers.TradeReceipt:
    """Propose a trade to friends, to all of them, or to whoever has the link."""
    audience = trading.Audience(to=tuple(friend.public_id for friend in to), everyone=everyone, link=link)
    body = [campaign.slug, type_, str(audience), list(gives), list(takes), note]
    return trades.propose(
        asked=asked(proposer, "trades", body, key), campaign=campaign, proposer=proposer, type=type_, audience=audience,
        gives=list(gives), takes=list(takes), note=note,
    )  # fmt: skip


def request(campaign: Campaign, proposer: Player, *takes: str, **given: Any) -> answers.TradeReceipt:
    return propose(campaign, proposer, "request", takes=takes, **given)


def offer(
    campaign: Campaign, proposer: Player, gives: Sequence[str], takes: Sequence[str], **given: Any
) -> answers.TradeReceipt:
    """A swap."""
    return propose(campaign, proposer, "swap", gives=gives, takes=takes, **given)


def link_gift(campaign: Campaign, proposer: Player, *gives: str, **given: Any) -> answers.TradeReceipt:
    return propose(campaign, proposer, "gift", gives=gives, **{"link": "wechat", **given})


def accept(trade: UUID, by: Player, *, key: str | None = None) -> answers.TradeReceipt:
    return trades.accept(asked=asked(by, "trade-acceptance", str(trade), key), trade_id=trade, by=by)


def decline(trade: UUID, by: Player, *, key: str | None = None) -> answers.TradeReceipt:
    return trades.decline(asked=asked(by, "trade-refusal", str(trade), key), trade_id=trade, by=by)


def cancel(trade: UUID, by: Player, *, key: str | None = None) -> answers.TradeReceipt:
    return trades.cancel(asked=asked(by, "trade-cancellation", str(trade), key), trade_id=trade, by=by)


def follow(code: str, by: Player, *, key: str | None = None) -> answers.TradeReceipt:
    """Accept a trade by its link."""
    return links.accept(asked=asked(by, "link-acceptance", code, key), code=code, by=by)


def steal(
    campaign: Campaign, by: Player, victim: Player, kind: str | None = None, *, key: str | None = None
) -> answers.PlayReceipt:
    body = [campaign.slug, victim.public_id, kind]
    return steals.steal(
        asked=asked(by, "steals", body, key), campaign=campaign, by=by, victim=victim.public_id, kind=kind
    )


def turn(campaign: Campaign, by: Player, kind: str, *, key: str | None = None) -> answers.PlayReceipt:
    """Turn a wild card into a kind."""
    return wilds.turn(asked=asked(by, "wilds", [campaign.slug, kind], key), campaign=campaign, by=by, kind=kind)


def copy(campaign: Campaign, by: Player, friend: Player, kind: str, *, key: str | None = None) -> answers.PlayReceipt:
    body = [campaign.slug, friend.public_id, kind]
    return copies.copy(
        asked=asked(by, "copies", body, key), campaign=campaign, by=by, friend=friend.public_id, kind=kind
    )
