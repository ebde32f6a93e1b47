"""Redeeming codes, one connection."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from accounts.models import Player
from cards import catalogue, codes, draws, errors
from cards.actions import scans
from cards.answers import Redemption
from cards.models import Draw, Hand, Stock
from fortunes import clock as database_clock
from fortunes import errors as ground
from fortunes import rulebooks, secretkeys
from fortunes.actions import campaigns
from fortunes.models import Campaign, Membership, Rulebook
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create(rulebook={"quotas": {"code": {"per_day": 2, "per_campaign": 3}}})


def drawn(outcome: scans.Outcome) -> Redemption:
    assert isinstance(outcome, Redemption), outcome
    return outcome


def test_a_scan_answers_the_card_the_hand_and_what_is_left(season: Campaign, alice: Player) -> None:
    answer = drawn(make.redeem(season, alice))

    assert answer.hand.counts[answer.draw.kind] == 1
    assert sum(answer.hand.counts.values()) == 1
    assert (answer.quota.left_today, answer.quota.left) == (1, 2)
    assert answer.complete is False
    assert Membership.objects.filter(player=alice, campaign=season).count() == 1


def test_the_card_is_what_the_roll_says(season: Campaign, alice: Player) -> None:
    make.redeem(season, alice)

    row = Draw.objects.get(player=alice)
    key = draws.scan_key(campaign_id=season.pk, source=row.source, nonce=bytes(row.nonce))
    odds = catalogue.of(season.pk).odds(rulebooks.version(season.pk, 1))
    wish, _ = draws.outcome(odds, draws.roll(campaigns.draw_secret(season), key, alice.pk))
    assert row.wish == wish
    assert bytes(season.draw_commitment) == secretkeys.commitment(campaigns.draw_secret(season))


def test_the_same_key_and_code_answer_again_what_they_answered(season: Campaign, alice: Player) -> None:
    text = make.code(season)
    first = make.redeem(season, alice, text=text, key="k1")
    make.redeem(season, alice)

    assert make.redeem(season, alice, text=text, key="k1") == first
    assert Draw.objects.filter(player=alice).count() == 2


def test_a_retry_after_the_deadline_still_gets_its_answer(season: Campaign, alice: Player, clock: Clock) -> None:
    text = make.code(season, valid_for=timedelta(minutes=1))
    first = make.redeem(season, alice, text=text, key="k1")
    clock.shift(timedelta(days=30))

    assert make.redeem(season, alice, text=text, key="k1") == first
    assert isinstance(make.redeem(season, alice, text=text, key="k2"), ground.CampaignFrozen)


def test_the_same_key_with_another_code_is_refused(season: Campaign, alice: Player) -> None:
    make.redeem(season, alice, key="k1")

    assert isinstance(make.redeem(season, alice, key="k1"), ground.IdempotencyKeyReused)


def test_a_used_code_is_refused_to_everybody(season: Campaign, alice: Player) -> None:
    text = make.code(season)
    make.redeem(season, alice, text=text)

    assert isinstance(make.redeem(season, alice, text=text), errors.CodeUsed)
    assert isinstance(make.redeem(season, PlayerFactory.create(), text=text), errors.CodeUsed)


def test_an_expired_code_is_refused(season: Campaign, alice: Player, clock: Clock) -> None:
    text = make.code(season, valid_for=timedelta(minutes=5))
    clock.shift(timedelta(minutes=5))

    assert isinstance(make.redeem(season, alice, text=text), errors.CodeExpired)


def test_a_forged_code_is_refused(season: Campaign, alice: Player) -> None:
    fresh = codes.fresh(campaign_id=season.pk, source=0, batch=1, expires_at=database_clock.now() + timedelta(days=1))
    (key_id, _) = secretkeys.current(settings.SCAN_CODE_KEYS)

    forged = codes.encode(fresh, key_id=key_id, key=b"\0" * 32)
    unknown = codes.encode(fresh, key_id="nobody", key=b"\0" * 32)
    for text in (forged, unknown, "HELLO", "", "A" * 200, forged.lower(), forged + "=", "é"):
        assert isinstance(make.redeem(season, alice, text=text or " "), errors.CodeInvalid)


def test_a_code_of_a_source_that_does_not_exist_is_refused(season: Campaign, alice: Player) -> None:
    assert isinstance(make.redeem(season, alice, text=make.code(season, source=7)), errors.CodeInvalid)


def test_a_code_of_another_campaign_is_refused(season: Campaign, alice: Player) -> None:
    assert isinstance(make.redeem(season, alice, text=make.code(make.SeasonFactory.create())), errors.CodeForeign)


def test_nobody_scans_before_the_opening(alice: Player) -> None:
    soon = make.SeasonFactory.create(opens_at=database_clock.now() + timedelta(hours=1))

    assert isinstance(make.redeem(soon, alice), ground.CampaignNotLive)
    assert not Draw.objects.filter(player=alice).exists()


def test_the_daily_quota_is_exact_and_begins_anew_at_midnight(season: Campaign, alice: Player, clock: Clock) -> None:
    drawn(make.redeem(season, alice))
    drawn(make.redeem(season, alice))
    assert isinstance(make.redeem(season, alice), errors.DailyLimitReached)

    clock.shift(timedelta(days=1))
    third = drawn(make.redeem(season, alice))
    assert (third.quota.left_today, third.quota.left) == (1, 0)
    assert isinstance(make.redeem(season, alice), errors.CampaignLimitReached)


def test_a_quota_day_is_a_day_of_the_campaign_s_time_zone(alice: Player, clock: Clock) -> None:
    # 15:59:30 UTC is 30 s before midnight in Shanghai.
    now = database_clock.now()
    before = now.replace(hour=15, minute=59, second=30, microsecond=0) + timedelta(days=1)
    season = make.SeasonFactory.create(rulebook={"quotas": {"code": {"per_day": 1, "per_campaign": 9}}})
    clock.move_to(before)
    drawn(make.redeem(season, alice))
    assert isinstance(make.redeem(season, alice), errors.DailyLimitReached)

    clock.shift(timedelta(seconds=40))
    drawn(make.redeem(season, alice))


def test_one_batch_answers_each_scan_for_itself(season: Campaign, alice: Player) -> None:
    bob, text = PlayerFactory.create(), make.code(season)
    items = [
        make.scan(season, alice, text=text),
        make.scan(season, bob, text=text),
        make.scan(season, alice),
        make.scan(season, alice),
        make.scan(season, bob, text="HELLO"),
        make.scan(season, bob),
    ]
    outcomes = scans.redeem(campaign=season, scans=items)

    kinds = [type(outcome) for outcome in outcomes]
    assert kinds[0:2] in ([Redemption, errors.CodeUsed], [errors.CodeUsed, Redemption])
    assert kinds[2:] == [Redemption, errors.DailyLimitReached, errors.CodeInvalid, Redemption]


def test_a_new_rulebook_version_is_noticed_by_a_process_that_knew_the_old_one(season: Campaign, alice: Player) -> None:
    make.redeem(season, alice)
    raised = rulebooks.in_force(season.pk).rules | {"quotas": {"code": {"per_day": 5, "per_campaign": 9}}}
    Rulebook.objects.create(campaign=season, version=2, rules=raised, reason=Rulebook.Reason.STAFF)

    answer = drawn(make.redeem(season, alice))
    assert (answer.draw.rulebook_version, answer.quota.per_day, answer.quota.left_today) == (2, 5, 3)


def test_an_exhausted_kind_yields_the_alternative(alice: Player) -> None:
    season = make.SeasonFactory.create(
        rulebook={
            "weights": {"patriotism": 1, "prosperity": 1, "harmony": 1, "friendliness": 1, "dedication": 1_000_000},
            "caps": {"dedication": {"units": 2, "tranches": 1}},
            "quotas": make.PLENTY,
        }
    )
    kinds = [drawn(make.redeem(season, alice)).draw for _ in range(12)]

    rare = [draw for draw in kinds if draw.kind == "dedication"]
    assert [draw.serial for draw in rare] == [1, 2]
    assert not Stock.objects.filter(campaign=season).exists()
    assert Hand.objects.get(player=alice).counts[4] == 2


def test_units_are_released_at_their_pace(alice: Player, clock: Clock) -> None:
    season = make.SeasonFactory.create(
        opens_at=database_clock.now() - timedelta(seconds=1),
        rulebook={"caps": {"dedication": {"units": 14, "tranches": 14}}},
    )
    assert Stock.objects.filter(campaign=season).count() == 1

    clock.shift(timedelta(days=3))
    make.stock.release_due()
    assert Stock.objects.filter(campaign=season).count() == 4
