"""What players do with each other's cards besides plain gifts: they ask, swap, spread links, and play special cards.

Friends tell each other what they hold, but it may have changed when an act arrives: then it is refused with one of the
codes named here, and nothing else.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from config.client.pushes import Push
from config.demo.journal import Deal
from config.demo.player import OVER_REST, Player

# How long somebody who is asked thinks about it.
LONGEST_THOUGHT_S = 0.5
TAKEN_BACK = 0.2
UNKIND = 0.1
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
PATHS = {"wild": "wilds", "copy": "copies", "steal": "steals"}


async def act(player: Player, everybody: Sequence[Player]) -> None:
    """One thing, by chance; a special card is played as soon as it can be."""
    if not await play_a_special_card(player):
        await random.choice((ask_around, offer_a_swap, spread_a_link))(player, everybody)


async def ask_around(player: Player, everybody: Sequence[Player]) -> None:
    """Ask one friend, some or all for a card; what is not answered is sometimes withdrawn."""
    kind = random.choice(_missing(player) or player.world.complete_set)
    friends = [friend.diary.player for friend in player.friends]
    audience = random.choice(({"to": friends[0]}, {"to_some": friends[:3]}, {"to_all": True}))
    receipt = await _propose(player, "request", {**audience, "takes": [kind], "note": "新年快乐"})
    await _perhaps_take_back(player, receipt)


async def offer_a_swap(player: Player, everybody: Sequence[Player]) -> None:
    doubles, missing = _doubles(player), _missing(player)
    if doubles and missing:
        swap = {"to_all": True, "gives": [random.choice(doubles)], "takes": [random.choice(missing)]}
        await _perhaps_take_back(player, await _propose(player, "swap", swap, "card-not-held"))


async def spread_a_link(player: Player, everybody: Sequence[Player]) -> None:
    """A double for whoever follows it first. Two others try, or nobody does: at the deadline it is the giver's."""
    doubles = _doubles(player)
    if not doubles:
        return
    gift = {"link": random.choice(("wechat", "weibo", "qr")), "gives": [random.choice(doubles)]}
    receipt = await _propose(player, "gift", gift, "card-not-held")
    if receipt:
        code = receipt["trade"]["link"]["code"]
        others = random.sample([other for other in everybody if other is not player], 2)
        await asyncio.gather(*(_follow(other, player, code) for other in others))


async def play_a_special_card(player: Player) -> bool:
    """Whether one was tried: for a kind that is missing, from a friend who has it where a friend is needed."""
    missing = _missing(player)
    for role, codes in UNPLAYABLE.items():
        if not player.diary.cards[role] or not missing:
            continue
        body: dict[str, Any] = {"kind": random.choice(missing)}
        if role != "wild":
            holding = [friend for friend in player.friends if friend.diary.cards[body["kind"]]]
            if not holding:
                continue
            body["from"] = random.choice(holding).diary.player
        receipt = await _write(player, f"campaigns/{player.world.slug}/{PATHS[role]}", role, body, *codes)
        if receipt:
            play = receipt["play"]
            player.diary.plays[play["id"]] = play["kind"]
            player.done("play", play["id"])
        return True
    return False


def note(player: Player, push: Push) -> None:
    """What an event says of the player's cards, and what it makes them do."""
    cards, data = player.diary.cards, push.data
    match push.event:
        case "trade.proposed" if data["proposer"] != player.diary.player:
            player.run_an_errand(_answer(player, data))
        case "trade.accepted":
            _note_deal(player, data)
        case "card.stolen":
            cards[data["kind"]] -= 1
        case "card.taken" | "card.turned" | "card.copied":
            cards[{"card.taken": "steal", "card.turned": "wild", "card.copied": "copy"}[push.event]] -= 1
            cards[data["kind"]] += 1


def _note_deal(player: Player, data: dict[str, Any]) -> None:
    deal = Deal(data["proposer"], data["by"], tuple(sorted(data["gives"])), tuple(sorted(data["takes"])))
    player.diary.deals[data["trade"]] = deal
    gone, come = (deal.gives, deal.takes) if deal.proposer == player.diary.player else (deal.takes, deal.gives)
    player.diary.cards.subtract(gone)
    player.diary.cards.update(come)


async def _answer(player: Player, data: dict[str, Any]) -> None:
    """Give what can be spared for what is missing; refuse sometimes; or leave it to others."""
    await asyncio.sleep(random.uniform(0, LONGEST_THOUGHT_S))
    spared = all(player.diary.cards[kind] > 1 for kind in data["takes"])
    wanted = all(not player.diary.cards[kind] for kind in data["gives"])
    if spared and wanted:
        await _settle(player, data["trade"], "acceptance", "trade.accept")
    elif random.random() < UNKIND:
        await _settle(player, data["trade"], "refusal", "trade.decline")


async def _follow(player: Player, giver: Player, code: str) -> None:
    """They are friends then. A full list of friends can't be, with so few of them."""
    path = f"links/{code}/acceptance"
    send = lambda key: player.client.post(path, {}, key=key)  # noqa: E731 - as in `_write`
    receipt = await player.write("link", send, *TOO_LATE, "link-not-found")
    if receipt:
        _agreed(player, receipt)
        player.are_friends(giver)


async def _perhaps_take_back(player: Player, receipt: Any) -> None:
    if receipt and random.random() < TAKEN_BACK:
        await asyncio.sleep(random.uniform(0, LONGEST_THOUGHT_S))
        await _settle(player, receipt["trade"]["id"], "cancellation", "trade.cancel")


async def _settle(player: Player, trade: str, noun: str, op: str) -> None:
    receipt = await _write(player, f"trades/{trade}/{noun}", op, {}, *TOO_LATE, trade=trade)
    if receipt and noun == "acceptance":
        _agreed(player, receipt)


def _agreed(player: Player, receipt: dict[str, Any]) -> None:
    trade = receipt["trade"]["id"]
    player.diary.agreed.add(trade)
    player.done("trade", trade)


async def _propose(player: Player, kind: str, body: dict[str, Any], *codes: str) -> Any:
    path = f"campaigns/{player.world.slug}/trades"
    return await _write(player, path, f"trade.{kind}", body, *codes, "trade-limit-reached", rest={"type": kind})


async def _write(
    player: Player,
    path: str,
    op: str,
    body: dict[str, Any],
    *codes: str,
    rest: dict[str, Any] | None = None,
    **named: str,
) -> Any:
    """Over REST now and then, and else over the socket, whose frame says besides what an address says by itself."""
    send: Callable[[str], Awaitable[Any]]
    if random.random() < OVER_REST:
        send = lambda key: player.client.post(path, {**(rest or {}), **body}, key=key)  # noqa: E731
    else:
        send = lambda key: player.command(op, {**body, **named, "key": key})  # noqa: E731
    return await player.write(op, send, *codes)


def _missing(player: Player) -> list[str]:
    return [kind for kind in player.world.complete_set if not player.diary.cards[kind]]


def _doubles(player: Player) -> list[str]:
    return [kind for kind in player.world.complete_set if player.diary.cards[kind] > 1]
