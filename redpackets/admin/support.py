"""The forms of what is done for a player: each is a page of its own, so that nobody does it by a slip of the hand."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanWidget

from accounts.models import Ban
from cards.models import SupportReason
from fortunes.amounts import yuan
from fortunes.models import Campaign
from redpackets.actions.compensations import Reason
from redpackets.admin.forms import fen, money, text

MOST_CAMPAIGNS = 20
REASONS = {
    Reason.OUTAGE: _("an outage of ours"),
    Reason.LOST_CARD: _("a card that was lost"),
    Reason.WRONG_PAYOUT: _("a payout that was wrong"),
    Reason.GOODWILL: _("goodwill"),
}


def _limit() -> str:
    return gettext("At most %(sum)s.") % {"sum": yuan(settings.COMPENSATION_LIMIT_FEN)}


def case() -> forms.CharField:
    return text(
        _("Case number"),
        max_length=32,
        help_text=_("Of your ticket system. A case is compensated once, however often the button is pressed."),
    )


def choice(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=UnfoldAdminSelectWidget())


class CampaignForm(forms.Form):
    """What is given in one of the newest campaigns that were opened."""

    campaign = forms.ModelChoiceField(
        label=_("Campaign"), queryset=Campaign.objects.none(), widget=UnfoldAdminSelectWidget(), empty_label=None
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        opened = Campaign.objects.filter(opened_at__isnull=False).order_by("-pk")
        newest = list(opened.values_list("pk", flat=True)[:MOST_CAMPAIGNS])
        self.fields["campaign"].queryset = Campaign.objects.filter(pk__in=newest).order_by("-pk")  # type: ignore[attr-defined]


class DrawForm(CampaignForm):
    reason = choice(_("Reason"), SupportReason.choices)
    case = case()

    def given(self) -> dict[str, Any]:
        """The arguments of `cards.actions.compensations.grant_draw`."""
        cleaned = self.cleaned_data
        return {
            "campaign_id": cleaned["campaign"].pk,
            "reason": SupportReason(cleaned["reason"]),
            "key": cleaned["case"],
        }


class MoneyForm(CampaignForm):
    yuan = money(_("Amount (yuan)"), help_text=lazy(_limit, str)())
    reason = choice(_("Reason"), [(reason.value, name) for reason, name in REASONS.items()])
    case = case()

    def given(self) -> dict[str, Any]:
        """The arguments of `redpackets.actions.compensations.pay`."""
        cleaned = self.cleaned_data
        return {
            "campaign_id": cleaned["campaign"].pk,
            "amount_fen": fen(cleaned["yuan"]),
            "reason": Reason(cleaned["reason"]),
            "case": cleaned["case"],
        }


class BanForm(forms.Form):
    reason = choice(_("Reason"), Ban.Reason.choices)

    def given(self) -> dict[str, Any]:
        return {"reason": Ban.Reason(self.cleaned_data["reason"])}


class UnbanForm(forms.Form):
    sure = forms.BooleanField(label=_("The player may sign in again."), widget=UnfoldBooleanWidget())

    def given(self) -> dict[str, Any]:
        return {}


class ErasureForm(forms.Form):
    sure = forms.BooleanField(
        label=_("The player has asked for it, and knows that it can't be undone."), widget=UnfoldBooleanWidget()
    )

    def given(self) -> dict[str, Any]:
        return {}


class LookUpForm(forms.Form):
    word = text(_("Username, phone, public id or number"), max_length=64, help_text=_("Whole, as the player says it."))
