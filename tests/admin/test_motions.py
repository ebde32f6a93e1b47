"""Staff draft motions: plain fields that become changes of the rules."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from fortunes import clock as database_clock
from fortunes.models import AuditEntry, Campaign, Option, Proposal
from tests.admin.motions import (
    RULES,
    announced,
    campaign,
    drafting,
    errors,
    filled,
    motion,
    opened,
    page,
    patches,
    said,
    typed,
)
from tests.factories import cards
from tests.factories import votes as make

__all__ = ["campaign"]


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

    @pytest.mark.parametrize("patch", [{"stealing": None}, {"stealing": {"per_day": None}}, {"split": None}], ids=str)
    def test_nulls_stay_what_they_are(self, boss: Client, campaign: Campaign, patch: dict[str, Any]) -> None:
        """They take a rule back to what it is where nobody has written it; no field says that."""
        proposal = self.draft(boss, campaign, {}, {"extra": json.dumps(patch)})
        sent = filled(boss, page(proposal, "edit/"))
        assert boss.post(page(proposal, "edit/"), sent).status_code == 302
        assert patches(proposal) == [{}, patch]

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

    @pytest.mark.parametrize("asked", ["x", "-1", "٣", "9" * 20, "9" * 5000])
    def test_what_is_no_announcement_is_not_put_to_the_vote(self, boss: Client, campaign: Campaign, asked: str) -> None:
        assert filled(boss, f"{drafting(campaign)}?strikes={asked}")["options"] == 2

    @pytest.mark.parametrize(
        ("option", "field"),
        [
            ({"extra": "{"}, "extra"),
            ({"extra": "[1]"}, "extra"),
            ({"extra": "[" * 3900}, "extra"),
            ({"extra": "9" * 3900}, "extra"),
            ({"extra": '{"a": "\\ud800"}'}, "extra"),
            ({"extra": '{"weights": {"\\u0000": null}}'}, "extra"),
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
            ({"opens_at": "0001-01-01T00:00:00"}, "opens_at"),
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
        option = Option.objects.get(proposal=proposal, number=2)
        option.delete()
        option.changes = {"stealing": {"per_day": 9}}
        option.save(force_insert=True)
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
