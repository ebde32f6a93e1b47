"""What players do with each other's cards besides plain gifts: they ask, swap, spread links, and play special cards.

Friends tell each other what they hold, but it may have changed when an act arrives: then it is refused with one of the
codes named here, and nothing else.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from config.client.pushes import CardCopied, CardStolen, CardTaken, CardTurned, Push, TradeAccepted, TradeProposed
from config.client.shapes import PlayReceipt, TradeReceipt
from config.client.verbs import ALL_FRIENDS, Audience, Verbs
from config.demo.journal import Deal
from config.demo.player import Player

# How long somebody who is asked thinks about it.
LONGEST_THOUGHT_S = 0.5
TAKEN_BACK = 0.2
UNKIND = 0.1
TOO_MANY = "trade-limit-reached"
# Somebody else was faster, or the cards have gone meanwhile.
TOO_LATE = ("trade-already-closed", "trade-expired", "card-not-held", "offer-not-covered", "receiver-limit-reached")
UNPLAYABLE = {
    "wild": ("card-not-held", "kind-held"),
    "copy": ("card-not-held", "friend-lacks-card"),
    "steal": (
        "card-not-held",
        "friend-lacks-card",
        "last-card-spared",
        "no-doubles",
        "steal-limit-reached",
        "player-protected",
    ),
}


async def act(player: Player, everybody: Sequence[Player]) -> None:
    """One thing, by chance; a special card is played as soon as it can be."""
    if not await play_a_special_card(player):
        await random.choice((ask_around, offer_a_swap, spread_a_link))(player, everybody)


async def ask_around(player: Player, everybody: Sequence[Player]) -> None:
    """Ask one friend, some or all for a card; what is not answered is sometimes withdrawn."""
    kind = random.choice(_missing(player) or player.world.complete_set)
    friends = tuple(friend.diary.player for friend in player.friends)
    of = random.choice((Audience(one=friends[0]), Audience(some=friends[:3]), ALL_FRIENDS))
    ask = player.anyhow(lambda verbs, key: verbs.request([kind], of, note="新年快乐", key=key))
    await _perhaps_take_back(player, await player.write("request", ask, TOO_MANY))


async def offer_a_swap(player: Player, everybody: Sequence[Player]) -> None:
    if (doubles := _doubles(player)) and (missing := _missing(player)):
        gives, takes = [random.choice(doubles)], [random.choice(missing)]
        offer = player.anyhow(lambda verbs, key: verbs.swap(gives, takes, of=ALL_FRIENDS, key=key))
        await _perhaps_take_back(player, await player.write("swap", offer, TOO_MANY, "card-not-held"))


async def spread_a_link(player: Player, everybody: Sequence[Player]) -> None:
    """A double for whoever follows it first. Two others try, or nobody does: at the deadline it is the giver's."""
    if not (doubles := _doubles(player)):
        return
    channel, gives = random.choice(("wechat", "weibo", "qr")), [random.choice(doubles)]
    spread = player.anyhow(lambda verbs, key: verbs.gift_by_link(channel, gives, key=key))
    receipt = await player.write("gift by link", spread, TOO_MANY, "card-not-held")
    if receipt and receipt.trade.link:
        code = receipt.trade.link.code
        others = random.sample([other for other in everybody if other is not player], 2)
        await asyncio.gather(*(_follow(other, player, code) for other in others))


async def play_a_special_card(player: Player) -> bool:
    """Whether one was tried: for a kind that is missing, from a friend who has it where a friend is needed."""
    missing = _missing(player)
    for role, codes in UNPLAYABLE.items():
        if not player.diary.cards[role] or not missing:
            continue
        kind = random.choice(missing)
        holding = [friend.diary.player for friend in player.friends if friend.diary.cards[kind]]
        if role == "wild" or holding:
            play = _play(role, kind, random.choice(holding) if holding else "")
            receipt = await player.write(role, player.anyhow(play), *codes)
            if receipt:
                player.diary.plays[receipt.play.id] = receipt.play.kind
                player.done("play", receipt.play.id)
            return True
    return False


def _play(role: str, kind: str, friend: str) -> Callable[[Verbs, str], Awaitable[PlayReceipt]]:
    if role == "wild":
        return lambda verbs, key: verbs.wild(kind, key=key)
    if role == "copy":
        return lambda verbs, key: verbs.copy(friend, kind, key=key)
    return lambda verbs, key: verbs.steal(friend, kind, key=key)


def note(player: Player, push: Push) -> None:
    """What an event says of the player's cards, and what it makes them do."""
    cards = player.diary.cards
    match news := push.news:
        case TradeProposed() if news.proposer != player.diary.player:
            player.run_an_errand(_answer(player, news))
        case TradeAccepted():
            _note_deal(player, news)
        case CardStolen():
            cards[news.kind] -= 1
        case CardTaken():
            cards.update({news.kind: 1, "steal": -1})
        case CardTurned():
            cards.update({news.kind: 1, "wild": -1})
        case CardCopied():
            cards.update({news.kind: 1, "copy": -1})


def _note_deal(player: Player, news: TradeAccepted) -> None:
    deal = Deal(news.proposer, news.by, tuple(sorted(news.gives)), tuple(sorted(news.takes)))
    player.diary.deals[news.trade] = deal
    gone, come = (deal.gives, deal.takes) if deal.proposer == player.diary.player else (deal.takes, deal.gives)
    player.diary.cards.subtract(gone)
    player.diary.cards.update(come)


async def _answer(player: Player, news: TradeProposed) -> None:
    """Give what can be spared for what is missing; refuse sometimes; or leave it to others."""
    await asyncio.sleep(random.uniform(0, LONGEST_THOUGHT_S))
    spared = all(player.diary.cards[kind] > 1 for kind in news.takes)
    wanted = all(not player.diary.cards[kind] for kind in news.gives)
    if spared and wanted:
        accept = player.anyhow(lambda verbs, key: verbs.accept(news.trade, key=key))
        _agreed(player, await player.write("acceptance", accept, *TOO_LATE))
    elif random.random() < UNKIND:
        decline = player.anyhow(lambda verbs, key: verbs.decline(news.trade, key=key))
        await player.write("refusal", decline, *TOO_LATE)


async def _follow(player: Player, giver: Player, code: str) -> None:
    """They are friends then. A full list of friends can't be, with so few of them."""
    receipt = await player.write("link", lambda key: player.season.claim(code, key=key), *TOO_LATE, "link-not-found")
    if receipt:
        _agreed(player, receipt)
        player.are_friends(giver)


async def _perhaps_take_back(player: Player, receipt: TradeReceipt | None) -> None:
    if receipt and random.random() < TAKEN_BACK:
        await asyncio.sleep(random.uniform(0, LONGEST_THOUGHT_S))
        cancel = player.anyhow(lambda verbs, key: verbs.cancel(receipt.trade.id, key=key))
        await player.write("cancellation", cancel, *TOO_LATE)


def _agreed(player: Player, receipt: TradeReceipt | None) -> None:
    if receipt:
        player.diary.agreed.add(receipt.trade.id)
        player.done("trade", receipt.trade.id)


def _missing(player: Player) -> list[str]:
    return [kind for kind in player.world.complete_set if not player.diary.cards[kind]]


def _doubles(player: Player) -> list[str]:
    return [kind for kind in player.world.complete_set if player.diary.cards[kind] > 1]
