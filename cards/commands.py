"""What players ask of the cards over a socket; each command is the same act as a REST request, down to its key."""

from __future__ import annotations

from typing import Any

from rest_framework.serializers import CharField

from cards import answers, serializers
from cards.actions import trades
from cards.models import Trade
from fortunes import keys
from fortunes.commands import Caller, Command


class GiftData(serializers.TradeRequest):
    """Cards to a friend, one slug a card, under an idempotency key."""

    type = None  # type: ignore[assignment]
    key = CharField(default="", allow_blank=True, trim_whitespace=False)


def gift(caller: Caller, data: dict[str, Any]) -> answers.GiftAnswer:
    # The route and the body of the REST request, so that either is a retry of the other.
    body = {"campaign": caller.campaign.slug, "type": Trade.Type.GIFT.value, "to": data["to"], "gives": data["gives"]}
    asked = keys.request(player_id=caller.player.pk, route="trades", key=data["key"], body=body)
    return trades.gift(asked=asked, campaign=caller.campaign, giver=caller.player, to=data["to"], gives=data["gives"])


COMMANDS = {"trade.gift": Command(GiftData, gift)}
