"""What is only looked at: history and its caches, by anybody with the permission and changed by nobody."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, models, transaction
from django.test import Client, RequestFactory

from accounts.models import Player
from cards.models import CardKind, Trade
from fortunes.adminsite import ReadOnlyAdmin
from fortunes.amounts import yuan
from fortunes.models import Campaign
from redpackets.models import Packet
from tests.admin.conftest import member_of_staff, signed_in
from tests.factories import redpackets as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.factories.cards import DraftSeasonFactory, GiftFactory, SeasonFactory
from tests.house import tree
from tests.plugins.clock import Clock

OURS = [model for model in admin.site._registry if model._meta.app_label in tree.APPS]
# A player's own columns, and campaigns and their catalogue while they are drafts.
CHANGEABLE = {"accounts.Player", "fortunes.Campaign", "cards.CardKind", "cards.Source", "fortunes.Announcement"}
# Locks and counters, the answers to repeat, what has a composite key and is shown as packets, secrets with what they
# are found by, what one friend writes to another, and whom else a trade asks. Who voted for what, what the pages of a
# vote and of a version show, and who may still win a jackpot, until it is drawn.
NOT_SHOWN = {
    "fortunes.Feed", "fortunes.PushDue", "fortunes.CampaignFeed", "fortunes.IdempotencyKey", "redpackets.Payout",
    "accounts.Phone", "accounts.PhoneCode", "accounts.Lockout", "accounts.SpentToken", "accounts.NotificationSettings",
    "cards.DrawReader", "cards.DrawCount", "cards.DrawTotal", "cards.TradeNote", "cards.Addressee", "cards.LinkOpen",
    "fortunes.Ballot", "fortunes.BallotCount", "fortunes.Option", "fortunes.Compensation", "redpackets.Contender",
}  # fmt: skip


def test_everything_is_there_to_look_at() -> None:
    models_of_ours = {model._meta.label for app in tree.APPS for model in apps.get_app_config(app).get_models()}
    assert models_of_ours - {model._meta.label for model in OURS} == NOT_SHOWN


def test_sidebar_leads_to_all_of_it(boss: Client) -> None:
    page = boss.get("/admin/").content.decode()
    for model in admin.site._registry:
        assert f'href="/admin/{model._meta.app_label}/{model._meta.model_name}/"' in page


def test_sidebar_shows_what_one_may_see(db: None) -> None:
    page = signed_in(member_of_staff("cards.view_draw")).get("/admin/").content.decode()
    assert "/admin/cards/draw/" in page
    assert "/admin/redpackets/wallet/" not in page


@pytest.mark.parametrize("model", [model for model in OURS if model._meta.label not in CHANGEABLE], ids=str)
def test_history_is_read_only_for_superusers(boss: Client, rf: RequestFactory, model: type[models.Model]) -> None:
    page = admin.site._registry[model]
    assert isinstance(page, ReadOnlyAdmin)
    request = rf.get("/")
    request.user = Player(is_superuser=True, is_staff=True)
    assert page.has_view_permission(request)
    assert page.get_model_perms(request) == {"add": False, "change": False, "delete": False, "view": True}
    assert not page.get_actions(request)
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}"
    assert boss.get(f"{address}/add/").status_code == 403


@pytest.mark.parametrize("label", sorted(CHANGEABLE))
def test_nothing_is_deleted(boss: Client, rf: RequestFactory, label: str) -> None:
    request = rf.get("/")
    request.user = Player(is_superuser=True, is_staff=True)
    assert not admin.site._registry[apps.get_model(label)].has_delete_permission(request)


def test_a_row_shows_its_cards_by_name(boss: Client) -> None:
    gift = GiftFactory()
    kind = str(gift.campaign.kinds.get(ordinal=gift.gives[0]))
    for path in (f"cards/trade/{gift.pk}", f"cards/transfer/{gift.transfers.get().pk}"):
        assert kind in boss.get(f"/admin/{path}/change/").content.decode()
    assert f"{kind} × 1" in boss.get(f"/admin/cards/hand/?q={gift.recipient.username}").content.decode()


def test_a_row_cannot_be_posted_to(boss: Client) -> None:
    gift = GiftFactory()
    assert boss.post(f"/admin/cards/trade/{gift.pk}/change/", {"state": "open"}).status_code == 403
    assert boss.post(f"/admin/cards/trade/{gift.pk}/delete/", {"post": "yes"}).status_code == 403


def test_packets_are_found_by_their_composite_key(boss: Client, clock: Clock) -> None:
    run = make.SettlementFactory(winners=3)
    make.close(clock, run)
    make.split(run)
    packet = Packet.objects.filter(pool=run.pool).first()
    page = boss.get(f"/admin/redpackets/packet/{packet.pk}/change/")
    assert page.context["original"] == packet
    assert packet.player.username in boss.get(f"/admin/redpackets/packet/?q={packet.player.username}").content.decode()
    for nonsense in ("payout:1", "payout:x:y", f"payout:{10**30}:1", f"payout:{run.pool.pk}:999999999"):
        assert boss.get(f"/admin/redpackets/packet/{nonsense}/change/").status_code == 302


@pytest.mark.parametrize(
    ("fen", "shown"), [(0, "¥0.00"), (7, "¥0.07"), (27_166, "¥271.66"), (21_500_000_000, "¥215,000,000.00")]
)
def test_yuan(fen: int, shown: str) -> None:
    assert yuan(fen) == shown


class TestSearch:
    def found(self, boss: Client, path: str, words: str) -> list[Any]:
        return list(boss.get(f"/admin/{path}/", {"q": words}).context["cl"].result_list)

    def test_by_username_public_id_or_number(self, boss: Client) -> None:
        friendship = FriendshipFactory()
        player = friendship.player
        for word in (player.username, player.username.upper(), str(player.public_id), str(player.pk)):
            assert friendship in self.found(boss, "accounts/friendship", word)

    def test_every_word_must_match(self, boss: Client) -> None:
        gift = GiftFactory()
        names = f"{gift.proposer.username} {gift.recipient.username}"
        assert self.found(boss, "cards/trade", names) == [gift]
        assert not self.found(boss, "cards/trade", f"{gift.proposer.username} nobody")

    @pytest.mark.parametrize("words", ["nobody", "%", "'", "\\", "9" * 400, "²", "-1", "福", "a " * 500])
    def test_nonsense_finds_nothing(self, boss: Client, words: str) -> None:
        GiftFactory()
        for path in ("cards/trade", "redpackets/ledgerentry", "accounts/friendship", "redpackets/packet"):
            assert not self.found(boss, path, words)

    def test_players_by_the_beginning_of_their_name(self, boss: Client) -> None:
        player = PlayerFactory(username="xiaofu-2026")
        PlayerFactory(username="other-xiaofu")
        assert self.found(boss, "accounts/player", "Xiaofu") == [player]

    def test_slow_one_is_given_up_with_a_word(self, db: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
        """What the statement timeout cuts off, of a list with a condition."""
        GiftFactory()
        # The session is kept anew with each page, which this test's own transaction could not do after the cut.
        settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
        boss = signed_in(member_of_staff(is_superuser=True))
        page = type(admin.site._registry[Trade])
        monkeypatch.setattr(page, "get_search_results", lambda self, request, rows, term: (slowly(rows), False))
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = '200ms'")
            response = boss.get("/admin/cards/trade/?q=alice")
            # Outside of tests the query was a transaction of its own.
            transaction.set_rollback(True)
        assert response.url == "/admin/cards/trade/"
        assert "takes too long" in boss.get(response.url).content.decode()


def slowly(rows: models.QuerySet) -> models.QuerySet:
    return rows.extra(where=["pg_sleep(1) IS NOT NULL"])


class TestCatalogue:
    def body(self, kind: CardKind, **changes: Any) -> dict[str, Any]:
        names = ("name_zh", "name_en", "glyph", "colour")
        return {name: getattr(kind, name) for name in names} | changes

    def change(self, boss: Client, campaign: Campaign) -> tuple[int, str]:
        kind = campaign.kinds.get(ordinal=0)
        body = self.body(kind, name_en="Love", slug="love", ordinal=3)
        status = boss.post(f"/admin/cards/cardkind/{kind.pk}/change/", body).status_code
        kind.refresh_from_db()
        assert (kind.slug, kind.ordinal) == ("patriotism", 0)
        return status, kind.name_en

    def test_names_change_in_a_draft(self, boss: Client) -> None:
        assert self.change(boss, DraftSeasonFactory()) == (302, "Love")

    def test_and_not_after_the_opening(self, boss: Client) -> None:
        assert self.change(boss, SeasonFactory()) == (403, "Patriotism")


HUGE = "9" * 30


@pytest.mark.parametrize(
    "path",
    [
        "cards/draw/?p=x",
        f"cards/draw/?p={HUGE}",
        "cards/draw/?q=%00",
        "cards/draw/?o=1.2.x",
        "cards/draw/?nobody=knows",
        "cards/draw/?id__in=x",
        f"cards/draw/?id={HUGE}",
        "cards/draw/?player__password__startswith=p",
        f"cards/hand/?campaign__id__exact={HUGE}",
        "cards/hand/?campaign__id__exact=x%00",
        "cards/draw/x/change/",
        f"cards/draw/{HUGE}/change/",
        f"fortunes/campaign/{HUGE}/change/",
        f"fortunes/campaign/{HUGE}/funding/",
        f"fortunes/campaign/{HUGE}/opening/",
        f"redpackets/packet/payout:{HUGE}:1/change/",
        "redpackets/settlement/x/pause/",
    ],
)
def test_no_address_is_too_strange(boss: Client, path: str) -> None:
    for response in (boss.get(f"/admin/{path}"), boss.post(f"/admin/{path}")):
        assert response.status_code < 500
