"""The fields that say how a pool is shared; what they make is the rulebook's `split`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget

from fortunes import rules
from redpackets.admin import ruling, terms

FIELDS = (("mode", "remainder"), "minimum_yuan", "jackpots")


def _choice(name: str) -> forms.ChoiceField:
    choices = list(ruling.VALUES["split", name].items())
    return forms.ChoiceField(label=ruling.SPLIT[name], choices=choices, widget=UnfoldAdminSelectWidget())


class SplitForm(forms.Form):
    """How a pool is shared. What doesn't fit together is told here in words; the rules refuse it in any case."""

    mode = _choice("mode")
    remainder = _choice("remainder")
    minimum_yuan = forms.DecimalField(
        label=_("Everybody gets at least (yuan)"),
        help_text=_("Where the pool is split by chance; empty is nothing."),
        required=False,
        min_value=0,
        max_value=Decimal(rules.MAX_FEN - 1) / 100,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"}),
    )
    jackpots = terms.JackpotsField(label=ruling.SPLIT["jackpots"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        mode = cleaned.get("mode")
        if mode and mode != "random" and cleaned.get("minimum_yuan"):
            self.add_error("minimum_yuan", _("Only where the pool is split by chance."))
        if mode == "random" and cleaned.get("remainder") == "return":
            self.add_error("remainder", _("Where the pool is split by chance all of it is shared."))
        if mode and "jackpots" in cleaned and bool(cleaned["jackpots"]) != (mode == "tiered"):
            self.add_error("jackpots", _("Jackpots belong to the split that is named after them, and only to that."))
        return cleaned

    def split(self) -> dict[str, Any]:
        """The rulebook's `split`."""
        return {
            "mode": self.cleaned_data["mode"],
            "remainder": self.cleaned_data["remainder"],
            "minimum_fen": int((self.cleaned_data["minimum_yuan"] or 0) * 100),
            "jackpots": self.cleaned_data["jackpots"] or [],
        }


def initial(split: rules.Split) -> dict[str, Any]:
    """What the fields show of rules that are in force."""
    return {
        "mode": split.mode,
        "remainder": split.remainder,
        "minimum_yuan": Decimal(split.minimum_fen) / 100 if split.minimum_fen else None,
        "jackpots": "\n".join(f"{one.count} × {Decimal(one.prize_fen) / 100:.2f}" for one in split.jackpots),
    }
