"""Draws by minute and in all, as a worker counts them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Player
from cards import drawlog
from cards.actions import counts
from cards.models import Draw, DrawCount
from fortunes import clock as database_clock
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

RARE = {
    "weights": {"patriotism": 1, "prosperity": 1, "harmony": 1, "friendliness": 1, "dedication": 1_000_000},
    "caps": {"dedication": {"units": 20, "tranches": 2}},
    "quotas": make.PLENTY,
}


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create(rulebook=RARE)


def counted(season: Campaign) -> int:
    return sum(count.draws for count in counts.totals(campaign=season))


def test_each_draw_is_counted_once(season: Campaign, alice: Player, clock: Clock) -> None:
    first = database_clock.now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    clock.move_to(first + timedelta(seconds=1))
    for _ in range(3):
        make.redeem(season, alice)
    make.check_in(season, alice)
    counts.count_due()
    counts.count_due()
    make.redeem(season, alice)
    clock.move_to(first + timedelta(seconds=61))
    make.redeem(season, alice)
    counts.count_due()

    until = first + timedelta(minutes=5)
    minutes = counts.series(campaign=season, since=first, until=until)
    assert [(count.minute, count.source, count.kind, count.draws) for count in minutes] == [
        (first, "code", "dedication", 4),
        (first, "check-in", "dedication", 1),
        (first + timedelta(minutes=1), "code", "dedication", 1),
    ]
    assert counts.series(campaign=season, since=first + timedelta(minutes=1), until=until) == minutes[2:]
    totals = [(count.source, count.kind, count.draws) for count in counts.totals(campaign=season)]
    assert totals == [("code", "dedication", 5), ("check-in", "dedication", 1)]


def test_draws_after_the_clock_went_back_are_counted_too(season: Campaign, alice: Player, clock: Clock) -> None:
    clock.shift(timedelta(minutes=1))
    make.redeem(season, alice)
    counts.count_due()
    clock.shift(timedelta(seconds=-30))
    make.redeem(season, alice)
    counts.count_due()

    assert counted(season) == 2


def test_a_long_log_is_read_in_spans(season: Campaign, alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawlog, "CHUNK", 3)
    for _ in range(10):
        make.redeem(season, alice)
    counts.count_due()

    assert counted(season) == Draw.objects.filter(campaign=season).count() == 10


def test_the_stock_by_kind(season: Campaign, alice: Player) -> None:
    for _ in range(4):
        make.redeem(season, alice)
    counts.count_due()
    (level,) = counts.stock(campaign=season)

    assert (level.kind, level.units, level.released, level.left, level.next_units) == ("dedication", 20, 10, 6, 10)
    assert level.next_at == season.opens_at + (season.closes_at - season.opens_at) / 2
    assert counts.counted_at() is not None


def test_reading_costs_a_query_each(
    season: Campaign, alice: Player, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    make.redeem(season, alice)
    counts.count_due()
    now = database_clock.now()
    with django_assert_num_queries(4):  # type: ignore[operator]
        counts.totals(campaign=season)
        counts.series(campaign=season, since=now - timedelta(hours=2), until=now)
        counts.stock(campaign=season)
    assert DrawCount.objects.filter(campaign=season).count() == 1
