"""No page of the admin reads a growing table from one end to the other: the plans of all its queries are looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import InvitationLink, Message, Player, RefreshFamily
from cards.models import Hand, Trade
from fortunes.adminsite import PER_PAGE, REACH, IndexedAdmin
from fortunes.models import AuditEntry, Event, Proposal
from redpackets.models import Packet, Pool, Settlement
from tests.admin import conftest
from tests.admin.crowd import GROWING, OLD_ROWS, ROWS, Crowd

PAGES = sorted(
    (model for model, page in admin.site._registry.items() if isinstance(page, IndexedAdmin)),
    key=lambda model: model._meta.label,
)
# What a page may read and throw away. A count stops at REACH rows, so it may pass over that many.
MAY_SKIP = 200


@pytest.fixture
def boss(crowded: Crowd) -> Client:
    return conftest.signed_in(crowded.boss)


def address(model: type[models.Model], query: str = "") -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{query}"


def searched_for(model: type[models.Model]) -> list[str]:
    """One example of each kind of word that staff type."""
    player = Player.objects.get(username="player-500")
    words = ["player-500", str(player.public_id), str(player.pk), "player-500 player-501", "nobody-here"]
    if model is Player:
        words += ["player-29", "player-"]
    if model is AuditEntry:
        words += ["boss", f"accounts.player:{player.pk}", f"accounts.player:{10**30}", "nothing:1"]
    if model is InvitationLink:
        words.append("code-500")
    if model in (Trade, RefreshFamily, Message):
        words.append(str(model._default_manager.order_by("pk")[100].public_id))
    if model._meta.model_name == "ledgerentry":
        words.append(f"payout:{Pool.objects.latest('pk').pk}:{player.pk}")
    return words


def filtered_by(crowded: Crowd, model: type[models.Model]) -> list[str]:
    """Every filter of a list, with a common and with a rare value."""
    campaigns = {"campaign": (crowded.old.pk, crowded.new.pk)}
    runs = tuple(Settlement.objects.order_by("pk").values_list("pk", flat=True))
    talked_about = tuple(Proposal.objects.order_by("pk").values_list("pk", flat=True)[:2])
    rare_and_common = campaigns | {
        "pool": crowded.pools,
        "proposal": talked_about,
        "settlement": runs,
        "state": ("freeze", "done"),
    }
    queries = []
    page = admin.site._registry[model]
    for entry in page.list_filter:
        name = entry if isinstance(entry, str) else entry[0]
        if name in ("is_staff", "is_active"):
            queries += [f"?{name}__exact=1", f"?{name}__exact=0"]
        else:
            lookup = "exact" if name == "state" else "id__exact"
            queries += [f"?{name}__{lookup}={value}" for value in rare_and_common[name]]
    return queries + [f"?q=player-500&campaign__id__exact={pk}" for pk in campaigns["campaign"] if page.narrow_by]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def reading_too_much(sql: str) -> list[str]:
    """The nodes of a query's plan that read a growing table whole, or pass over most of what they read."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        (plans,) = cursor.fetchone()
    plans = json.loads(plans) if isinstance(plans, str) else plans
    may_skip = REACH if "COUNT(" in sql else MAY_SKIP
    return [
        f"{node['Node Type']} on {node['Relation Name']}, {node.get('Rows Removed by Filter', 0)} removed: {sql}"
        for node in nodes(plans[0]["Plan"])
        if node.get("Relation Name") in GROWING
        and (node["Node Type"] == "Seq Scan" or node.get("Rows Removed by Filter", 0) > may_skip)
    ]


def queries_of(client: Client, path: str) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(path)
        assert response.status_code == 200, (path, response.status_code)
    return [query["sql"] for query in captured if query["sql"].startswith("SELECT")]


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
class TestLists:
    def check(self, boss: Client, model: type[models.Model], *queries: str) -> None:
        for query in queries:
            for sql in queries_of(boss, address(model, query)):
                assert not reading_too_much(sql), query

    def test_pages(self, boss: Client, model: type[models.Model]) -> None:
        self.check(boss, model, "", "?p=2")

    def test_searches(self, boss: Client, model: type[models.Model]) -> None:
        if admin.site._registry[model].search_by:
            self.check(boss, model, *(f"?q={word}" for word in searched_for(model)))

    def test_filters(self, boss: Client, crowded: Crowd, model: type[models.Model]) -> None:
        self.check(boss, model, *filtered_by(crowded, model))

    def test_row(self, boss: Client, model: type[models.Model]) -> None:
        row = (
            model._default_manager.order_by("pool", "player").first()
            if model is Packet
            else model._default_manager.last()
        )
        if row is not None:
            self.check(boss, model, f"{row.pk}/change/")


class TestPagesOfTheConsole:
    """The figures of a campaign, and all that a player has."""

    def check(self, boss: Client, path: str) -> None:
        for sql in queries_of(boss, path):
            assert not reading_too_much(sql), path

    def test_of_a_vote(self, boss: Client, crowded: Crowd) -> None:
        vote = Proposal.objects.get(campaign=crowded.new)
        for below in ("change/", "figures/"):
            self.check(boss, f"/admin/fortunes/proposal/{vote.pk}/{below}")
        self.check(boss, f"/admin/fortunes/rulebook/of/{crowded.new.pk}/")

    @pytest.mark.parametrize("below", ["live/", "live/figures/"])
    def test_of_a_campaign(self, boss: Client, crowded: Crowd, below: str) -> None:
        # Of the old one: all but a few chunks are the new one's, so reading its chunks is reading the table.
        self.check(boss, f"/admin/fortunes/campaign/{crowded.old.pk}/{below}")

    def test_of_a_player(self, boss: Client) -> None:
        for username in ("player-500", "player-20000"):
            player = Player.objects.get(username=username)
            self.check(boss, f"/admin/accounts/player/{player.pk}/support/")
            for way in ("draw", "money", "ban"):
                self.check(boss, f"/admin/accounts/player/{player.pk}/support/{way}/")

    @pytest.mark.parametrize("word", ["player-500", "1", "13800138000", "00000000-0000-0000-0000-000000000000"])
    def test_of_a_search(self, boss: Client, word: str) -> None:
        with CaptureQueriesContext(connection) as captured:
            boss.post("/admin/accounts/player/look-up/", {"word": word})
        asked = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
        assert asked
        for sql in asked:
            if "fortunes_audit(" not in sql:
                assert not reading_too_much(sql), word


class TestTheEye:
    """That `reading_too_much` sees what it is there for."""

    def test_whole_table(self, boss: Client) -> None:
        (sql,) = (
            sql for sql in queries_of(boss, address(Event, "?type=nothing")) if "LIMIT 50" in sql or "COUNT(" in sql
        )
        assert reading_too_much(sql)

    def test_full_count(self, crowded: Crowd) -> None:
        assert reading_too_much("SELECT COUNT(*) FROM fortunes_event WHERE type = 'gift.received'")


class TestCounts:
    def counting(self, client: Client, path: str) -> list[str]:
        return [sql for sql in queries_of(client, path) if "COUNT(" in sql]

    def test_long_list_is_estimated(self, boss: Client) -> None:
        assert not self.counting(boss, address(Event))
        page = boss.get(address(Event)).content.decode()
        assert f"about {ROWS:,}" in page

    def test_long_filtered_list_is_counted_so_far(self, boss: Client, crowded: Crowd) -> None:
        path = address(Hand, f"?campaign__id__exact={crowded.new.pk}")
        assert all(f"LIMIT {REACH + 1}" in sql for sql in self.counting(boss, path))
        assert f"more than {REACH:,}" in boss.get(path).content.decode()

    def test_short_list_is_exact(self, boss: Client, crowded: Crowd) -> None:
        changes = boss.get(address(Hand, f"?campaign__id__exact={crowded.old.pk}")).context["cl"]
        assert changes.result_count == OLD_ROWS

    def test_pages_end_where_counting_does(self, boss: Client) -> None:
        assert boss.get(address(Event)).context["cl"].paginator.num_pages == REACH // PER_PAGE
        assert boss.get(address(Event, "?p=100000")).status_code == 302


def test_every_list_of_ours_is_looked_at() -> None:
    others = {model._meta.label for model in admin.site._registry} - {model._meta.label for model in PAGES}
    assert others == {"auth.Group"}
