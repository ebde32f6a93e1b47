"""What the cards' views read from requests."""

from __future__ import annotations

from rest_framework import serializers

from cards import codes, trading
from cards.models import Trade
from fortunes.rest import StrictSerializer


class ScanRequest(StrictSerializer):
    """A scanned code as text."""

    code = serializers.CharField(max_length=codes.MAX_CHARACTERS)


class CheckInRequest(StrictSerializer):
    """Nothing: who and when are known."""


class TradeRequest(StrictSerializer):
    """A gift: cards to a friend, one slug a card."""

    type = serializers.ChoiceField(Trade.Type.choices)
    to = serializers.UUIDField()
    gives = serializers.ListField(
        child=serializers.SlugField(max_length=32), min_length=1, max_length=trading.MAX_CARDS
    )
