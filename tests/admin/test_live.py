"""A campaign's page on the night: the figures are right, come from small tables, and the buttons call actions."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Player
from cards.actions import counts
from fortunes import clock as database_clock
from fortunes.models import AuditEntry, Campaign, DeadLetter, Job, Process
from redpackets.actions import compensations, settlements
from redpackets.models import LiveShare, Settlement
from tests.admin.conftest import member_of_staff, signed_in
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import DraftSeasonFactory, SeasonFactory, redeem
from tests.plugins.clock import Clock

MOST_QUERIES = 11


def page(campaign: Campaign) -> str:
    return f"/admin/fortunes/campaign/{campaign.pk}/live/"


def figures(client: Client, campaign: Campaign, **headers: str) -> dict[str, Any]:
    response = client.get(f"{page(campaign)}figures/", **headers)
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


def told(part: str, name: str, value: str) -> str:
    """The text of the element with this data attribute."""
    match = re.search(rf'<(\w+) [^>]*data-{name}="{value}"[^>]*>(.*?)</\1>', part, re.DOTALL)
    assert match, f"no {name} {value}"
    return " ".join(re.sub(r"<[^>]*>", " ", match[2]).split())


def tile(found: dict[str, Any], slug: str) -> str:
    return re.sub(r"\s+", " ", re.search(rf'data-tile="{slug}".*?</div>', found["parts"]["head"], re.DOTALL)[0])


def own_queries(client: Client, path: str) -> list[str]:
    """Without those for the session, the member of staff and their permissions."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    others = ("django_session", "accounts_player", "auth_permission", "SAVEPOINT")
    return [query["sql"] for query in captured if not any(other in query["sql"] for other in others)]


class TestFigures:
    def test_draws_are_told_by_kind_source_and_minute(self, boss: Client) -> None:
        run = make.SettlementFactory(winners=7)
        campaign = run.pool.campaign
        assert figures(boss, campaign)["charts"]["kinds"][0]["total"] == 0
        counts.count_due()
        found = figures(boss, campaign)
        first, *others = found["charts"]["kinds"]
        assert (first["total"], sum(first["counts"]), first["colour"]) == (7, 7, "#c8102e")
        assert not any(kind["total"] for kind in others)
        assert len(found["charts"]["minutes"]) == len(first["counts"]) == 60
        assert "100.0%" in told(found["parts"]["draws"], "kind", "patriotism")
        assert told(found["parts"]["minutes"], "source", "code") == "7"
        assert ">7<" in tile(found, "draws")

    def test_rare_kind_has_its_stock(self, boss: Client, clock: Clock) -> None:
        rules = {
            "weights": {"dedication": 1_000_000, "harmony": 1},
            "caps": {"dedication": {"units": 10, "tranches": 2}},
            "complete_set": ["dedication"],
        }
        campaign = SeasonFactory(rulebook=rules)
        for _ in range(3):
            redeem(campaign, PlayerFactory())
        counts.count_due()
        part = " ".join(figures(boss, campaign)["parts"]["stock"].split())
        assert "5 of 10 units released" in part
        assert "3 of 10 units drawn" in part
        assert "<dt>Can be drawn now</dt><dd>2</dd>" in part
        assert "<dt>Left in all</dt><dd>7</dd>" in part
        assert "5 at " in part

    def test_settlement_is_told_stage_by_stage(self, boss: Client, clock: Clock) -> None:
        run = make.SettlementFactory(winners=9, pool__amount_fen=1000, pool__credit_after_s=60, chunk_hands=4)
        campaign = run.pool.campaign
        assert "ff-info" in re.search(r'<li class="ff-tag ([\w-]+)" data-stage="freeze"', self.part(boss, campaign))[1]
        make.close(clock, run)
        run = make.split(run)
        part = self.part(boss, campaign)
        assert told(part, "fact", "winners") == "9"
        assert told(part, "fact", "paid") == "¥10.00"
        assert told(part, "fact", "to-post") == "¥0.00"
        assert told(part, "fact", "returned") == "¥0.00"
        assert told(part, "fact", "each") == "¥1.11"
        assert "3 of 3 chunks" in part
        assert "fen" not in re.sub(r"<[^>]*>", " ", part)

    def test_unopened_packets_are_told_apart(self, boss: Client, clock: Clock) -> None:
        run = make.SettlementFactory(winners=9, pool__amount_fen=900, pool__credit_after_s=60, chunk_hands=4)
        make.close(clock, run)
        run = make.split(run)
        make.reveal(clock, run)
        make.open_packet(run, Player.objects.get(pk=min(make.payouts(run))))
        clock.move_to(run.credit_at + timedelta(seconds=1))
        settlements.credit_due(budget_s=5)
        part = self.part(boss, run.pool.campaign)
        assert told(part, "fact", "unopened") == "8 · ¥8.00"
        assert told(part, "fact", "opened") == "1 · ¥1.00"

    def part(self, boss: Client, campaign: Campaign) -> str:
        return str(figures(boss, campaign)["parts"]["settlement"])

    def test_share_fund_and_phase(self, boss: Client, clock: Clock) -> None:
        run = make.SettlementFactory()
        campaign = run.pool.campaign
        LiveShare.objects.update_or_create(
            pk=campaign.pk, defaults={"complete": 1234, "each_fen": 27166, "counted_at": database_clock.now()}
        )
        compensations.fund(campaign_id=campaign.pk, amount_fen=50_000, business_key=f"c:{campaign.pk}", by=None)
        found = figures(boss, campaign)
        assert "1,234" in tile(found, "complete")
        assert "about ¥271.66" in tile(found, "each")
        assert "¥500.00" in tile(found, "fund")
        assert 'data-phase="live"' in found["parts"]["head"]
        assert campaign.closes_at.isoformat().replace("+00:00", "Z") in found["parts"]["head"]
        make.close(clock, run)
        found = figures(boss, campaign)
        assert 'data-phase="frozen"' in found["parts"]["head"]
        assert found["server_time"] > campaign.closes_at.isoformat()

    def test_draft_has_a_page_too(self, boss: Client) -> None:
        campaign = DraftSeasonFactory()
        assert boss.get(page(campaign)).status_code == 200
        assert 'data-phase="draft"' in figures(boss, campaign)["parts"]["head"]

    def test_machines_are_told(self, boss: Client) -> None:
        long_ago = database_clock.now() - timedelta(hours=1)
        Job.objects.create(name="a.stuck", interval_s=2, known_since=long_ago)
        Job.objects.create(name="b.failing", interval_s=2, failures=3, last_error="Boom: 27166 fen")
        Process.objects.create(name="w1", kind="worker", seen_at=long_ago)
        part = figures(boss, SeasonFactory())["parts"]["machines"]
        assert "stuck" in told(part, "job", "a.stuck")
        assert "Boom: ¥271.66" in told(part, "job", "b.failing")
        assert "60 min ago" in told(part, "process", "worker")
        assert "never seen" in told(part, "process", "beat")

    def test_in_chinese(self, boss: Client) -> None:
        campaign = SeasonFactory(name_zh="元宵集福")
        found = figures(boss, campaign, HTTP_ACCEPT_LANGUAGE="zh-hans")
        assert "元宵集福" in found["parts"]["head"]
        assert found["charts"]["kinds"][0]["label"] == "爱国福"


class TestQueries:
    @pytest.mark.parametrize("below", ["", "figures/"])
    def test_few_and_none_of_a_large_table(self, boss: Client, clock: Clock, below: str) -> None:
        run = make.SettlementFactory(winners=9, chunk_hands=4)
        make.close(clock, run)
        make.split(run)
        counts.count_due()
        path = page(run.pool.campaign) + below
        # What never changes, the names of kinds for one, is read once for each process.
        boss.get(path)
        asked = own_queries(boss, path)
        large = ("cards_draw ", '"cards_draw"', "cards_hand", "cards_stock ", '"cards_stock"', "redpackets_payout",
                 "redpackets_ledgerentry", "redpackets_wallet")  # fmt: skip
        assert not [sql for sql in asked if any(table in sql for table in large)]
        assert len(asked) <= MOST_QUERIES, "\n".join(asked)


class TestWhoSeesIt:
    def test_it_is_linked_from_the_list_and_the_campaign(self, boss: Client) -> None:
        campaign = SeasonFactory()
        for path in (f"/admin/fortunes/campaign/?q={campaign.slug}", f"/admin/fortunes/campaign/{campaign.pk}/change/"):
            assert f'href="{page(campaign)}"' in boss.get(path).content.decode()

    def test_it_needs_the_right_to_see_campaigns(self, db: None) -> None:
        campaign = SeasonFactory()
        for permissions, status in ((["cards.view_draw"], 403), (["fortunes.view_campaign"], 200)):
            client = signed_in(member_of_staff(*permissions))
            assert client.get(page(campaign)).status_code == status
            assert client.get(f"{page(campaign)}figures/").status_code == status

    def test_there_is_none_of_a_campaign_that_is_missing(self, boss: Client) -> None:
        for below in ("live/", "live/figures/", "compensations/"):
            assert boss.get(f"/admin/fortunes/campaign/999999999/{below}").status_code == 404

    def test_buttons_are_for_those_who_may_press_them(self, boss: Client) -> None:
        run = make.SettlementFactory()
        Job.objects.create(name="a.job", interval_s=2)
        watcher = signed_in(member_of_staff("fortunes.view_campaign"))
        for client, shown in ((boss, True), (watcher, False)):
            parts = "".join(figures(client, run.pool.campaign)["parts"].values())
            assert ("/pause/" in parts, "/run/" in parts, "/compensations/" in parts) == (shown, shown, shown)


class TestIdleSession:
    def test_whoever_does_something_stays_signed_in_and_the_page_alone_keeps_nobody(self, db: None) -> None:
        campaign, clerk = SeasonFactory(), member_of_staff("fortunes.view_campaign")
        client = signed_in(clerk)

        def ends() -> Any:
            return client.session.model.objects.get(pk=client.session.session_key).expire_date

        client.session.model.objects.update(expire_date=timezone.now() + timedelta(minutes=5))
        figures(client, campaign)
        assert ends() < timezone.now() + timedelta(minutes=6)
        client.get(page(campaign))
        assert ends() > timezone.now() + timedelta(minutes=25)
        client.session.model.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
        assert client.get(f"{page(campaign)}figures/").status_code == 302


class TestPauseAndResume:
    def press(self, client: Client, run: Settlement, button: str) -> list[str]:
        response = client.post(
            f"/admin/redpackets/settlement/{run.pk}/{button}/",
            headers={"referer": f"http://testserver{page(run.pool.campaign)}"},
        )
        assert response.url.endswith(page(run.pool.campaign))
        return [str(message) for message in response.wsgi_request._messages]

    def test_twice_says_what_it_found(self, boss: Client) -> None:
        run = make.SettlementFactory()
        assert self.press(boss, run, "pause") == ["The settlement has been paused."]
        (again,) = self.press(boss, run, "pause")[-1:]
        assert again.startswith("It had been paused before, at ")
        assert "Paused since" in figures(boss, run.pool.campaign)["parts"]["settlement"]
        assert self.press(boss, run, "resumption")[-1] == "The settlement goes on."
        assert self.press(boss, run, "resumption")[-1] == "It was going on already, without a failure."
        entries = AuditEntry.objects.filter(subject="redpackets.settlement", subject_id=run.pk).order_by("seq")
        assert [entry.action for entry in entries] == ["settlement.paused", "settlement.resumed"]
        assert all(entry.actor_id == int(boss.session["_auth_user_id"]) for entry in entries)

    def test_a_failed_run_is_run_again(self, boss: Client) -> None:
        run = make.SettlementFactory()
        Settlement.objects.filter(pk=run.pk).update(attempts=3, last_error="Mismatch: 27166 fen are missing")
        part = figures(boss, run.pool.campaign)["parts"]["settlement"]
        assert "Run again" in part and "¥271.66 are missing" in part
        assert self.press(boss, run, "resumption") == ["The settlement goes on."]
        run.refresh_from_db()
        assert (run.attempts, run.last_error) == (0, "")

    def test_without_the_right_it_is_refused_and_nothing_is_on_record(self, db: None) -> None:
        run = make.SettlementFactory()
        before = AuditEntry.objects.count()
        clerk = signed_in(member_of_staff("redpackets.view_settlement", "redpackets.change_settlement"))
        for button in ("pause", "resumption"):
            assert clerk.post(f"/admin/redpackets/settlement/{run.pk}/{button}/").status_code == 403
        run.refresh_from_db()
        assert run.paused_at is None
        assert AuditEntry.objects.count() == before

    def test_foreign_referer_leads_nowhere_else(self, boss: Client) -> None:
        run = make.SettlementFactory()
        address = f"/admin/redpackets/settlement/{run.pk}/pause/"
        for referer in ("https://evil.example/", "javascript:alert(1)", ""):
            response = boss.post(address, headers={"referer": referer})
            assert response.url == f"/admin/redpackets/settlement/{run.pk}/change/"


class TestCompensationFund:
    def test_is_set_aside_also_while_the_campaign_is_live(self, boss: Client) -> None:
        campaign = SeasonFactory()
        address = f"/admin/fortunes/campaign/{campaign.pk}/compensations/"
        form = boss.get(address).context["adminform"].form
        body = {"yuan": "500.00", "business_key": form["business_key"].value()}
        for said in ("The money has been set aside.", "It had been set aside before."):
            response = boss.post(address, body)
            assert [str(message) for message in response.wsgi_request._messages][-1] == said
        assert "¥500.00" in tile(figures(boss, campaign), "fund")
        entry = AuditEntry.objects.get(action="compensations.funded", subject_id=campaign.pk)
        assert entry.data == {"amount_fen": 50_000}

    def test_needs_the_right_to_change_campaigns(self, db: None) -> None:
        address = f"/admin/fortunes/campaign/{SeasonFactory().pk}/compensations/"
        assert signed_in(member_of_staff("fortunes.view_campaign")).post(address).status_code == 403


class TestDeadLetters:
    def test_are_shown_until_decided(self, boss: Client) -> None:
        run = make.SettlementFactory()
        letter = DeadLetter.objects.create(job="redpackets.settlements", subject_id=run.pk, error="Mismatch")
        part = figures(boss, run.pool.campaign)["parts"]["machines"]
        assert "Mismatch" in told(part, "letter", str(letter.pk))
        Settlement.objects.filter(pk=run.pk).update(paused_at=database_clock.now(), attempts=1)
        response = boss.post(f"/admin/fortunes/deadletter/{letter.pk}/revival/")
        assert [str(message) for message in response.wsgi_request._messages] == ["It has been handed back to its job."]
        run.refresh_from_db()
        assert run.paused_at is None
        assert 'data-letter="' not in figures(boss, run.pool.campaign)["parts"]["machines"]


def test_figures_are_json_and_not_kept(boss: Client) -> None:
    response = boss.get(f"{page(SeasonFactory())}figures/")
    assert "no-store" in response.headers["Cache-Control"]
    assert json.loads(response.content)
