"""The daily check-in: one card a local day, whatever the clocks do."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from accounts.models import Player
from cards import days, errors
from cards.models import Draw, Source
from fortunes import clock as database_clock
from fortunes import errors as ground
from fortunes import invariants, sql
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


def season_in(tz: str, **fields: object) -> Campaign:
    return make.SeasonFactory.create(tz=tz, closes_at=database_clock.now() + timedelta(days=500), **fields)


@pytest.fixture
def season() -> Campaign:
    return season_in("Asia/Shanghai")


def next_at(season: Campaign, player: Player) -> str:
    """When the next check-in counts, by what one that is too early is told."""
    with pytest.raises(errors.AlreadyCheckedIn) as refused:
        make.check_in(season, player)
    at: str = refused.value.facts["next_at"]
    return at


def quotas_hold() -> bool:
    wanted = ("cards/quotas_counted", "cards/quotas_kept", "cards/nonces_are_natural")
    return not any(sql.fetch(known.query) for known in invariants.every() if known.name in wanted)


def test_a_check_in_is_a_card_of_its_own_source(season: Campaign, alice: Player) -> None:
    answer = make.check_in(season, alice)

    assert answer.hand.counts[answer.draw.kind] == 1
    assert (answer.quota.source, answer.quota.left_today, answer.quota.left) == ("check-in", 0, 29)
    row = Draw.objects.get(player=alice)
    assert bytes(row.nonce) == alice.pk.to_bytes(8) + int(
        f"{row.at.astimezone(days.ZoneInfo(season.tz)):%Y%m%d}"
    ).to_bytes(4)


def test_the_same_key_answers_again_and_another_is_refused(season: Campaign, alice: Player, clock: Clock) -> None:
    first = make.check_in(season, alice, key="k1")

    assert make.check_in(season, alice, key="k1") == first
    tomorrow = days.start(days.of(database_clock.now(), season.tz) + timedelta(days=1), season.tz)
    assert datetime.fromisoformat(next_at(season, alice)) == tomorrow
    clock.move_to(tomorrow)
    assert make.check_in(season, alice, key="k1") == first
    assert make.check_in(season, alice, key="k2").draw.id != first.draw.id


def test_a_key_of_a_scan_is_another_key(season: Campaign, alice: Player) -> None:
    make.redeem(season, alice, key="k1")

    assert make.check_in(season, alice, key="k1").quota.source == "check-in"


@pytest.mark.parametrize(
    ("tz", "moments"),
    [
        # A day of 23 hours: 05:00Z is midnight before, 04:00Z after.
        (
            "America/New_York",
            [("2027-03-14T04:59:59Z", "2027-03-14T05:00:00Z"), ("2027-03-14T05:00:00Z", "2027-03-15T04:00:00Z"),
             ("2027-03-15T04:00:00Z", "2027-03-16T04:00:00Z")],
        ),
        # A day of 25 hours, in which 01:30 comes twice.
        (
            "America/New_York",
            [("2027-11-07T03:59:59Z", "2027-11-07T04:00:00Z"), ("2027-11-07T05:30:00Z", "2027-11-08T05:00:00Z"),
             ("2027-11-08T05:00:00Z", "2027-11-09T05:00:00Z")],
        ),
        # The day begins at 01:00: midnight is skipped.
        (
            "America/Havana",
            [("2027-03-14T04:59:59Z", "2027-03-14T05:00:00Z"), ("2027-03-14T05:00:00Z", "2027-03-15T04:00:00Z")],
        ),
        # Midnight comes twice, and the day begins with the first.
        (
            "America/Havana",
            [("2027-11-07T03:59:59Z", "2027-11-07T04:00:00Z"), ("2027-11-07T04:00:00Z", "2027-11-08T05:00:00Z")],
        ),
    ],
)  # fmt: skip
def test_a_day_is_as_long_as_its_clocks_say(
    tz: str, moments: list[tuple[str, str]], alice: Player, clock: Clock
) -> None:
    season = season_in(tz)
    for begins, ends in moments:
        clock.move_to(datetime.fromisoformat(begins))
        make.check_in(season, alice)
        assert next_at(season, alice) == ends
        # A second before its end it is still the same day; the database's own rules of time agree.
        clock.move_to(datetime.fromisoformat(ends) - timedelta(seconds=1))
        assert next_at(season, alice) == ends
    assert Draw.objects.filter(player=alice).count() == len(moments)
    assert quotas_hold()


@pytest.mark.parametrize("repeated", ["2027-11-07T05:30:00Z", "2027-11-07T06:30:00Z"])
def test_the_hour_that_comes_twice_is_one_day(repeated: str, alice: Player, clock: Clock) -> None:
    season = season_in("America/New_York")
    clock.move_to(datetime.fromisoformat("2027-11-07T05:29:00Z"))
    make.check_in(season, alice)
    clock.move_to(datetime.fromisoformat(repeated))

    assert next_at(season, alice) == "2027-11-08T05:00:00Z"


def test_a_clock_that_goes_back_gives_no_second_day(alice: Player, clock: Clock) -> None:
    season = season_in("UTC")
    # Twice a day back it must still be after the opening, whatever the hour at which this runs.
    clock.move_to(database_clock.now().replace(hour=12) + timedelta(days=2))
    make.check_in(season, alice)
    clock.shift(timedelta(days=1))
    make.check_in(season, alice)
    today = days.of(database_clock.now(), "UTC")

    clock.shift(timedelta(days=-1))
    assert next_at(season, alice) == days.end(today, "UTC").isoformat().replace("+00:00", "Z")
    clock.shift(timedelta(days=-1))
    assert isinstance(make.redeem(season, alice), make.answers.Redemption)
    assert next_at(season, alice) == days.end(today, "UTC").isoformat().replace("+00:00", "Z")
    assert quotas_hold()


def test_a_process_whose_clock_is_a_day_off_learns_the_day(
    season: Campaign, alice: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = database_clock.now()
    monkeypatch.setattr(database_clock, "estimate", lambda: now - timedelta(days=1))

    assert make.check_in(season, alice).quota.left_today == 0
    assert quotas_hold()


def test_a_campaign_without_check_ins(season: Campaign, alice: Player) -> None:
    Source.objects.filter(campaign=season, type=Source.Type.CHECK_IN).delete()

    with pytest.raises(errors.SourceNotOffered):
        make.check_in(season, alice)


def test_a_campaign_whose_rules_allow_none(alice: Player) -> None:
    season = season_in("UTC", rulebook={"quotas": {"check-in": {"per_day": 0, "per_campaign": 5}}})

    with pytest.raises(errors.DailyLimitReached):
        make.check_in(season, alice)


def test_the_campaign_s_quota_and_its_deadline(alice: Player, clock: Clock) -> None:
    season = season_in("UTC", rulebook={"quotas": {"check-in": {"per_day": 1, "per_campaign": 1}}})
    make.check_in(season, alice)
    clock.shift(timedelta(days=1))
    with pytest.raises(errors.CampaignLimitReached):
        make.check_in(season, alice)

    clock.move_to(season.closes_at)
    with pytest.raises(ground.CampaignFrozen):
        make.check_in(season, alice)


def test_the_start_of_a_day_that_a_country_left_out() -> None:
    """Samoa went from the 29th to the 31st of December 2011."""
    assert days.start(date(2011, 12, 30), "Pacific/Apia") == days.start(date(2011, 12, 31), "Pacific/Apia")
