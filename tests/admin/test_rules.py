"""The rules at the admin: versions as differences, limits that staff raise, changes that are announced, and a season's
page with what a vote has left to be done.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client

from accounts.models import Player
from cards.models import Aftermath, Conversion
from fortunes import clock as database_clock
from fortunes import rulebooks
from fortunes.actions import rulechanges
from fortunes.models import Amendment, AuditEntry, Campaign, Rulebook
from tests.admin.conftest import member_of_staff, signed_in
from tests.admin.motions import announced, typed
from tests.admin.test_live import figures
from tests.factories import votes as make
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import DraftSeasonFactory, SeasonFactory

RUN = "fortunes.run_votes"
LOOK = "fortunes.view_rulebook"


def page(campaign: Campaign, below: str = "") -> str:
    return f"/admin/fortunes/rulebook/of/{campaign.pk}/{below}"


def announcing(campaign: Campaign) -> str:
    return f"/admin/fortunes/amendment/for/{campaign.pk}/"


def said(response: HttpResponse) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def errors(response: Any) -> dict[str, list[str]]:
    return {name: list(told) for name, told in response.context["adminform"].form.errors.items()}


def version(campaign: Campaign) -> int:
    return rulebooks.newest(campaign.pk).version


class TestRaises:
    """What staff change of a season that runs."""

    def test_a_raise_is_in_force_at_once(self, boss: Client) -> None:
        campaign = SeasonFactory()
        response = boss.post(page(campaign, "change/"), {"quotas-code-per_day": "7", "trading-open_trades": "40"})
        assert response.url == page(campaign)
        assert said(response) == "Version 2 is in force."
        rules = rulebooks.current(campaign.pk)
        assert (rules.quotas["code"].per_day, rules.trading.open_trades) == (7, 40)
        row = rulebooks.newest(campaign.pk)
        assert (row.reason, row.decided_by_id) == ("staff", int(boss.session["_auth_user_id"]))
        assert AuditEntry.objects.get(action="rules.changed").subject_id == row.pk

    @pytest.mark.parametrize(
        ("sent", "words"),
        [
            ({"quotas-code-per_day": "1"}, "Scan a code: scans a day: 3 → 1"),
            ({"trading-open_trades": "0"}, "Open trades of a player: 20 → 0"),
            ({"trading-cooling_h": "5"}, "(hours): 0 → 5"),
            ({}, "Nothing would change"),
            ({"quotas-code-per_day": "3"}, "Nothing would change"),
            # Other rules have no field here, so nothing is heard of them.
            ({"weights-harmony": "1", "extra": '{"wilds_fill": true}'}, "Nothing would change"),
        ],
    )
    def test_what_is_no_raise_is_refused_with_its_reason(self, boss: Client, sent: dict[str, str], words: str) -> None:
        campaign = SeasonFactory()
        assert words in str(errors(boss.post(page(campaign, "change/"), sent))["__all__"])
        assert version(campaign) == 1

    @pytest.mark.parametrize("value", ["-1", "x", "9" * 30, "10001", "1.5"])
    def test_bad_numbers_are_shown_at_their_field(self, boss: Client, value: str) -> None:
        campaign = SeasonFactory()
        found = errors(boss.post(page(campaign, "change/"), {"quotas-code-per_day": value}))
        assert set(found) == {"quotas-code-per_day"}
        assert version(campaign) == 1

    def test_a_stale_page_takes_nothing_back(self, boss: Client) -> None:
        """What a colleague has raised further meanwhile would be lowered by a page from before."""
        campaign = SeasonFactory()
        boss.get(page(campaign, "change/"))
        rulechanges.change_by_staff(campaign_id=campaign.pk, patch={"quotas": {"code": {"per_day": 9}}}, by=None)
        assert "9 → 7" in str(errors(boss.post(page(campaign, "change/"), {"quotas-code-per_day": "7"}))["__all__"])
        assert rulebooks.current(campaign.pk).quotas["code"].per_day == 9

    def test_its_button_says_what_it_does(self, boss: Client) -> None:
        assert "Save </button>" in " ".join(boss.get(page(SeasonFactory(), "change/")).content.decode().split())

    def test_twice_makes_one_version(self, boss: Client) -> None:
        campaign = SeasonFactory()
        for _ in range(2):
            response = boss.post(page(campaign, "change/"), {"quotas-code-per_day": "7"})
        assert "Nothing would change" in str(errors(response)["__all__"])
        assert version(campaign) == 2

    def test_after_the_deadline_it_is_refused(self, boss: Client, clock: Any) -> None:
        campaign = SeasonFactory()
        clock.move_to(campaign.closes_at)
        response = boss.post(page(campaign, "change/"), {"quotas-code-per_day": "7"})
        assert "The deadline has passed" in str(errors(response)["__all__"])
        assert version(campaign) == 1


class TestDrafts:
    def test_staff_change_all_of_a_draft(self, boss: Client) -> None:
        campaign = DraftSeasonFactory()
        sent = {
            "weights-harmony": "5",
            "caps-dedication-units": "100",
            "quotas-code-per_day": "1",
            "wilds_fill": "True",
        }
        assert boss.post(page(campaign, "change/"), sent).status_code == 302
        rules = rulebooks.current(campaign.pk)
        assert (rules.weights["harmony"], rules.caps["dedication"].units, rules.wilds_fill) == (5, 100, True)
        assert rules.quotas["code"].per_day == 1

    def test_what_contradicts_itself_is_told(self, boss: Client) -> None:
        campaign = DraftSeasonFactory()
        response = boss.post(page(campaign, "change/"), {"weights-harmony": "0"})
        assert "the complete set needs harmony" in str(errors(response)["__all__"])
        assert version(campaign) == 1

    def test_in_chinese(self, boss: Client) -> None:
        campaign = DraftSeasonFactory()
        sent = {"weights-harmony": "0"}
        response = boss.post(page(campaign, "change/"), sent, HTTP_ACCEPT_LANGUAGE="zh-hans")
        assert "整套福卡需要 harmony，而它抽不到" in str(errors(response)["__all__"])


class TestAnnouncements:
    def sent(self, campaign: Campaign, **changes: Any) -> dict[str, Any]:
        date = campaign.opens_at + timedelta(days=3)
        return {
            "name_zh": "多扫", "name_en": "More scans", "takes_force_at": typed(date), "quotas-code-per_day": "9",
            **changes,
        }  # fmt: skip

    def test_is_announced_for_a_date(self, boss: Client) -> None:
        campaign = DraftSeasonFactory()
        assert announcing(campaign) in boss.get(page(campaign)).content.decode()
        response = boss.post(announcing(campaign), self.sent(campaign))
        assert response.url == page(campaign)
        amendment = Amendment.objects.get(campaign=campaign)
        assert amendment.changes == {"quotas": {"code": {"per_day": 9}}}
        assert amendment.announced_by_id == int(boss.session["_auth_user_id"])
        body = boss.get(f"/admin/fortunes/amendment/{amendment.pk}/change/").content.decode()
        assert "Scan a code: scans a day" in body
        assert "More scans" in boss.get(page(campaign)).content.decode()

    @pytest.mark.parametrize(
        "changes",
        [
            {"name_zh": ""},
            {"name_en": "x" * 65},
            {"takes_force_at": ""},
            {"takes_force_at": "2020-01-01T00:00:00"},
            {"takes_force_at": "2090-01-01T00:00:00"},
            {"quotas-code-per_day": ""},
            {"quotas-code-per_day": "-3"},
            {"extra": '{"sources": 5}'},
            {"extra": '{"complete_set": ["harmony"]}'},
        ],
    )
    def test_bad_input(self, boss: Client, changes: dict[str, str]) -> None:
        campaign = DraftSeasonFactory()
        assert errors(boss.post(announcing(campaign), self.sent(campaign, **changes)))
        assert not Amendment.objects.exists()

    def test_not_after_the_opening(self, boss: Client) -> None:
        campaign = SeasonFactory()
        assert announcing(campaign) not in boss.get(page(campaign)).content.decode()
        refused = errors(boss.post(announcing(campaign), self.sent(campaign)))
        assert "only a vote" in str(refused["__all__"])
        assert not Amendment.objects.exists()

    def test_only_one_that_is_ahead_is_put_to_the_vote(self, boss: Client) -> None:
        amendment = announced(make.campaign_of_votes())
        address = f"/admin/fortunes/amendment/{amendment.pk}"
        assert "/motion/" in boss.get(f"{address}/change/").content.decode()
        assert boss.get(f"{address}/motion/").status_code == 405
        Amendment.objects.filter(pk=amendment.pk).update(applied_at=database_clock.now())
        assert "/motion/" not in boss.get(f"{address}/change/").content.decode()
        assert boss.post("/admin/fortunes/amendment/999999/motion/").status_code == 404


class TestVersions:
    def test_each_says_what_it_changed(self, boss: Client) -> None:
        campaign = SeasonFactory()
        rulechanges.change_by_staff(campaign_id=campaign.pk, patch={"quotas": {"code": {"per_day": 9}}}, by=None)
        second, first = boss.get(page(campaign)).context["versions"]
        (line,) = second["lines"]
        assert (line.path, line.rule, line.before, line.after) == (
            "/quotas/code/per_day", "Scan a code: scans a day", "3", "9",
        )  # fmt: skip
        assert not first["lines"]
        body = boss.get(f"/admin/fortunes/rulebook/{second['row'].pk}/change/").content.decode()
        assert "<del>3</del>" in body and "<ins>9</ins>" in body

    def test_and_in_chinese(self, boss: Client) -> None:
        campaign = SeasonFactory()
        rulechanges.change_by_staff(campaign_id=campaign.pk, patch={"quotas": {"code": {"per_day": 9}}}, by=None)
        body = boss.get(page(campaign), HTTP_ACCEPT_LANGUAGE="zh-hans").content.decode()
        assert "扫码" in body and "Scan a code" not in body

    def test_values_are_told_in_words(self, boss: Client) -> None:
        campaign = make.campaign_of_votes()
        before = rulebooks.newest(campaign.pk)
        changes = [
            {"path": "/specials", "before": ["wild", "steal"], "after": []},
            {"path": "/wilds_fill", "before": False, "after": True},
            {"path": "/split", "before": {"mode": "even", "minimum_fen": 0, "jackpots": []},
             "after": {"mode": "tiered", "minimum_fen": 88, "jackpots": [{"count": 2, "prize_fen": 88_800}]}},
            {"path": "/weights/harmony", "before": 23, "after": None},
            {"path": "/complete_set", "before": ["harmony"], "after": ["harmony", "gone"]},
            {"path": "/trading/unknown~1limit", "before": 1, "after": 2},
            {"path": "/caps/dedication", "before": None, "after": {"units": 1000, "tranches": 1}},
        ]  # fmt: skip
        Rulebook.objects.create(campaign=campaign, version=2, rules=before.rules, reason="vote", changes=changes)
        (second, _first) = boss.get(page(campaign)).context["versions"]
        told = {line.rule: (line.before, line.after) for line in second["lines"]}
        assert told == {
            "Special cards that may be played": ("Wild, Steal", "none"),
            "At the deadline wild cards stand for missing kinds": ("no", "yes"),
            "How the pool is split": ("evenly", "jackpots, and the rest evenly"),
            "Everybody gets at least": ("¥0.00", "¥0.88"),
            "Jackpots": ("none", "2 × ¥888.00"),
            "Harmony: weight": ("23", "-"),
            "A full set": ("Harmony", "Harmony, gone"),
            "unknown/limit": ("1", "2"),
            "Dedication: cards in all": ("-", "1,000"),
            "Dedication: parts of the release": ("-", "1"),
        }
        assert [line.path for line in second["lines"]] == [
            "/weights/harmony", "/complete_set", "/caps/dedication/units", "/caps/dedication/tranches",
            "/trading/unknown~1limit", "/specials", "/wilds_fill", "/split/mode", "/split/minimum_fen",
            "/split/jackpots",
        ]  # fmt: skip

    def test_are_in_the_order_of_the_kinds_and_sources(self, boss: Client) -> None:
        campaign = SeasonFactory()
        told = [line.path for line in boss.get(page(campaign)).context["whole"]]
        kinds = [path for path in told if path.startswith("/weights/")]
        assert kinds == [f"/weights/{kind.slug}" for kind in campaign.kinds.order_by("ordinal")]
        assert told.index("/quotas/code/per_day") < told.index("/quotas/code/per_campaign")

    def test_promises_and_origin_are_told(self, boss: Client) -> None:
        proposal = make.OpenProposalFactory(campaign=make.campaign_of_votes())
        before = rulebooks.newest(proposal.campaign_id)
        row = Rulebook.objects.create(
            campaign=proposal.campaign, version=2, rules=before.rules, reason="vote", proposal=proposal
        )
        row.compensations.create(role="steal", into="fen", amount_fen=150)
        body = boss.get(f"/admin/fortunes/rulebook/{row.pk}/change/").content.decode()
        assert "Each Steal held becomes: ¥1.50." in body
        assert f'href="/admin/fortunes/proposal/{proposal.pk}/change/"' in body

    def test_a_missing_season(self, boss: Client) -> None:
        for path in ("/admin/fortunes/rulebook/of/999999/", "/admin/fortunes/rulebook/of/999999/change/",
                     "/admin/fortunes/amendment/for/999999/", "/admin/fortunes/proposal/draft/999999/"):  # fmt: skip
            assert boss.get(path).status_code == 404


class TestRights:
    def test_looking_needs_one(self, db: None) -> None:
        campaign = SeasonFactory()
        for permissions, status in (([RUN], 403), ([LOOK], 200)):
            client = signed_in(member_of_staff(*permissions))
            assert client.get(page(campaign)).status_code == status
        body = client.get(page(campaign)).content.decode()
        assert page(campaign, "change/") not in body
        assert "/proposal/draft/" not in body

    def test_drafts_of_motions_are_for_those_who_may_look_at_motions(self, db: None) -> None:
        campaign = SeasonFactory()
        make.DraftProposalFactory(campaign=campaign, question_en="Not yet asked?")
        make.OpenProposalFactory(campaign=campaign, question_en="Asked already?")
        for permissions, sees_drafts in (([LOOK], False), ([LOOK, "fortunes.view_proposal"], True)):
            body = signed_in(member_of_staff(*permissions)).get(page(campaign)).content.decode()
            assert "Asked already?" in body
            assert ("Not yet asked?" in body) is sees_drafts

    def test_doing_needs_another(self, db: None) -> None:
        campaign, before = DraftSeasonFactory(), AuditEntry.objects.count()
        rights = ("view_rulebook", "change_rulebook", "add_rulebook", "change_campaign", "add_amendment")
        clerk = signed_in(member_of_staff(*(f"fortunes.{right}" for right in rights)))
        for address in (page(campaign, "change/"), announcing(campaign)):
            assert clerk.get(address).status_code == 403
            assert clerk.post(address, {"quotas-code-per_day": "9"}).status_code == 403
        amendment = announced(campaign)
        assert clerk.post(f"/admin/fortunes/amendment/{amendment.pk}/motion/").status_code == 403
        assert (version(campaign), AuditEntry.objects.count()) == (1, before)

    def test_needs_a_token(self, boss: Client) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = boss.cookies
        assert strict.post(page(SeasonFactory(), "change/"), {"quotas-code-per_day": "9"}).status_code == 403


class TestSeasonsPage:
    def part(self, boss: Client, campaign: Campaign, **headers: str) -> str:
        return str(figures(boss, campaign, **headers)["parts"]["votes"])

    def test_open_votes_are_told(self, boss: Client) -> None:
        campaign = SeasonFactory()
        assert "No vote is open." in self.part(boss, campaign)
        proposal = make.OpenProposalFactory(campaign=campaign)
        make.cast(make.VoterFactory(proposal=proposal), proposal, 2)
        make.EndedProposalFactory(campaign=campaign, state="closed")
        make.DraftProposalFactory(campaign=campaign)
        part = self.part(boss, campaign)
        assert part.count("data-vote=") == 1
        assert f'data-vote="{proposal.pk}"' in part
        assert "Option 2: 1 · 100.0%" in part
        assert "If it closed now: adopted: Option 2" in part
        assert page(campaign) in part

    def test_what_follows_is_told(self, boss: Client) -> None:
        campaign = make.campaign_of_votes()
        players = PlayerFactory.create_batch(2)
        row = Aftermath.objects.create(
            campaign=campaign, version=2, state="convert", last_player=Player.objects.latest("pk").pk // 2
        )
        for player in players:
            Conversion.objects.create(
                aftermath=row, campaign=campaign, player=player, kind=6, cards=1, into=[], fen=150
            )
        part = self.part(boss, campaign)
        assert "What followed from version 2 of the rules" in part
        assert 'data-aftermath="convert"' in part
        assert 'data-fact="converted">2<' in part
        assert 'data-fact="unpaid">2 · ¥3.00<' in part
        Conversion.objects.update(paid_at=database_clock.now())
        Aftermath.objects.update(state="done", done_at=database_clock.now())
        part = self.part(boss, campaign)
        assert "unpaid" not in part
        assert part.count("✓") == len(Aftermath.State)

    def test_in_chinese(self, boss: Client) -> None:
        campaign = SeasonFactory()
        make.OpenProposalFactory(campaign=campaign)
        assert "保留顺手牵羊卡吗？" in self.part(boss, campaign, HTTP_ACCEPT_LANGUAGE="zh-hans")
