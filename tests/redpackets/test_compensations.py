"""Compensations: set aside by the sponsor, paid to players once for each case, and all of it on record."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from accounts.models import Player
from cards.errors import PlayerNotCompensated
from fortunes.errors import CampaignNotFound
from fortunes.models import AuditEntry, Campaign, Event
from redpackets import errors
from redpackets.actions import compensations, showing
from redpackets.actions.compensations import Paid, Reason
from redpackets.models import CompensationFund, LedgerEntry, Wallet
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import SeasonFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk() -> Player:
    return PlayerFactory.create(is_staff=True)


@pytest.fixture
def campaign(clerk: Player) -> Campaign:
    """A campaign that has set 100 fen aside."""
    campaign = SeasonFactory.create()
    set_aside(campaign, 100, clerk)
    return campaign


def set_aside(campaign: Campaign, amount_fen: int, clerk: Player, key: str | None = None) -> bool:
    key = key or f"bank:{secrets.token_hex(6)}"
    return compensations.fund(campaign_id=campaign.pk, amount_fen=amount_fen, business_key=key, by=clerk.pk)


def pay(campaign: Campaign, player: Player, clerk: Player, **given: Any) -> Paid:
    asked: dict[str, Any] = {"amount_fen": 60, "reason": Reason.OUTAGE, "case": "T-1"} | given
    return compensations.pay(campaign_id=campaign.pk, player_id=player.pk, by=clerk.pk, **asked)


def left(campaign: Campaign) -> int:
    fund = CompensationFund.objects.get(campaign=campaign)
    return fund.funded_fen - fund.paid_fen


def balance(player: Player) -> int:
    return showing.wallet(player_id=player.pk).balance_fen


def test_money_goes_from_the_fund_to_the_wallet(campaign: Campaign, clerk: Player) -> None:
    player = PlayerFactory.create()
    assert pay(campaign, player, clerk) == Paid(60, paid=True)
    assert (left(campaign), balance(player)) == (40, 60)
    entry = LedgerEntry.objects.get(business_key=f"compensation:{player.pk}:T-1")
    assert (entry.source_kind, entry.source_owner) == ("goodwill", campaign.pk)
    (told,) = showing.describe_entries([entry], player_id=player.pk)
    assert (told.source, told.campaign, told.amount_fen) == ("goodwill", campaign.slug, 60)


def test_the_player_is_told(campaign: Campaign, clerk: Player) -> None:
    player = PlayerFactory.create()
    pay(campaign, player, clerk)
    event = Event.objects.get(player=player, type="compensation.paid")
    assert event.data == {"campaign": campaign.slug, "amount_fen": 60, "reason": "outage"}


def test_both_are_on_record(campaign: Campaign, clerk: Player) -> None:
    player = PlayerFactory.create()
    pay(campaign, player, clerk)
    funded, paid = AuditEntry.objects.filter(actor=clerk).order_by("seq")
    assert (funded.action, funded.subject_id, funded.data) == (
        "compensations.funded", campaign.pk, {"amount_fen": 100},
    )  # fmt: skip
    assert (paid.action, paid.subject, paid.subject_id) == ("compensation.paid", "accounts.player", player.pk)
    assert paid.data == {"campaign": campaign.pk, "amount_fen": 60, "reason": "outage", "case": "T-1"}


def test_a_case_is_paid_once_whoever_presses(campaign: Campaign, clerk: Player) -> None:
    player, colleague = PlayerFactory.create(), PlayerFactory.create(is_staff=True)
    pay(campaign, player, clerk)
    assert pay(campaign, player, clerk) == Paid(60, paid=False)
    assert pay(campaign, player, colleague, reason=Reason.GOODWILL) == Paid(60, paid=False)
    assert pay(campaign, player, colleague, case="t-1") == Paid(60, paid=False)
    assert (left(campaign), balance(player)) == (40, 60)
    assert AuditEntry.objects.filter(action="compensation.paid", subject_id=player.pk).count() == 1
    assert Event.objects.filter(player=player).count() == 1


def test_a_case_is_not_paid_again_with_another_amount(campaign: Campaign, clerk: Player) -> None:
    player = PlayerFactory.create()
    pay(campaign, player, clerk)
    with pytest.raises(errors.CaseAlreadyCompensated):
        pay(campaign, player, clerk, amount_fen=10)
    assert pay(campaign, player, clerk, amount_fen=10, case="T-2").paid
    assert pay(campaign, PlayerFactory.create(), clerk, amount_fen=10).paid


def test_never_more_than_was_set_aside(campaign: Campaign, clerk: Player) -> None:
    player = PlayerFactory.create()
    pay(campaign, player, clerk)
    with pytest.raises(errors.CompensationFundEmpty):
        pay(campaign, player, clerk, case="T-2", amount_fen=41)
    assert pay(campaign, player, clerk, case="T-2", amount_fen=40).paid
    assert left(campaign) == 0
    set_aside(campaign, 5, clerk)
    assert left(campaign) == 5


def test_nothing_is_paid_where_nothing_was_set_aside(clerk: Player) -> None:
    player = PlayerFactory.create()
    with pytest.raises(errors.CompensationFundEmpty):
        pay(SeasonFactory.create(), player, clerk)
    assert not Wallet.objects.filter(player=player).exists()


@pytest.mark.parametrize("case", ["", "a b", "福", "x" * 33, "-1", "a:b", "a\0", "T-1\n"])
def test_a_case_is_a_number_and_no_story(campaign: Campaign, clerk: Player, case: str) -> None:
    with pytest.raises(errors.InvalidCase):
        pay(campaign, PlayerFactory.create(), clerk, case=case)


def test_amounts_have_bounds(campaign: Campaign, clerk: Player, settings: Any) -> None:
    settings.COMPENSATION_LIMIT_FEN = 50
    player = PlayerFactory.create()
    for amount_fen in (0, -1):
        with pytest.raises(errors.InvalidAmount):
            pay(campaign, player, clerk, amount_fen=amount_fen)
        with pytest.raises(errors.InvalidAmount):
            set_aside(campaign, amount_fen, clerk)
    with pytest.raises(errors.CompensationTooHigh):
        pay(campaign, player, clerk, amount_fen=51)
    assert pay(campaign, player, clerk, amount_fen=50).paid


def test_staff_and_nobody_are_not_compensated(campaign: Campaign, clerk: Player) -> None:
    before = AuditEntry.objects.count()
    plain = PlayerFactory.create()
    for player, by in ((clerk, clerk), (PlayerFactory.create(is_staff=True), clerk), (plain, plain)):
        with pytest.raises(PlayerNotCompensated):
            pay(campaign, player, by)
    with pytest.raises(PlayerNotCompensated):
        compensations.pay(
            campaign_id=campaign.pk, player_id=0, amount_fen=1, reason=Reason.OUTAGE, by=clerk.pk, case="T-1"
        )
    with pytest.raises(CampaignNotFound):
        compensations.pay(campaign_id=0, player_id=plain.pk, amount_fen=1, reason=Reason.OUTAGE, by=clerk.pk, case="1")
    assert AuditEntry.objects.count() == before


def test_funding_again_under_one_key_changes_nothing(campaign: Campaign, clerk: Player) -> None:
    assert set_aside(campaign, 5, clerk, "bank:1")
    assert not set_aside(campaign, 5, clerk, "bank:1")
    assert left(campaign) == 105
    with pytest.raises(errors.BusinessKeyReused):
        set_aside(campaign, 6, clerk, "bank:1")
    with pytest.raises(errors.BusinessKeyReused):
        set_aside(SeasonFactory.create(), 5, clerk, "bank:1")


@pytest.mark.parametrize("key", ["", "x" * 65, "compensation:1:2", "payout:1:2", "return:1"])
def test_funding_needs_a_key_of_its_own(campaign: Campaign, clerk: Player, key: str) -> None:
    with pytest.raises(errors.InvalidBusinessKey):
        compensations.fund(campaign_id=campaign.pk, amount_fen=1, business_key=key, by=clerk.pk)
    with pytest.raises(CampaignNotFound):
        compensations.fund(campaign_id=0, amount_fen=1, business_key="bank:2", by=clerk.pk)
