"""What players ask of the cards over a socket; each command is the same act as a REST request, down to its key."""

from __future__ import annotations

from typing import Any

from rest_framework.serializers import UUIDField

from cards import answers, serializers
from cards.actions import copies, steals, trades, wilds
from cards.models import Trade
from fortunes import keys
from fortunes.commands import Caller, Command, Keyed


class GiftData(Keyed, serializers.GiftProposal):
    """A gift, under an idempotency key."""

    type = None  # type: ignore[assignment]


class AskData(Keyed, serializers.RequestProposal):
    """A request for cards, under an idempotency key."""

    type = None  # type: ignore[assignment]


class SwapData(Keyed, serializers.SwapProposal):
    """A swap, under an idempotency key."""

    type = None  # type: ignore[assignment]


class TradeData(Keyed):
    """A trade of the socket's campaign, under an idempotency key."""

    trade = UUIDField()


class StealData(Keyed, serializers.StealRequest):
    """A steal card, under an idempotency key."""


class WildData(Keyed, serializers.WildRequest):
    """A wild card, under an idempotency key."""


class CopyData(Keyed, serializers.CopyRequest):
    """A copy card, under an idempotency key."""


def gift(caller: Caller, data: dict[str, Any]) -> answers.TradeReceipt:
    return _propose(Trade.Type.GIFT, caller, data)


def ask(caller: Caller, data: dict[str, Any]) -> answers.TradeReceipt:
    return _propose(Trade.Type.REQUEST, caller, data)


def swap(caller: Caller, data: dict[str, Any]) -> answers.TradeReceipt:
    return _propose(Trade.Type.SWAP, caller, data)


def accept(caller: Caller, data: dict[str, Any]) -> answers.TradeReceipt:
    asked = _settled(caller, "trade-acceptance", data)
    return trades.accept(asked=asked, trade_id=data["trade"], by=caller.player, campaign=caller.campaign)


def decline(caller: Caller, data: dict[str, Any]) -> answers.TradeReceipt:
    asked = _settled(caller, "trade-refusal", data)
    return trades.decline(asked=asked, trade_id=data["trade"], by=caller.player, campaign=caller.campaign)


def cancel(caller: Caller, data: dict[str, Any]) -> answers.TradeReceipt:
    asked = _settled(caller, "trade-cancellation", data)
    return trades.cancel(asked=asked, trade_id=data["trade"], by=caller.player, campaign=caller.campaign)


# Route and body are those of the REST request, so that either is a retry of the other.


def _propose(kind: Trade.Type, caller: Caller, data: dict[str, Any]) -> answers.TradeReceipt:
    told = _without_key(data) | {"type": kind.value}
    asked = _asked(caller, "trades", data, {"campaign": caller.campaign.slug, **told})
    return trades.propose(asked=asked, campaign=caller.campaign, proposer=caller.player, **serializers.proposed(told))


def _settled(caller: Caller, route: str, data: dict[str, Any]) -> keys.Request:
    return _asked(caller, route, data, {"trade": data["trade"]})


def steal(caller: Caller, data: dict[str, Any]) -> answers.PlayReceipt:
    asked = _played(caller, "steals", data)
    return steals.steal(
        asked=asked, campaign=caller.campaign, by=caller.player, victim=data["from"], kind=data.get("kind")
    )


def wild(caller: Caller, data: dict[str, Any]) -> answers.PlayReceipt:
    asked = _played(caller, "wilds", data)
    return wilds.turn(asked=asked, campaign=caller.campaign, by=caller.player, kind=data["kind"])


def copy(caller: Caller, data: dict[str, Any]) -> answers.PlayReceipt:
    asked = _played(caller, "copies", data)
    return copies.copy(asked=asked, campaign=caller.campaign, by=caller.player, friend=data["from"], kind=data["kind"])


def _played(caller: Caller, route: str, data: dict[str, Any]) -> keys.Request:
    return _asked(caller, route, data, {"campaign": caller.campaign.slug, **_without_key(data)})


def _asked(caller: Caller, route: str, data: dict[str, Any], body: dict[str, Any]) -> keys.Request:
    return keys.request(player_id=caller.player.pk, route=route, key=data["key"], body=body)


def _without_key(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "key"}


COMMANDS = {
    "trade.gift": Command(GiftData, gift),
    "trade.request": Command(AskData, ask),
    "trade.swap": Command(SwapData, swap),
    "trade.accept": Command(TradeData, accept),
    "trade.decline": Command(TradeData, decline),
    "trade.cancel": Command(TradeData, cancel),
    "steal": Command(StealData, steal),
    "wild": Command(WildData, wild),
    "copy": Command(CopyData, copy),
}
