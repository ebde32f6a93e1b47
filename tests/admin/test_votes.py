"""A vote at the admin: drafted by plain fields, looked at with its effects, opened, extended, cancelled and watched."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client

from fortunes import clock as database_clock
from fortunes.actions import closing
from fortunes.models import Amendment, AuditEntry, Campaign, Option, Proposal
from tests.admin.conftest import member_of_staff, signed_in
from tests.factories import cards
from tests.factories import votes as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

STAFF_TIME = ZoneInfo(settings.STAFF_TIME_ZONE)
RUN = "fortunes.run_votes"
LOOK = "fortunes.view_proposal"
# Each of the special kinds may be played, and can be drawn.
RULES = {"specials": ["wild", "steal", "copy"]}


def page(proposal: Proposal, below: str = "change/") -> str:
    return f"/admin/fortunes/proposal/{proposal.pk}/{below}"


def drafting(campaign: Campaign) -> str:
    return f"/admin/fortunes/proposal/draft/{campaign.pk}/"


def typed(at: datetime) -> str:
    return at.astimezone(STAFF_TIME).strftime("%Y-%m-%dT%H:%M:%S")


def motion(*options: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The form of a vote, filled in; without options it asks whether to keep the steal card."""
    now = database_clock.now()
    options = options or ({}, {"role-steal": "forbidden", "into-steal": "wild"})
    named = [{"name_zh": f"选项{n}", "name_en": f"Option {n}"} | option for n, option in enumerate(options, start=1)]
    fields = {f"option-{n}-{name}": value for n, option in enumerate(named, start=1) for name, value in option.items()}
    return {
        "question_zh": "保留吗？", "question_en": "Shall it stay?", "opens_at": typed(now + timedelta(minutes=5)),
        "closes_at": typed(now + timedelta(hours=5)), "quorum": 10, "threshold": "50.00", "options": len(options),
        **fields, **changes,
    }  # fmt: skip


def said(response: HttpResponse) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def filled(client: Client, path: str) -> dict[str, Any]:
    """All that a page's forms show, to be sent again."""
    context = client.get(path).context
    forms = [context["adminform"].form, *(one.form for one in context["optionforms"])]
    shown = {form[name].html_name: form[name].value() for form in forms for name in form.fields}
    instants = {name: typed(value) for name, value in shown.items() if isinstance(value, datetime)}
    given = {name: value for name, value in (shown | instants).items() if value not in (None, False)}
    return given | {"options": len(context["optionforms"])}


def errors(response: Any) -> dict[str, list[str]]:
    forms = [response.context["adminform"].form, *(one.form for one in response.context["optionforms"])]
    return {form[name].html_name if name in form.fields else name: list(told)
            for form in forms for name, told in form.errors.items()}  # fmt: skip


def patches(proposal: Proposal) -> list[Any]:
    return list(Option.objects.filter(proposal=proposal).order_by("number").values_list("changes", flat=True))


@pytest.fixture
def campaign(db: None) -> Campaign:
    """A live season in which stealing is allowed."""
    return make.campaign_of_votes(rulebook=RULES)


class TestDrafts:
    def draft(self, boss: Client, campaign: Campaign, *options: dict[str, Any], **changes: Any) -> Proposal:
        response = boss.post(drafting(campaign), motion(*options, **changes))
        assert response.status_code == 302, errors(response)
        proposal = Proposal.objects.latest("pk")
        assert response.url == page(proposal)
        return proposal

    def test_plain_fields_make_the_patches(self, boss: Client, campaign: Campaign) -> None:
        proposal = self.draft(
            boss, campaign,
            {},
            {"role-steal": "forbidden", "into-steal": "fen", "yuan-steal": "1.50"},
            {
                "wilds_fill": "True", "quotas-code-per_day": "5", "weights-harmony": "30", "trading-open_trades": "30",
                "stealing-spares_last": "False", "stealing-per_day": "0", "caps-dedication-units": "200000",
                "split-mode": "tiered", "split-jackpots": "2 × 888.00\n100x0.5", "extension_min": "5",
            },
            may_change="on",
        )  # fmt: skip
        assert (proposal.quorum, proposal.threshold_bp, proposal.may_change) == (10, 5000, True)
        assert proposal.drafted_by_id == int(boss.session["_auth_user_id"])
        nothing, forbids, much = patches(proposal)
        assert nothing == {}
        assert forbids == {"specials": ["wild", "copy"]}
        assert Option.objects.get(proposal=proposal, number=2).compensations == {
            "steal": {"into": "fen", "amount_fen": 150}
        }
        assert much == {
            "wilds_fill": True,
            "quotas": {"code": {"per_day": 5}},
            "weights": {"harmony": 30},
            "trading": {"open_trades": 30},
            "stealing": {"spares_last": False, "per_day": 0},
            "caps": {"dedication": {"units": 200_000}},
            "split": {
                "mode": "tiered",
                "jackpots": [{"count": 2, "prize_fen": 88_800}, {"count": 100, "prize_fen": 50}],
            },
            "extension_min": 5,
        }
        assert AuditEntry.objects.get(action="proposal.drafted").subject_id == proposal.pk

    def test_a_draft_is_shown_in_the_fields_that_made_it(self, boss: Client, campaign: Campaign) -> None:
        full = {
            "role-steal": "forbidden", "into-steal": "fen", "yuan-steal": "1.50", "quotas-code-per_day": "5",
            "wilds_fill": "True", "split-mode": "random", "split-minimum_fen": "0.88",
            "extra": '{"trading": {"lifetime_h": 3}}',
        }  # fmt: skip
        proposal = self.draft(boss, campaign, {}, full)
        before = patches(proposal)
        shown = filled(boss, page(proposal, "edit/"))
        assert shown["option-2-role-steal"] == "forbidden"
        assert str(shown["option-2-yuan-steal"]) == "1.5"
        # A field knows it, so it isn't JSON any more.
        assert (str(shown["option-2-trading-lifetime_h"]), shown.get("option-2-extra")) == ("3", None)
        assert boss.post(page(proposal, "edit/"), shown).url == page(proposal)
        assert patches(proposal) == before
        assert AuditEntry.objects.filter(action="proposal.edited", subject_id=proposal.pk).count() == 1

    def test_what_no_field_knows_stays_json(self, boss: Client, campaign: Campaign) -> None:
        odd = {"specials": ["wild", "copy"], "weights": {"harmony": "many"}, "split": {"jackpots": [1]}}
        proposal = make.DraftProposalFactory(campaign=campaign, options=[{}, odd])
        shown = filled(boss, page(proposal, "edit/"))
        assert shown["option-2-role-steal"] == "forbidden"
        assert '"many"' in shown["option-2-extra"] and '"jackpots"' in shown["option-2-extra"]
        response = boss.post(page(proposal, "edit/"), shown)
        assert set(errors(response)) == {"option-2-extra"}

    def test_a_card_that_is_forbidden_is_not_drawn_either(self, boss: Client, db: None) -> None:
        weights = cards.presets.FIVE_FORTUNES_RULES["weights"] | {"steal": 7}
        campaign = cards.DraftSeasonFactory(rulebook=RULES | {"weights": weights})
        proposal = self.draft(boss, campaign, {}, {"role-steal": "forbidden", "into-steal": "wild"})
        assert patches(proposal)[1] == {"specials": ["wild", "copy"], "weights": {"steal": 0}}
        shown = filled(boss, page(proposal, "edit/"))
        assert "option-2-weights-steal" not in shown
        response = boss.post(page(proposal, "edit/"), shown | {"option-2-weights-steal": "3"})
        assert set(errors(response)) == {"option-2-weights-steal"}

    def test_options_come_and_go(self, boss: Client, campaign: Campaign) -> None:
        sent = motion({}, {}, {"gone": "on"}) | {"more": "1"}
        response = boss.post(drafting(campaign), sent)
        assert len(response.context["optionforms"]) == 4
        assert not Proposal.objects.exists()
        del sent["more"]
        proposal = self.draft(boss, campaign, {}, {"gone": "on"}, {"quotas-code-per_day": "9"})
        assert patches(proposal) == [{}, {"quotas": {"code": {"per_day": 9}}}]
        response = boss.post(drafting(campaign), motion({}, {"gone": "on"}))
        assert response.context["options"].error

    def test_an_announced_change_is_put_to_the_vote(self, boss: Client, campaign: Campaign) -> None:
        amendment = announced(campaign)
        motion_of = f"/admin/fortunes/amendment/{amendment.pk}/motion/"
        assert motion_of in boss.get(f"/admin/fortunes/amendment/{amendment.pk}/change/").content.decode()
        response = boss.post(motion_of)
        shown = filled(boss, response.url)
        assert shown["option-2-strikes"] == str(amendment.pk)
        now = database_clock.now()
        times = {"opens_at": typed(now), "closes_at": typed(now + timedelta(hours=1))}
        sent = shown | {"question_zh": "留？", "question_en": "Keep?"} | times
        assert boss.post(drafting(campaign), sent).status_code == 302
        assert Option.objects.get(proposal=Proposal.objects.latest("pk"), number=2).strikes == amendment

    @pytest.mark.parametrize(
        ("option", "field"),
        [
            ({"extra": "{"}, "extra"),
            ({"extra": "[1]"}, "extra"),
            ({"extra": "[" * 3900}, "extra"),
            ({"extra": "9" * 3900}, "extra"),
            ({"extra": '{"a": "\\ud800"}'}, "extra"),
            ({"extra": '{"extension_min": NaN}'}, "extra"),
            ({"extra": '{"extension_min": 1e400}'}, "extra"),
            ({"extra": '{"nonsense": 1}'}, "extra"),
            ({"extra": '{"weights": {"nonsense": 1}}'}, "extra"),
            ({"extra": '{"weights": null}'}, "extra"),
            ({"extra": '{"caps": {"dedication": {"units": 5}}}'}, "extra"),
            ({"extra": '{"quotas": {"code": {"per_day": 4}}}', "quotas-code-per_day": "5"}, "extra"),
            ({"extra": '{"quotas": 5}', "quotas-code-per_day": "5"}, "extra"),
            ({"weights-harmony": "-1"}, "weights-harmony"),
            ({"weights-harmony": "0"}, "__all__"),
            ({"weights-harmony": "1" * 30}, "weights-harmony"),
            ({"caps-dedication-units": "5"}, "caps-dedication-units"),
            ({"role-steal": "perhaps"}, "role-steal"),
            ({"role-steal": "forbidden"}, "into-steal"),
            ({"into-steal": "wild"}, "into-steal"),
            ({"role-steal": "forbidden", "into-steal": "gold"}, "into-steal"),
            ({"role-steal": "forbidden", "into-steal": "fen"}, "yuan-steal"),
            ({"role-steal": "forbidden", "into-steal": "wild", "yuan-steal": "5"}, "yuan-steal"),
            ({"split-mode": "random", "split-minimum_fen": "-1"}, "split-minimum_fen"),
            ({"split-mode": "tiered"}, "__all__"),
            ({"split-mode": "tiered", "split-jackpots": "many"}, "split-jackpots"),
            ({"split-mode": "tiered", "split-jackpots": "1 × 0.001"}, "split-jackpots"),
            ({"split-minimum_fen": "5"}, "__all__"),
            ({"strikes": "999999"}, "strikes"),
            ({"name_zh": ""}, "name_zh"),
            ({"name_en": "x" * 65}, "name_en"),
            ({"name_en": "\0"}, "name_en"),
        ],
    )
    def test_bad_input_is_shown_at_its_field(
        self, boss: Client, campaign: Campaign, option: dict[str, Any], field: str
    ) -> None:
        response = boss.post(drafting(campaign), motion({}, option))
        expected = field if field == "__all__" else f"option-2-{field}"
        assert set(errors(response)) == {expected}
        assert not Proposal.objects.exists()
        assert "option-2" in response.content.decode()

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"question_zh": ""}, "question_zh"),
            ({"question_en": "x" * 201}, "question_en"),
            ({"closes_at": "2020-01-01T00:00:00"}, "closes_at"),
            ({"closes_at": "soon"}, "closes_at"),
            ({"quorum": "0"}, "quorum"),
            ({"quorum": "9" * 30}, "quorum"),
            ({"threshold": "100"}, "threshold"),
            ({"threshold": "-1"}, "threshold"),
            ({"threshold": "50.001"}, "threshold"),
            ({"threshold": "NaN"}, "threshold"),
        ],
    )
    def test_bad_motion(self, boss: Client, campaign: Campaign, changes: dict[str, Any], field: str) -> None:
        assert set(errors(boss.post(drafting(campaign), motion(**changes)))) == {field}
        assert not Proposal.objects.exists()

    def test_refusals_of_the_action_are_told(self, boss: Client, campaign: Campaign) -> None:
        same = {"name_zh": "同", "name_en": "Same"}
        response = boss.post(drafting(campaign), motion(same, same))
        assert "Two options have the same name" in str(errors(response)["__all__"])

    def test_no_number_of_options_is_too_strange(self, boss: Client, campaign: Campaign) -> None:
        for options in ("x", "-1", "9" * 20, ""):
            response = boss.post(drafting(campaign), motion(options=options))
            assert response.status_code in (200, 302)


def announced(campaign: Campaign) -> Amendment:
    """A change that a colleague had announced before the opening."""
    return Amendment.objects.create(
        campaign=campaign, name_zh="少偷", name_en="Fewer steals", changes={"stealing": {"per_day": 1}},
        takes_force_at=database_clock.now() + timedelta(days=2),
    )  # fmt: skip


class TestStalePages:
    def test_nobody_overwrites_what_a_colleague_wrote(self, boss: Client, campaign: Campaign) -> None:
        proposal = make.DraftProposalFactory(campaign=campaign)
        mine, theirs = (filled(boss, page(proposal, "edit/")) for _ in range(2))
        assert boss.post(page(proposal, "edit/"), mine | {"question_en": "Mine?"}).status_code == 302
        response = boss.post(page(proposal, "edit/"), theirs | {"question_en": "Theirs?"})
        assert "changed this draft meanwhile" in str(errors(response)["__all__"])
        assert Proposal.objects.get(pk=proposal.pk).question_en == "Mine?"

    def test_what_was_seen_is_what_is_opened(self, boss: Client, campaign: Campaign) -> None:
        proposal = make.DraftProposalFactory(campaign=campaign)
        seen = boss.post(page(proposal, "effects/")).context["seen"]
        Option.objects.filter(proposal=proposal, number=2).update(changes={"stealing": {"per_day": 9}})
        assert "changed this draft meanwhile" in said(boss.post(page(proposal, "opening/"), {"seen": seen}))
        assert "changed this draft meanwhile" in said(boss.post(page(proposal, "opening/")))
        assert Proposal.objects.get(pk=proposal.pk).state == "draft"

    def test_an_open_vote_is_not_edited(self, boss: Client, campaign: Campaign) -> None:
        proposal = make.DraftProposalFactory(campaign=campaign)
        sent = filled(boss, page(proposal, "edit/"))
        opened(boss, proposal)
        response = boss.post(page(proposal, "edit/"), sent | {"question_en": "Another?"})
        assert "can't be done" in str(errors(response)["__all__"])
        assert Proposal.objects.get(pk=proposal.pk).question_en == proposal.question_en

    def test_opening_twice_opens_once(self, boss: Client, campaign: Campaign) -> None:
        proposal = make.DraftProposalFactory(campaign=campaign)
        seen = boss.post(page(proposal, "effects/")).context["seen"]
        words = [said(boss.post(page(proposal, "opening/"), {"seen": seen})) for _ in range(2)]
        assert "has been opened" in words[0]
        assert "can't be done" in words[1]
        assert AuditEntry.objects.filter(action="proposal.opened", subject_id=proposal.pk).count() == 1


def opened(boss: Client, proposal: Proposal) -> Proposal:
    """By the buttons, one after the other."""
    found = boss.post(page(proposal, "effects/"))
    assert found.context["may_open"]
    assert "has been opened" in said(boss.post(page(proposal, "opening/"), {"seen": found.context["seen"]}))
    return Proposal.objects.get(pk=proposal.pk)


class TestEffects:
    FORBIDS = {"specials": ["wild", "copy"]}

    def effects(self, boss: Client, campaign: Campaign, changes: Any, compensations: Any) -> dict[str, Any]:
        proposal = make.DraftProposalFactory(campaign=campaign, options=[{}, changes], compensations={2: compensations})
        response = boss.post(page(proposal, "effects/"))
        _nothing, found = response.context["options"]
        return found

    def test_say_what_would_become_of_cards(self, boss: Client, campaign: Campaign) -> None:
        for cards_held in (["steal", "steal"], ["steal"], ["harmony"]):
            cards.deal(campaign, PlayerFactory(), *cards_held)
        told = self.effects(boss, campaign, self.FORBIDS, {"steal": {"into": "wild"}})
        assert told["effects"] == ["3 × Steal, held by 2 players, would become wild cards."]
        told = self.effects(boss, campaign, self.FORBIDS, {"steal": {"into": "fortune"}})
        assert told["effects"] == ["3 × Steal, held by 2 players, would become random fortunes."]

    def test_say_what_would_be_owed_and_that_it_is_missing(self, boss: Client, campaign: Campaign) -> None:
        cards.deal(campaign, PlayerFactory(), "steal")
        found = self.effects(boss, campaign, self.FORBIDS, {"steal": {"into": "fen", "amount_fen": 150}})
        assert "1 × Steal, held by 1 players, would become ¥1.50 in all." in found["effects"]
        assert "The fund lacks ¥1.50 for it." in found["effects"]
        assert [check.slug for check in found["faults"]] == ["fund-covers"]

    def test_with_a_fault_there_is_no_button(self, boss: Client, campaign: Campaign) -> None:
        proposal = make.DraftProposalFactory(campaign=campaign, options=[{}, {"extension_min": 10**6}])
        response = boss.post(page(proposal, "effects/"))
        assert not response.context["may_open"]
        assert page(proposal, "opening/") not in response.content.decode()
        assert 'data-fault="' in response.content.decode()

    def test_are_looked_at_before_the_opening(self, boss: Client, campaign: Campaign) -> None:
        proposal = make.DraftProposalFactory(campaign=campaign)
        body = boss.get(page(proposal)).content.decode()
        assert page(proposal, "effects/") in body
        assert page(proposal, "opening/") not in body
        assert page(proposal, "opening/") in boss.post(page(proposal, "effects/")).content.decode()

    def test_of_a_missing_vote(self, boss: Client) -> None:
        assert "There is no such proposal" in said(boss.post("/admin/fortunes/proposal/999999999/effects/"))


class TestOpenVotes:
    def test_extend(self, boss: Client, campaign: Campaign) -> None:
        proposal = opened(boss, make.DraftProposalFactory(campaign=campaign))
        later = proposal.closes_at + timedelta(hours=3)
        assert page(proposal, "extension/") in boss.get(page(proposal)).content.decode()
        assert "for longer" in said(boss.post(page(proposal, "extension/"), {"closes_at": typed(later)}))
        extended = Proposal.objects.get(pk=proposal.pk).closes_at
        assert typed(extended) == typed(later)
        told = said(boss.post(page(proposal, "extension/"), {"closes_at": typed(later - timedelta(hours=2))}))
        assert "can only be extended" in told
        assert boss.post(page(proposal, "extension/"), {"closes_at": "soon"}).context["adminform"].form.errors
        assert Proposal.objects.get(pk=proposal.pk).closes_at == extended

    def test_cancel_with_a_reason(self, boss: Client, campaign: Campaign) -> None:
        proposal = opened(boss, make.DraftProposalFactory(campaign=campaign))
        address = page(proposal, "cancellation/")
        for missing in ({}, {"reason_zh": "错了"}, {"reason_zh": "错了", "reason_en": " "}):
            assert boss.post(address, missing).context["adminform"].form.errors
        reason = {"reason_zh": "错了", "reason_en": "A mistake"}
        assert said(boss.post(address, reason)) == "The vote has been cancelled."
        assert "can't be done" in said(boss.post(address, reason))
        body = boss.get(page(proposal)).content.decode()
        assert "Cancelled: A mistake" in body
        assert address not in body
        assert "Cancelled: 错了" not in body
        assert "错了" in boss.get(page(proposal), HTTP_ACCEPT_LANGUAGE="zh-hans").content.decode()
        assert AuditEntry.objects.filter(action="proposal.cancelled", subject_id=proposal.pk).count() == 1

    def test_a_closed_one_is_left_alone(self, boss: Client, campaign: Campaign, clock: Clock) -> None:
        proposal = opened(boss, make.DraftProposalFactory(campaign=campaign))
        clock.move_to(proposal.closes_at)
        closing.close_due()
        for below, sent in (
            ("extension/", {"closes_at": typed(proposal.closes_at + timedelta(hours=1))}),
            ("cancellation/", {"reason_zh": "错", "reason_en": "Wrong"}),
        ):
            assert "can't be done" in said(boss.post(page(proposal, below), sent))
        assert Proposal.objects.get(pk=proposal.pk).state == "closed"

    @pytest.mark.parametrize("below", ["edit/", "extension/", "cancellation/", "figures/"])
    def test_a_missing_one(self, boss: Client, below: str) -> None:
        assert boss.get(f"/admin/fortunes/proposal/999999999/{below}").status_code == 404


class TestTally:
    def figures(self, client: Client, proposal: Proposal) -> dict[str, Any]:
        response = client.get(page(proposal, "figures/"))
        assert "no-store" in response.headers["Cache-Control"]
        found: dict[str, Any] = response.json()
        return found

    def vote(self, proposal: Proposal, *options: int) -> None:
        for option in options:
            make.cast(make.VoterFactory(proposal=proposal), proposal, option)

    def test_is_a_chart_that_grows(self, boss: Client, campaign: Campaign) -> None:
        proposal = make.OpenProposalFactory(campaign=campaign, quorum=4, threshold_bp=6000)
        assert 'data-chart="options"' in boss.get(page(proposal)).content.decode()
        assert [bar["total"] for bar in self.figures(boss, proposal)["charts"]["options"]] == [0, 0]
        self.vote(proposal, 1, 2, 2)
        found = self.figures(boss, proposal)
        assert [bar["total"] for bar in found["charts"]["options"]] == [1, 2]
        assert "If it closed now: too few ballots" in found["parts"]["tally"]
        assert "75.0% of the quorum of 4" in found["parts"]["head"]
        self.vote(proposal, 2)
        assert "If it closed now: adopted: Option 2" in self.figures(boss, proposal)["parts"]["tally"]
        assert "more than 60.0% is needed" in self.figures(boss, proposal)["parts"]["head"]

    def test_tells_how_it_ended(self, boss: Client, campaign: Campaign, clock: Clock) -> None:
        proposal = make.OpenProposalFactory(campaign=campaign)
        self.vote(proposal, 1)
        clock.move_to(proposal.closes_at)
        closing.close_due()
        found = self.figures(boss, proposal)
        assert "data-verdict>adopted: Option 1<" in found["parts"]["tally"]
        assert "turnout 100.0%" in found["parts"]["head"]
        body = boss.get(page(proposal)).content.decode()
        assert bytes(Proposal.objects.get(pk=proposal.pk).ballots_hash).hex() in body

    def test_tells_that_a_close_was_given_up(self, boss: Client, campaign: Campaign) -> None:
        proposal = make.EndedProposalFactory(campaign=campaign, eligible=None, cast=None, ballots_hash=None)
        Proposal.objects.filter(pk=proposal.pk).update(
            attempts=20, last_error="Mismatch: 1", given_up_at=database_clock.now()
        )
        head = self.figures(boss, proposal)["parts"]["head"]
        assert "Mismatch: 1" in head and "given up" in head and "/cancellation/" in head

    def test_says_nothing_about_who_voted_for_what(self, boss: Client, campaign: Campaign) -> None:
        proposal = make.OpenProposalFactory(campaign=campaign)
        voter = make.VoterFactory(proposal=proposal)
        receipt = make.cast(voter, proposal, 2)
        for path in (page(proposal), f"/admin/accounts/player/{voter.pk}/support/"):
            body = boss.get(path).content.decode()
            assert receipt.receipt not in body and receipt.leaf not in body
        assert "Shall the steal card stay?" in body
        assert "Option 2" not in body


class TestRights:
    BUTTONS = ("edit/", "effects/", "opening/", "extension/", "cancellation/")

    def test_looking_needs_one(self, campaign: Campaign) -> None:
        proposal = make.DraftProposalFactory(campaign=campaign)
        for permissions, status in (([], 403), ([RUN], 403), ([LOOK], 200)):
            client = signed_in(member_of_staff(*permissions))
            for below in ("change/", "figures/"):
                assert client.get(page(proposal, below)).status_code == status
        assert page(proposal, "edit/") not in client.get(page(proposal)).content.decode()
        assert page(proposal, "effects/") not in client.get(page(proposal)).content.decode()

    def test_doing_needs_another(self, campaign: Campaign) -> None:
        proposal, before = make.DraftProposalFactory(campaign=campaign), AuditEntry.objects.count()
        rights = ("view", "change", "add", "delete")
        clerk = signed_in(member_of_staff(*(f"fortunes.{right}_proposal" for right in rights)))
        for address in (*(page(proposal, below) for below in self.BUTTONS), drafting(campaign)):
            assert clerk.post(address, motion() | {"reason_zh": "x", "reason_en": "x"}).status_code == 403
        assert clerk.post(page(proposal), {"state": "open"}).status_code == 403
        assert clerk.post(page(proposal, "delete/"), {"post": "yes"}).status_code == 403
        assert clerk.get("/admin/fortunes/proposal/add/").status_code == 403
        assert drafting(campaign) not in clerk.get("/admin/fortunes/proposal/").content.decode()
        assert (Proposal.objects.get(pk=proposal.pk).state, AuditEntry.objects.count()) == ("draft", before)

    def test_needs_a_token(self, boss: Client, campaign: Campaign) -> None:
        proposal = make.DraftProposalFactory(campaign=campaign)
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = boss.cookies
        for below in self.BUTTONS:
            assert strict.post(page(proposal, below)).status_code == 403
        for below in ("effects/", "opening/"):
            assert boss.get(page(proposal, below)).status_code == 405

    def test_list_offers_a_new_vote(self, boss: Client, campaign: Campaign) -> None:
        assert drafting(campaign) in boss.get("/admin/fortunes/proposal/").content.decode()


class TestInChinese:
    def test_all_pages(self, boss: Client, campaign: Campaign) -> None:
        proposal = make.DraftProposalFactory(campaign=campaign, options=[{}, {"specials": ["wild", "copy"]}])
        body = boss.get(page(proposal), HTTP_ACCEPT_LANGUAGE="zh-hans").content.decode()
        assert "保留顺手牵羊卡吗？" in body and "万能福" in body
        assert "顺手牵羊" in boss.get(drafting(campaign), HTTP_ACCEPT_LANGUAGE="zh-hans").content.decode()
