"""The live share: what is counted, when, and what is told of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts import tokens
from accounts.models import Player
from cards import hands
from fortunes import clock as database_clock
from fortunes import sql
from fortunes.answers import instant
from fortunes.models import Campaign, DatabaseNow, Exclusion
from redpackets.actions import shares, showing
from redpackets.models import LiveShare, Settlement
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed


@pytest.fixture
def run() -> Settlement:
    """Of a live campaign with a pool of 1,000 yuan."""
    return make.SettlementFactory.create()


@pytest.fixture
def campaign(run: Settlement) -> Campaign:
    return run.pool.campaign


def count(campaign: Campaign) -> tuple[int | None, int | None]:
    """The figures of a count made now, as players are told them."""
    LiveShare.objects.filter(pk=campaign.pk).update(due_at=DatabaseNow())
    shares.count_due()
    told = showing.share(campaign_id=campaign.pk)
    assert told.counted_at
    return told.complete, told.each_fen


def winners(campaign: Campaign, number: int) -> list[Player]:
    players = PlayerFactory.create_batch(number)
    make.complete(campaign, players)
    return players


def get(campaign: Campaign, **headers: str) -> Any:
    token = tokens.issue(PlayerFactory.create()).token
    return Client().get(
        f"/api/v1/campaigns/{campaign.slug}/share", headers={"Authorization": f"Bearer {token}", **headers}
    )


class TestCounting:
    def test_nobody(self, campaign: Campaign) -> None:
        make.lose(campaign, PlayerFactory.create_batch(2))
        assert count(campaign) == (0, None)

    def test_some(self, campaign: Campaign) -> None:
        make.lose(campaign, PlayerFactory.create_batch(2))
        winners(campaign, 3)
        # 100,000 / 3, rounded down.
        assert count(campaign) == (3, 33_333)

    def test_more_winners_than_fen(self) -> None:
        campaign = make.SettlementFactory.create(pool=make.PoolFactory.create(amount_fen=2)).pool.campaign
        winners(campaign, 3)
        assert count(campaign) == (3, 0)

    def test_a_card_in_escrow_counts_for_its_giver(self, campaign: Campaign) -> None:
        (giver,) = winners(campaign, 1)
        # The gifts of today are done at once; what waits for an answer lies in escrow.
        moved = "UPDATE cards_hand SET escrow = counts, counts = escrow WHERE player_id = %(player)s"
        assert sql.execute(moved, {"player": giver.pk}) == 1
        assert count(campaign) == (1, 100_000)
        assert sql.execute(moved, {"player": giver.pk}) == 1

    def test_who_is_excluded_does_not_count(self, campaign: Campaign) -> None:
        cheat, *_ = winners(campaign, 3)
        Exclusion.objects.create(campaign=campaign, player=cheat, reason="farm")
        assert count(campaign) == (2, 50_000)

    def test_it_is_what_the_settlement_will_count(self, campaign: Campaign, run: Settlement, clock: Clock) -> None:
        cheat, *_ = winners(campaign, 4)
        Exclusion.objects.create(campaign=campaign, player=cheat, reason="farm")
        make.lose(campaign, PlayerFactory.create_batch(2))
        live = count(campaign)
        make.close(clock, run)
        settled = make.split(run)
        assert live == (settled.winners, min(make.payouts(settled).values())) == (3, 33_333)

    @pytest.mark.parametrize(("split", "each_fen"), [("random", 20_000), ("tiered", 19_994), ("return", 20_000)])
    def test_an_average_or_what_is_left_without_jackpots(self, split: str, each_fen: int, clock: Clock) -> None:
        run = make.SettlementFactory.create(pool__split=make.SPLITS[split])
        winners(run.pool.campaign, 5)
        assert count(run.pool.campaign) == (5, each_fen)
        make.close(clock, run)
        make.split(run)
        told = showing.share(campaign_id=run.pool.campaign_id)
        assert (told.complete, told.each_fen) == (5, each_fen)

    def test_ranges_add_up(self, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
        make.lose(campaign, PlayerFactory.create_batch(2))
        winners(campaign, 5)
        for hands_a_range in (1, 2, 3, 7, 8):
            monkeypatch.setattr(shares, "RANGE_HANDS", hands_a_range)
            assert count(campaign) == (5, 20_000)


class TestWhen:
    def test_not_again_before_it_is_due(self, campaign: Campaign, clock: Clock) -> None:
        count(campaign)
        winners(campaign, 1)
        shares.count_due()
        assert showing.share(campaign_id=campaign.pk).complete == 0
        clock.shift(timedelta(seconds=shares.PACE_S + 1))
        shares.count_due()
        assert showing.share(campaign_id=campaign.pk).complete == 1

    def test_a_clock_that_goes_back_holds_up_no_count(self, campaign: Campaign, clock: Clock) -> None:
        clock.shift(timedelta(minutes=30))
        count(campaign)
        clock.shift(timedelta(minutes=-30))
        winners(campaign, 1)
        shares.count_due()
        assert showing.share(campaign_id=campaign.pk).complete == 1

    def test_a_long_count_rests_long(self) -> None:
        assert shares._rest(0.01) == timedelta(seconds=10)
        assert shares._rest(6.0) == timedelta(minutes=2)

    def test_only_while_it_is_live(self, run: Settlement, campaign: Campaign, clock: Clock) -> None:
        draft = make.PoolFactory.create().campaign
        make.close(clock, run)
        shares.count_due()
        assert not LiveShare.objects.filter(campaign__in=(draft, campaign)).exists()

    def test_a_count_that_takes_too_long_is_put_off(
        self, campaign: Campaign, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        count(campaign)
        slow = sql.text("redpackets", "count_range") + ", (SELECT pg_sleep(1)) AS nap"
        monkeypatch.setattr(shares, "PATIENCE", "50ms")
        monkeypatch.setattr(sql, "text", lambda app, name: slow)
        LiveShare.objects.filter(pk=campaign.pk).update(due_at=DatabaseNow())
        assert shares.count_due() == 0
        monkeypatch.undo()
        assert "was not counted" in caplog.text
        soon = database_clock.now() + timedelta(seconds=5)
        assert not LiveShare.objects.filter(pk=campaign.pk, due_at__lte=soon).exists()
        assert showing.share(campaign_id=campaign.pk).complete == 0


class TestAnswers:
    def test_before_the_first_count(self, campaign: Campaign) -> None:
        answer = get(campaign).json()
        assert answer["server_time"]
        assert (answer["complete"], answer["each_fen"], answer["counted_at"]) == (None, None, None)

    def test_it_may_be_kept_for_some_seconds(self, campaign: Campaign) -> None:
        winners(campaign, 2)
        count(campaign)
        answer = get(campaign)
        assert (answer.json()["complete"], answer.json()["each_fen"]) == (2, 50_000)
        assert answer.headers["Cache-Control"] == "private, max-age=5"
        assert get(campaign, **{"If-None-Match": answer.headers["ETag"]}).status_code == 304
        winners(campaign, 1)
        count(campaign)
        assert get(campaign, **{"If-None-Match": answer.headers["ETag"]}).json()["complete"] == 3

    def test_after_the_freeze_it_is_the_settlements(self, campaign: Campaign, run: Settlement, clock: Clock) -> None:
        winners(campaign, 1)
        count(campaign)
        winners(campaign, 2)
        make.close(clock, run)
        assert get(campaign).json()["complete"] == 1
        settled = make.split(run)
        answer = get(campaign).json()
        assert (answer["complete"], answer["each_fen"]) == (3, 33_333)
        assert answer["counted_at"] == frozen_at(settled)

    def test_for_the_signed_in(self, campaign: Campaign) -> None:
        assert Client().get(f"/api/v1/campaigns/{campaign.slug}/share").status_code == 401

    def test_no_request_counts(self, campaign: Campaign, django_assert_max_num_queries: Any) -> None:
        winners(campaign, 1)
        count(campaign)
        with django_assert_max_num_queries(3):
            showing.share(campaign_id=campaign.pk)


def frozen_at(run: Settlement) -> str:
    assert run.frozen_at
    return instant(run.frozen_at)


def test_ranges_are_read_from_the_index(campaign: Campaign) -> None:
    """Not one call of the function a hand, and no look at other campaigns' hands."""
    hands.ensure(campaign_id=campaign.pk, players=[player.pk for player in PlayerFactory.create_batch(3)])
    params: dict[str, Any] = {
        "campaign": campaign.pk,
        "after": 0,
        "hands": 50_000,
        "kinds": [0],
        "wild": 1,
        "at": database_clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql.text('redpackets', 'count_range')}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "redpackets_winners" not in plan
    assert "Seq Scan on cards_hand" not in plan
