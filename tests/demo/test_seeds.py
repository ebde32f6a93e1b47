"""What `./dev up` puts into the database: it can be run at every start."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from accounts import friends, tokens
from accounts.models import Player
from cards import codes
from cards.actions import scans
from config.management.commands import seed_demo_season
from fortunes import clock, keys
from fortunes.models import Campaign
from fortunes.phases import Phase
from redpackets.models import LedgerEntry, Pool
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _debugging(settings: Any) -> None:
    settings.DEBUG = True


def seed() -> str:
    said = StringIO()
    call_command("seed_demo_season", "--base-url", "http://127.0.0.1:8123", stdout=said)
    return said.getvalue()


def test_a_live_funded_season_and_friends_to_play_it_with() -> None:
    seed()
    campaign = Campaign.objects.get(slug="five-fortunes-demo")
    assert campaign.phase(clock.now()) == Phase.LIVE
    assert campaign.closes_at - clock.now() > timedelta(days=6)
    pool = Pool.objects.get(campaign=campaign)
    assert LedgerEntry.objects.get(destination_kind="pool", destination_owner=pool.pk).amount_fen == pool.amount_fen
    cast = [Player.objects.get(username=name) for name in seed_demo_season.CAST]
    for player in cast:
        assert player.check_password(seed_demo_season.PASSWORD) and not player.is_staff
        assert friends.of(player.pk) == [other.pk for other in cast if other != player]


def test_what_it_prints_works() -> None:
    said = seed()
    campaign = Campaign.objects.get(slug="five-fortunes-demo")
    alice = tokens.player_of(re.findall(r"^ALICE=(\S+)$", said, re.MULTILINE)[0])
    assert alice.public_id == Player.objects.get(username="alice").public_id
    printed = re.findall(r"^code \d +(\S+)$", said, re.MULTILINE)
    assert len({codes.decode(code, keys=django_settings.SCAN_CODE_KEYS) for code in printed}) == 3
    asked = keys.request(player_id=alice.player_id, route="scans", key="first", body={})
    (outcome,) = scans.redeem(campaign=campaign, scans=[scans.Scan(asked, printed[0])])
    assert isinstance(outcome, scans.answers.Redemption)
    assert f"curl -s http://127.0.0.1:8123/api/v1/campaigns/{campaign.slug}/scans" in said
    password = re.findall(r"^admin +admin +password (\S+)$", said, re.MULTILINE)[0]
    admin = Player.objects.get(username="admin")
    assert admin.is_superuser and admin.check_password(password)


def test_a_season_for_those_who_want_to_see_its_end() -> None:
    said = StringIO()
    call_command("seed_demo_season", "--minutes", "3", stdout=said)
    slug = re.findall(r"^season +(\S+),", said.getvalue(), re.MULTILINE)[0]
    quick = Campaign.objects.get(slug=slug)
    assert quick.phase(clock.now()) == Phase.LIVE
    assert timedelta(minutes=2) < quick.closes_at - clock.now() <= timedelta(minutes=3)
    assert f"/?campaign={slug}" in said.getvalue()
    # It is not taken for the season of every day.
    seed()
    assert Campaign.objects.filter(slug="five-fortunes-demo").exists()


def test_a_second_start_changes_nothing_but_the_codes() -> None:
    def rows() -> list[int]:
        return [model.objects.count() for model in (Player, Campaign, Pool, LedgerEntry)]

    first, before = seed(), rows()
    second = seed()
    assert rows() == before
    first_codes, second_codes = (set(re.findall(r"^code \d +(\S+)$", said, re.MULTILINE)) for said in (first, second))
    assert not first_codes & second_codes


def test_a_changed_admin_password_stays() -> None:
    seed()
    admin = Player.objects.get(username="admin")
    admin.set_password("my own now")
    admin.save(update_fields=["password"])
    assert "admin     admin   password (changed)" in seed()


def test_a_half_made_season_is_finished() -> None:
    """As if the last start had been interrupted between the preset and the opening."""
    seed_demo_season._new_season(clock.now(), taken=set())
    seed()
    assert Campaign.objects.get(slug="five-fortunes-demo").opened_at


def test_when_the_season_is_over_there_is_a_new_one(clock: Clock) -> None:
    seed()
    clock.shift(timedelta(days=8))
    seed()
    seed()
    old, new = Campaign.objects.filter(slug__startswith="five-fortunes-demo").order_by("pk")
    assert new.slug == "five-fortunes-demo-2"
    assert old.closes_at < clock.now() < new.closes_at


def test_not_without_debug(settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DJANGO_DEBUG"):
        seed()
    assert not Player.objects.exists()


def test_reference_rows_are_made_once_and_given_back() -> None:
    for _ in range(2):
        call_command("ensure_reference_rows", stdout=StringIO())
    group = Group.objects.get(name="Operations")
    granted = set(group.permissions.values_list("content_type__app_label", "codename"))
    assert ("redpackets", "view_ledgerentry") in granted and ("fortunes", "change_campaign") in granted
    assert not any(name.startswith("delete_") for _, name in granted)
    group.permissions.clear()
    call_command("ensure_reference_rows", stdout=StringIO())
    assert set(group.permissions.values_list("content_type__app_label", "codename")) == granted
