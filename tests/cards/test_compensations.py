"""Extra draws from support."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.errors import PlayerNotFound
from accounts.models import Player
from cards import answers, errors
from cards.actions import compensations
from cards.models import Draw, SupportReason
from fortunes import clock as database_clock
from fortunes import errors as ground
from fortunes.models import AuditEntry, Campaign, Event
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create(rulebook={"quotas": {"support": {"per_day": 2, "per_campaign": 3}}})


@pytest.fixture
def staff() -> Player:
    return PlayerFactory.create(is_staff=True)


def grant(
    season: Campaign, player: Player, staff: Player, key: str, reason: SupportReason = SupportReason.FAULT
) -> answers.Redemption:
    return compensations.grant_draw(campaign_id=season.pk, player_id=player.pk, by=staff.pk, reason=reason, key=key)


def test_a_granted_draw_is_told_and_audited(season: Campaign, alice: Player, staff: Player) -> None:
    answer = grant(season, alice, staff, "ticket-1")

    event = Event.objects.get(player=alice, type="draw.granted")
    assert (event.data["draw"], event.data["reason"]) == (str(answer.draw.id), "fault")
    entry = AuditEntry.objects.get(subject="accounts.player", subject_id=alice.pk)
    assert (entry.actor_id, entry.action, entry.data["draw"]) == (staff.pk, "draw.granted", str(answer.draw.id))
    assert (answer.quota.source, answer.quota.left) == ("support", 2)


def test_the_same_key_grants_once(season: Campaign, alice: Player, staff: Player) -> None:
    first = grant(season, alice, staff, "ticket-1")

    assert grant(season, alice, staff, "ticket-1") == first
    with pytest.raises(ground.IdempotencyKeyReused):
        grant(season, alice, staff, "ticket-1", SupportReason.GOODWILL)
    assert Draw.objects.filter(player=alice).count() == 1
    assert Event.objects.filter(player=alice).count() == 1
    assert AuditEntry.objects.filter(subject_id=alice.pk, action="draw.granted").count() == 1


def test_one_key_for_two_players_is_two_draws(season: Campaign, alice: Player, staff: Player) -> None:
    bob = PlayerFactory.create()

    assert grant(season, alice, staff, "ticket-1").draw.id != grant(season, bob, staff, "ticket-1").draw.id


def test_staff_help_neither_themselves_nor_each_other(season: Campaign, alice: Player, staff: Player) -> None:
    for player, by in ((staff, staff), (PlayerFactory.create(is_staff=True), staff), (alice, alice)):
        with pytest.raises(errors.PlayerNotCompensated):
            grant(season, player, by, "ticket-1")
    assert not Draw.objects.filter(campaign=season).exists()


def test_support_has_a_quota_too(season: Campaign, alice: Player, staff: Player, clock: Clock) -> None:
    grant(season, alice, staff, "1")
    grant(season, alice, staff, "2")
    with pytest.raises(errors.DailyLimitReached):
        grant(season, alice, staff, "3")
    clock.shift(timedelta(days=1))
    grant(season, alice, staff, "3")
    with pytest.raises(errors.CampaignLimitReached):
        grant(season, alice, staff, "4")
    assert Event.objects.filter(player=alice).count() == 3


def test_a_long_key_of_any_words(season: Campaign, alice: Player, staff: Player) -> None:
    assert grant(season, alice, staff, "工单 " * 100).draw.id


def test_nobody_and_nowhere(season: Campaign, alice: Player, staff: Player, clock: Clock) -> None:
    with pytest.raises(PlayerNotFound):
        compensations.grant_draw(
            campaign_id=season.pk, player_id=2**40, by=staff.pk, reason=SupportReason.FAULT, key="k"
        )
    with pytest.raises(ground.CampaignNotFound):
        compensations.grant_draw(
            campaign_id=2**40, player_id=alice.pk, by=staff.pk, reason=SupportReason.FAULT, key="k"
        )
    soon = make.SeasonFactory.create(opens_at=database_clock.now() + timedelta(hours=1))
    with pytest.raises(ground.CampaignNotLive):
        grant(soon, alice, staff, "k")
    clock.move_to(season.closes_at)
    with pytest.raises(ground.CampaignFrozen):
        grant(season, alice, staff, "k")
    assert not AuditEntry.objects.filter(subject_id=alice.pk).exists()
