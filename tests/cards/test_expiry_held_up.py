"""A worker that closes trades while somebody sits on a lock that it needs. Committed."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.db import OperationalError

from cards.actions import trades
from cards.models import Hand, Trade
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed


def test_one_campaign_that_can_not_be_closed_holds_up_no_other(
    owner_connection: psycopg.Connection, clock: Clock
) -> None:
    alice, bob = PlayerFactory.create_batch(2)
    play.befriend(alice, bob)
    stuck, other = make.TradingSeasonFactory.create_batch(2)
    asked = {season.pk: play.request(season, alice, "harmony", to=[bob]).trade.id for season in (stuck, other)}
    clock.shift(timedelta(hours=24))

    def states() -> list[str]:
        return [Trade.objects.get(public_id=trade).state for trade in asked.values()]

    held = Hand.objects.get(campaign=stuck, player=alice).pk
    with owner_connection.transaction():
        owner_connection.execute("SELECT 1 FROM cards_hand WHERE id = %s FOR UPDATE", [held])
        with pytest.raises(OperationalError) as failed:
            trades.expire_due(budget_s=30)
        assert failed.value.__cause__.sqlstate == "55P03"
        assert states() == ["open", "expired"]
    trades.expire_due(budget_s=30)
    assert states() == ["expired", "expired"]
