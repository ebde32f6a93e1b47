"""The forms behind the campaign's buttons. They turn what people type into what actions take: yuan into fen."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from cards.actions import presets
from fortunes import clock, rules
from fortunes.adminforms import InstantField, text
from fortunes.models import Campaign
from redpackets.admin import splitforms
from redpackets.admin.splitforms import SplitForm
from redpackets.models import POOL_LIMIT_FEN

MAX_POOL_YUAN = Decimal(POOL_LIMIT_FEN - 1) / 100
SCARCE = "dedication"
# What each is called, and the action that makes it.
PRESETS: dict[str, tuple[Any, Callable[..., Campaign]]] = {
    "five_fortunes": (_("Five Fortunes"), presets.five_fortunes),
    "five_fortunes_2017": (_("Five Fortunes 2017, with the vote on the steal card"), presets.five_fortunes_2017),
}
TIMES = (("tz", "opens_at"), ("closes_at", "reveal_at"))


def weight(slug: str) -> str:
    """The name of the field for the weight of a kind."""
    return f"weight_{slug}"


def number(label: Any, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, widget=UnfoldAdminIntegerFieldWidget(), **options)


def money(label: Any, **options: Any) -> forms.DecimalField:
    widget = UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"})
    return forms.DecimalField(
        label=label, widget=widget, min_value=Decimal("0.01"), max_value=MAX_POOL_YUAN, decimal_places=2, **options
    )


class InstantsForm(forms.BaseForm):
    """What holds for the time zone and the instants of every campaign; the database's constraints say it once more."""

    def clean_tz(self) -> str:
        name: str = self.cleaned_data["tz"]
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValidationError(_("There is no such time zone.")) from error
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        opens_at, closes_at, reveal_at = (cleaned.get(name) for name in ("opens_at", "closes_at", "reveal_at"))
        if opens_at and closes_at and closes_at <= opens_at:
            self.add_error("closes_at", _("The deadline must come after the opening."))
        if closes_at and closes_at <= clock.now():
            self.add_error("closes_at", _("The deadline must be ahead."))
        if closes_at and reveal_at and reveal_at < closes_at:
            self.add_error("reveal_at", _("Packets can't be opened before the deadline."))
        return cleaned


class DraftForm(InstantsForm, forms.ModelForm):
    """What may still be changed of a campaign that has not been opened."""

    opens_at = InstantField(_("live from"))
    closes_at = InstantField(_("deadline"))
    reveal_at = InstantField(_("packets open from"))

    class Meta:
        model = Campaign
        fields: ClassVar = ["name_zh", "name_en", "tz", "opens_at", "closes_at", "reveal_at"]


class PoolForm(SplitForm):
    """A campaign's pool, and how it is shared."""

    pool_yuan = money(_("Pool (yuan)"), help_text=_("Goes into the pool when you fund it, on the next page."))
    credit_after_hours = number(
        _("Unopened packets are credited after (hours)"),
        required=False,
        min_value=0,
        max_value=365 * 24,
        initial=24,
        help_text=_("Counted from the moment packets open; 0 is at once, empty is never."),
    )

    def pool(self) -> dict[str, Any]:
        """The arguments of `pools.create`."""
        hours: int | None = self.cleaned_data["credit_after_hours"]
        return {
            "amount_fen": fen(self.cleaned_data["pool_yuan"]),
            "credit_after_s": None if hours is None else hours * 3600,
        }


class PresetForm(InstantsForm, PoolForm):
    """A new campaign from a preset, with its pool."""

    preset = forms.ChoiceField(
        label=_("Preset"),
        choices=[(name, title) for name, (title, _make) in PRESETS.items()],
        widget=UnfoldAdminSelectWidget(),
        help_text=_("In 2017 the steal card comes in the middle of the season, unless a vote strikes it before."),
    )
    slug = forms.SlugField(
        label=capfirst(_("slug")),
        max_length=50,
        help_text=_("In the address of its pages."),
        widget=UnfoldAdminTextInputWidget(),
    )
    name_zh = text(_("name (Chinese)"), max_length=64, initial="集五福")
    name_en = text(_("name (English)"), max_length=64, initial="Five Fortunes")
    tz = text(_("time zone"), initial="Asia/Shanghai", help_text=_("Quota days begin at midnight here."))
    opens_at = InstantField(_("live from"))
    closes_at = InstantField(_("deadline"))
    reveal_at = InstantField(_("packets open from"))
    cap_units = number(_("Dedication cards in all"), min_value=1, max_value=rules.MAX_CAP)
    cap_tranches = number(
        _("Released in so many parts"),
        min_value=1,
        max_value=rules.MAX_TRANCHES,
        help_text=_("Spread evenly between opening and deadline."),
    )
    per_day = number(_("Scans a day"), min_value=1, max_value=rules.MAX_QUOTA)
    per_campaign = number(_("Scans in the whole campaign"), min_value=1, max_value=rules.MAX_QUOTA)
    specials = forms.MultipleChoiceField(
        label=_("Special cards that may be played"),
        choices=[(slug, f"{name_zh} {name_en}") for slug, name_zh, name_en, *_art in presets.SPECIALS],
        initial=rules.PLAYABLE,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )
    wilds_fill = forms.BooleanField(
        label=_("At the deadline wild cards stand for missing kinds"), required=False, widget=UnfoldBooleanWidget()
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        preset = presets.FIVE_FORTUNES_RULES
        cap, quota = preset["caps"][SCARCE], preset["quotas"]["code"]
        self.initial = {
            "cap_units": cap["units"], "cap_tranches": cap["tranches"],
            "per_day": quota["per_day"], "per_campaign": quota["per_campaign"], **self.initial,
        }  # fmt: skip
        for slug, name_zh, name_en, *_art in presets.FIVE_FORTUNES:
            label = f"{name_zh} {name_en}"
            self.fields[weight(slug)] = number(
                label, min_value=1, max_value=rules.MAX_WEIGHT, initial=preset["weights"][slug]
            )
        for slug, name_zh, name_en, *_art in presets.SPECIALS:
            self.fields[weight(slug)] = number(
                f"{name_zh} {name_en}", required=False, min_value=0, max_value=rules.MAX_WEIGHT, initial=0
            )

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if Campaign.objects.filter(slug=slug).exists():
            raise ValidationError(_("There already is a campaign with this slug."))
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if (cleaned.get("cap_tranches") or 0) > (cleaned.get("cap_units") or rules.MAX_CAP):
            self.add_error("cap_tranches", _("There can't be more parts than cards."))
        return cleaned

    def campaign(self) -> dict[str, Any]:
        """The arguments of the preset."""
        names = ("slug", "name_zh", "name_en", "tz", "opens_at", "closes_at", "reveal_at")
        return {name: self.cleaned_data[name] for name in names} | {"rulebook": self.rulebook()}

    def make(self, **given: Any) -> Campaign:
        """Call the preset. Raises what it raises."""
        _title, preset = PRESETS[self.cleaned_data["preset"]]
        return preset(**given, **self.campaign())

    def rulebook(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        special = {slug: cleaned[weight(slug)] or 0 for slug, *_art in presets.SPECIALS}
        return {
            "weights": {slug: cleaned[weight(slug)] for slug, *_art in presets.FIVE_FORTUNES}
            | {slug: chance for slug, chance in special.items() if chance},
            "specials": cleaned["specials"],
            "wilds_fill": cleaned["wilds_fill"],
            "split": self.split(),
            "caps": {SCARCE: {"units": cleaned["cap_units"], "tranches": cleaned["cap_tranches"]}},
            "quotas": {"code": {"per_day": cleaned["per_day"], "per_campaign": cleaned["per_campaign"]}},
        }


PRESET_FIELDSETS = (
    (None, {"fields": ("preset", "slug", ("name_zh", "name_en"))}),
    (_("Times"), {"fields": TIMES}),
    (
        _("Odds and quotas"),
        {
            "fields": (
                *(weight(slug) for slug, *_art in presets.FIVE_FORTUNES),
                ("cap_units", "cap_tranches"),
                ("per_day", "per_campaign"),
            ),
            "description": _("The chance of a card is its weight over the sum of all weights."),
        },
    ),
    (
        _("Special cards"),
        {
            "fields": (tuple(weight(slug) for slug, *_art in presets.SPECIALS), "specials", "wilds_fill"),
            "description": _("A season has those that have a weight. Whether they may be played is a rule."),
        },
    ),
    (_("Money"), {"fields": ("pool_yuan", *splitforms.FIELDS, "credit_after_hours")}),
)


class FundingForm(forms.Form):
    """Money from the campaign's sponsor to its pool."""

    yuan = money(_("Amount (yuan)"))
    business_key = text(
        _("Reference of the payment"),
        max_length=64,
        help_text=_("Posted once only: sending the same reference again changes nothing."),
    )

    def funding(self) -> dict[str, Any]:
        """The arguments of `pools.fund`."""
        return {"amount_fen": fen(self.cleaned_data["yuan"]), "business_key": self.cleaned_data["business_key"]}


def fresh_reference(pool_id: int) -> str:
    return f"fund:{pool_id}:{secrets.token_hex(6)}"


def fen(yuan: Decimal) -> int:
    """Exactly: the form lets through two decimal places."""
    return int(yuan * 100)
