"""A player's page: found by what they know of themselves, shown with all that they have, helped once and on record."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from accounts import phones
from accounts.actions import bans
from accounts.models import Ban, Player
from cards.models import Draw
from fortunes.models import AuditEntry, Campaign, Event
from redpackets.actions import compensations, showing
from tests.admin.conftest import member_of_staff, signed_in
from tests.admin.test_live import MOST_QUERIES, own_queries
from tests.factories import redpackets as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.factories.cards import GiftFactory, SeasonFactory
from tests.plugins.clock import Clock

LOOK_UP = "/admin/accounts/player/look-up/"
LOOK = "accounts.support_player"


def page(player: Player, below: str = "") -> str:
    return f"/admin/accounts/player/{player.pk}/support/{below}"


def said(response: HttpResponse) -> str:
    return [str(message) for message in get_messages(response.wsgi_request)][-1]


def rows(client: Client, player: Player, slug: str) -> list[list[str]]:
    """The cells of a section of the page."""
    (section,) = (s for s in client.get(page(player)).context["sections"] if s["slug"] == slug)
    return [[str(cell["text"] if isinstance(cell, dict) else cell) for cell in row] for row in section["rows"]]


@pytest.fixture
def campaign(db: None) -> Campaign:
    """A live season with 500 yuan for compensations."""
    campaign = SeasonFactory()
    compensations.fund(campaign_id=campaign.pk, amount_fen=50_000, business_key=f"c:{campaign.pk}", by=None)
    return campaign


class TestLookUp:
    def test_by_username_public_id_and_number(self, boss: Client) -> None:
        player = PlayerFactory()
        for word in (player.username.upper(), str(player.public_id), str(player.pk), f" {player.username} "):
            assert boss.post(LOOK_UP, {"word": word}).url == page(player)

    def test_by_phone_in_whatever_spelling_but_whole(self, boss: Client) -> None:
        player = PlayerFactory()
        with transaction.atomic():
            phones.attach(player.pk, "+8613800138000")
        for word in ("13800138000", "+86 138-0013-8000", "138 0013 8000"):
            response = boss.post(LOOK_UP, {"word": word})
            assert response.url == page(player)
            assert "138" not in response.url.replace(str(player.pk), "")
        assert "Nobody was found" in boss.post(LOOK_UP, {"word": "1380013"}).content.decode()
        assert "13800138000" not in boss.get(page(player)).content.decode()
        assert "kept, sealed" in boss.get(page(player)).content.decode()

    def test_who_was_looked_up_is_on_record(self, boss: Client) -> None:
        player = PlayerFactory()
        boss.post(LOOK_UP, {"word": player.username})
        boss.post(LOOK_UP, {"word": "nobody-here"})
        entry = AuditEntry.objects.get(action="player.looked_up")
        assert (entry.actor_id, entry.subject_id, entry.data) == (int(boss.session["_auth_user_id"]), player.pk, {})

    @pytest.mark.parametrize("word", ["", "nobody", "%", "9" * 60, "福", "+", "0", "-1", "²", "a" * 65])
    def test_nonsense_finds_nobody(self, boss: Client, word: str) -> None:
        assert boss.post(LOOK_UP, {"word": word}).status_code == 200

    def test_several_are_listed(self, boss: Client) -> None:
        one = PlayerFactory()
        other = PlayerFactory(username=str(one.pk).zfill(3) if one.pk > 99 else f"{one.pk:03}")
        response = boss.post(LOOK_UP, {"word": str(one.pk)})
        if response.status_code == 200:
            assert {player.pk for player in response.context["players"]} == {one.pk, other.pk}

    def test_needs_the_right(self, db: None) -> None:
        clerk = signed_in(member_of_staff("accounts.view_player", "accounts.change_player"))
        for path in (LOOK_UP, page(PlayerFactory())):
            assert clerk.get(path).status_code == 403
            assert clerk.post(path).status_code == 403

    def test_sidebar_and_the_players_form_lead_there(self, boss: Client) -> None:
        player = PlayerFactory()
        body = boss.get(f"/admin/accounts/player/{player.pk}/change/").content.decode()
        assert f'href="{LOOK_UP}"' in body
        assert f'href="{page(player)}"' in body


class TestPage:
    def test_shows_all_that_a_player_has(self, boss: Client) -> None:
        gift = GiftFactory()
        kind = str(gift.campaign.kinds.get(ordinal=gift.gives[0]))
        giver, receiver = gift.proposer, gift.recipient
        assert rows(boss, giver, "draws")[0][2] == kind
        assert rows(boss, giver, "draws")[0][4] == "Scan a code"
        assert rows(boss, giver, "trades")[0][2:] == ["gift", receiver.username, kind, "-", "accepted"]
        assert rows(boss, receiver, "trades")[0][2:] == ["gift", giver.username, "-", kind, "accepted"]
        assert rows(boss, receiver, "transfers")[0][1:] == [kind, giver.username, receiver.username]
        assert rows(boss, receiver, "hands")[0][1] == f"{kind} × 1"
        assert "Scan a code 1 today, 1 in all" in rows(boss, giver, "hands")[0][3]
        assert rows(boss, receiver, "events")[0][2] == "gift.received"

    def test_shows_money(self, boss: Client, clock: Clock) -> None:
        run = make.SettlementFactory(winners=2, pool__amount_fen=1000)
        make.close(clock, run)
        run = make.split(run)
        make.reveal(clock, run)
        one, other = (Player.objects.get(pk=pk) for pk in make.payouts(run))
        make.open_packet(run, one)
        assert rows(boss, one, "entries")[0][1] == "¥5.00"
        assert rows(boss, one, "packets")[0][1] == "¥5.00"
        assert rows(boss, other, "packets")[0][2] == "not yet"
        assert ("wallet", "¥5.00") in [(str(a), b) for a, b in boss.get(page(one)).context["facts"]]

    def test_shows_what_became_of_the_account(self, boss: Client) -> None:
        player, clerk = PlayerFactory(), member_of_staff()
        bans.ban(player_id=player.pk, by=clerk.pk, reason=Ban.Reason.FARM)
        (banned,) = rows(boss, player, "changes")
        assert banned[1:] == ["banned: several accounts of one person", "-", "in force"]
        assert "shut out" in boss.get(page(player)).content.decode()
        bans.unban(player_id=player.pk, by=clerk.pk)
        assert rows(boss, player, "changes")[0][3].startswith("ended ")

    def test_lists_are_short(self, boss: Client) -> None:
        player = PlayerFactory()
        for _ in range(12):
            FriendshipFactory(player=player)
        campaign = SeasonFactory(rulebook={"quotas": make.make.PLENTY})
        make.complete(campaign, [player])
        assert len(rows(boss, player, "events")) <= 20

    def test_few_queries(self, boss: Client) -> None:
        gift = GiftFactory()
        boss.get(page(gift.recipient))
        asked = own_queries(boss, page(gift.recipient))
        # The look at the player's own row goes to a table that is left out there.
        assert len(asked) + 1 <= MOST_QUERIES, "\n".join(asked)

    def test_missing_player(self, boss: Client) -> None:
        for below in ("", "draw/", "money/", "nonsense/"):
            assert boss.get(f"/admin/accounts/player/999999999/support/{below}").status_code == 404

    def test_in_chinese(self, boss: Client) -> None:
        gift = GiftFactory()
        body = boss.get(page(gift.recipient), HTTP_ACCEPT_LANGUAGE="zh-hans").content.decode()
        assert str(gift.campaign.kinds.get(ordinal=gift.gives[0]).name_zh) in body


class TestHelp:
    def draw(self, campaign: Campaign, **changes: Any) -> dict[str, Any]:
        return {"campaign": campaign.pk, "reason": "fault", "case": "T-1"} | changes

    def money(self, campaign: Campaign, /, **changes: Any) -> dict[str, Any]:
        return {"campaign": campaign.pk, "yuan": "12.34", "reason": "outage", "case": "T-1"} | changes

    def test_a_draw_is_given_once(self, boss: Client, campaign: Campaign) -> None:
        player = PlayerFactory()
        for _ in range(2):
            response = boss.post(page(player, "draw/"), self.draw(campaign))
            assert response.url == page(player)
            assert said(response).startswith("The player has drawn a card: ")
        assert Draw.objects.filter(player=player).count() == 1
        assert AuditEntry.objects.filter(action="draw.granted", subject_id=player.pk).count() == 1

    def test_money_is_paid_once(self, boss: Client, campaign: Campaign) -> None:
        player = PlayerFactory()
        assert said(boss.post(page(player, "money/"), self.money(campaign))) == "¥12.34 have been paid to the player."
        again = boss.post(page(player, "money/"), self.money(campaign))
        assert said(again).startswith("This case had been paid before")
        assert showing.wallet(player_id=player.pk).balance_fen == 1234
        assert Event.objects.filter(player=player, type="compensation.paid").count() == 1

    def test_refusals_are_told(self, boss: Client, campaign: Campaign) -> None:
        player = PlayerFactory()
        too_much = boss.post(page(player, "money/"), self.money(campaign, yuan="200.01"))
        assert said(too_much) == "This is more than one compensation may be."
        boss.post(page(player, "money/"), self.money(campaign))
        otherwise = boss.post(page(player, "money/"), self.money(campaign, yuan="1"))
        assert said(otherwise) == "This case of the player was compensated already, and otherwise."

    @pytest.mark.parametrize(
        "changes",
        [{"yuan": "0"}, {"yuan": "x"}, {"reason": "no"}, {"case": ""}, {"campaign": 0}, {"case": "x" * 33}],
    )
    def test_bad_input_is_shown_at_its_field(self, boss: Client, campaign: Campaign, changes: dict[str, Any]) -> None:
        player = PlayerFactory()
        response = boss.post(page(player, "money/"), self.money(campaign, **changes))
        assert set(response.context["adminform"].form.errors) == set(changes)

    def test_ban_and_unban(self, boss: Client) -> None:
        player = PlayerFactory()
        assert f'href="{page(player, "ban/")}"' in boss.get(page(player)).content.decode()
        assert "has been banned" in said(boss.post(page(player, "ban/"), {"reason": "fraud"}))
        player.refresh_from_db()
        assert not player.is_active
        assert Ban.objects.get(player=player).reason == "fraud"
        twice = said(boss.post(page(player, "ban/"), {"reason": "fraud"}))
        assert twice == "This player is shut out already."
        assert f'href="{page(player, "unban/")}"' in boss.get(page(player)).content.decode()
        assert boss.post(page(player, "unban/"), {}).context["adminform"].form.errors
        assert said(boss.post(page(player, "unban/"), {"sure": "on"})) == "The ban has been lifted."
        player.refresh_from_db()
        assert player.is_active

    def test_erasure(self, boss: Client) -> None:
        player = PlayerFactory(nickname="Xiaofu")
        assert boss.post(page(player, "erasure/"), {}).context["adminform"].form.errors
        assert said(boss.post(page(player, "erasure/"), {"sure": "on"})) == "The player has been erased."
        player.refresh_from_db()
        assert (player.erased_at is not None, player.is_active) == (True, False)
        assert "Xiaofu" not in boss.get(page(player)).content.decode()
        assert not boss.get(page(player)).context["offered"]
        assert boss.post(page(player, "unban/"), {"sure": "on"}).status_code == 404

    def test_a_button_says_what_it_does(self, boss: Client) -> None:
        body = boss.get(page(PlayerFactory(), "ban/")).content.decode()
        assert "Ban </button>" in " ".join(body.split())

    def test_nothing_is_offered_for_staff(self, boss: Client) -> None:
        assert not boss.get(page(member_of_staff())).context["offered"]

    @pytest.mark.parametrize(
        ("slug", "permission"),
        [
            ("draw", "cards.compensate_player"),
            ("money", "redpackets.compensate_player"),
            ("ban", "accounts.ban_player"),
            ("unban", "accounts.ban_player"),
            ("erasure", "accounts.delete_player"),
        ],
    )
    def test_each_needs_its_right(self, campaign: Campaign, slug: str, permission: str) -> None:
        player, before = PlayerFactory(), AuditEntry.objects.count()
        for granted, status in (([LOOK], 403), ([permission], 403), ([LOOK, permission], 200)):
            clerk = signed_in(member_of_staff(*granted))
            assert clerk.get(page(player, f"{slug}/")).status_code == status
            if status == 403:
                bodies = self.draw(campaign) | self.money(campaign) | {"reason": "fraud", "sure": "on"}
                assert clerk.post(page(player, f"{slug}/"), bodies).status_code == 403
                offered = clerk.get(page(player))
                assert f"/support/{slug}/" not in offered.content.decode()
        player.refresh_from_db()
        assert player.is_active
        assert AuditEntry.objects.count() == before

    def test_needs_a_token(self, boss: Client, campaign: Campaign) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = boss.cookies
        assert strict.post(page(PlayerFactory(), "money/"), self.money(campaign)).status_code == 403
