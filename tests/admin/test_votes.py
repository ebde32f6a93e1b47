"""A vote at the admin: looked at with its effects, opened, extended, cancelled and watched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from fortunes import clock as database_clock
from fortunes.actions import closing
from fortunes.models import AuditEntry, Campaign, Proposal
from tests.admin.conftest import member_of_staff, signed_in
from tests.admin.motions import (
    LOOK,
    RUN,
    campaign,
    drafting,
    motion,
    opened,
    page,
    said,
    typed,
)
from tests.factories import cards
from tests.factories import votes as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

__all__ = ["campaign"]


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

    def test_tells_in_either_language_why_nothing_came_of_it(
        self, boss: Client, campaign: Campaign, clock: Clock
    ) -> None:
        proposal = make.OpenProposalFactory(campaign=campaign, options=({}, {"extension_min": 18}))
        self.vote(proposal, 2)
        Campaign.objects.filter(pk=campaign.pk).update(reveal_at=campaign.closes_at)
        clock.move_to(proposal.closes_at)
        closing.close_due()
        english, chinese = (
            boss.get(page(proposal), HTTP_ACCEPT_LANGUAGE=language).content.decode() for language in ("en", "zh-hans")
        )
        assert "changed nothing: /extension_min: the deadline can&#x27;t come after the reveal" in english
        assert "/extension_min: 截止时间不能晚于开奖时间" in chinese

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
