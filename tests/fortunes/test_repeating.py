"""What may be done again without harm, and what goes on until nothing is left."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from fortunes import errors, keys
from fortunes.actions import campaigns, feeds, housekeeping
from fortunes.models import Broadcast, Campaign, IdempotencyKey
from tests.factories import cards as make
from tests.factories import redpackets
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed


def test_old_keys_are_forgotten_batch_by_batch(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    player = PlayerFactory.create()
    for number in range(5):
        with transaction.atomic():
            keys.claim(keys.request(player_id=player.pk, route="r", key=str(number), body={}), dict)
    clock.shift(timedelta(days=3))
    assert housekeeping.forget_old_keys() >= 5
    assert not IdempotencyKey.objects.filter(player=player).exists()


def test_a_season_whose_deadline_has_passed_is_not_opened(clock: Clock) -> None:
    season = make.DraftSeasonFactory.create()
    clock.move_to(season.closes_at)
    with transaction.atomic(), pytest.raises(errors.OpeningChecksFailed):
        campaigns.mark_opened(campaign_id=season.pk, by=None)
    assert Campaign.objects.get(pk=season.pk).opened_at is None


def test_the_seal_is_announced_once(clock: Clock) -> None:
    run = redpackets.SettlementFactory.create(winners=1)
    redpackets.close(clock, run)
    campaign = redpackets.split(run).pool.campaign
    with transaction.atomic():
        campaigns.mark_settled(campaign_id=campaign.pk, winners=1)
    assert Broadcast.objects.filter(campaign=campaign, type="campaign.settled").count() == 1


def test_the_history_of_the_feeds_has_one_name() -> None:
    assert feeds.epoch() == feeds.epoch() != ""
