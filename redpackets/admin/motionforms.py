"""The forms of votes: a motion with its options, and what is done to one that is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanWidget

from fortunes import amending, clock
from fortunes.actions import judging
from fortunes.actions.judging import OptionPlan
from fortunes.adminforms import InstantField, text
from fortunes.models import Amendment, Compensation, Proposal
from redpackets.admin.changing import ChangeForm
from redpackets.admin.forms import fen, money, number

BASIS_POINTS = 100
NO_PROMISE = ""
LEAST_OPTIONS = 2
# The button that asks for one more option.
MORE = "more"


class MotionForm(forms.Form):
    """The question and how it is decided; the options have forms of their own."""

    question_zh = text(gettext_lazy("question (Chinese)"), max_length=judging.MOST_QUESTION)
    question_en = text(gettext_lazy("question (English)"), max_length=judging.MOST_QUESTION)
    opens_at = InstantField(gettext_lazy("opens"))
    closes_at = InstantField(gettext_lazy("closes"))
    quorum = number(
        gettext_lazy("Least number of ballots"),
        min_value=1,
        max_value=judging.MOST_QUORUM,
        initial=1,
        help_text=gettext_lazy("With fewer nothing changes."),
    )
    threshold = forms.DecimalField(
        label=gettext_lazy("Threshold (percent of the ballots)"),
        initial=Decimal(50),
        min_value=0,
        max_value=Decimal("99.99"),
        decimal_places=2,
        help_text=gettext_lazy("The winner needs more than this: 50 is a majority. With less nothing changes."),
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01"}),
    )
    may_change = forms.BooleanField(
        label=gettext_lazy("Players may change their ballot"), required=False, widget=UnfoldBooleanWidget()
    )
    # What the draft was like when this page was made: nobody overwrites what a colleague has written meanwhile.
    seen = forms.CharField(required=False, widget=forms.HiddenInput())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        opens_at, closes_at = cleaned.get("opens_at"), cleaned.get("closes_at")
        if opens_at and closes_at and closes_at <= opens_at:
            self.add_error("closes_at", _("A vote closes after it has opened."))
        elif closes_at and closes_at <= clock.now():
            self.add_error("closes_at", _("This is over."))
        return cleaned

    def given(self) -> dict[str, Any]:
        """Arguments of `proposals.draft` and `edit`."""
        names = ("question_zh", "question_en", "opens_at", "closes_at", "quorum", "may_change")
        threshold_bp = int(self.cleaned_data["threshold"] * BASIS_POINTS)
        return {name: self.cleaned_data[name] for name in names} | {"threshold_bp": threshold_bp}

    @classmethod
    def shown(cls, proposal: Proposal) -> dict[str, Any]:
        """A draft as this form's initial values."""
        names = ("question_zh", "question_en", "opens_at", "closes_at", "quorum", "may_change")
        threshold = Decimal(proposal.threshold_bp) / BASIS_POINTS
        return {name: getattr(proposal, name) for name in names} | {"threshold": threshold}


MOTION_FIELDSETS = (
    (None, {"fields": (("question_zh", "question_en"),)}),
    (gettext_lazy("Times"), {"fields": (("opens_at", "closes_at"),)}),
    (gettext_lazy("How it is decided"), {"fields": (("quorum", "threshold"), "may_change")}),
)


class OptionForm(ChangeForm):
    """One of a motion's options: its names, what it changes, what it strikes, and what it promises for cards."""

    name_zh = text(gettext_lazy("name (Chinese)"), max_length=judging.MOST_NAME)
    name_en = text(gettext_lazy("name (English)"), max_length=judging.MOST_NAME)

    def __init__(self, *args: Any, announced: Sequence[Amendment], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["gone"] = forms.BooleanField(
            label=_("Leave this option out"), required=False, widget=UnfoldBooleanWidget()
        )
        named = [(str(amendment.pk), str(amendment)) for amendment in announced]
        self.fields["strikes"] = forms.ChoiceField(
            label=_("Strikes the announced change"),
            required=False,
            choices=[("", _("none")), *named],
            widget=UnfoldAdminSelectWidget(),
        )
        for role in self.roles:
            self._add_promise(role)

    def _add_promise(self, role: str) -> None:
        card = self.tongue.role(role)
        self.fields[f"into-{role}"] = forms.ChoiceField(
            label=_("Each %(card)s held becomes") % {"card": card},
            required=False,
            choices=[(NO_PROMISE, "-"), *Compensation.Into.choices],
            widget=UnfoldAdminSelectWidget(),
            help_text=_("Where this option forbids the card, and only there."),
        )
        self.fields[f"yuan-{role}"] = money(_("Amount for each (yuan)"), required=False)

    def refusal(self, after: Any) -> str | None:
        """An option says what becomes of each card that it forbids, and of no other."""
        removed = amending.removed_roles(self.now, after)
        for role in self.roles:
            into, yuan = self.cleaned_data.get(f"into-{role}"), self.cleaned_data.get(f"yuan-{role}")
            if into and role not in removed:
                self.add_error(f"into-{role}", _("This option doesn't forbid the card."))
            if role in removed and not into:
                self.add_error(f"into-{role}", _("Say what becomes of the cards that players hold."))
            if (into == Compensation.Into.FEN) != bool(yuan) and f"yuan-{role}" not in self.errors:
                self.add_error(f"yuan-{role}", _("An amount is given where the card becomes money, and only there."))
        return super().refusal(after)

    def plan(self) -> OptionPlan:
        cleaned = self.cleaned_data
        return OptionPlan(
            name_zh=cleaned["name_zh"],
            name_en=cleaned["name_en"],
            changes=self.patch(),
            strikes=int(cleaned["strikes"]) if cleaned["strikes"] else None,
            compensations={role: self._promise(role) for role in self.roles if cleaned[f"into-{role}"]},
        )

    def _promise(self, role: str) -> dict[str, Any]:
        into, yuan = self.cleaned_data[f"into-{role}"], self.cleaned_data[f"yuan-{role}"]
        return {"into": into} | ({"amount_fen": fen(yuan)} if yuan else {})

    @classmethod
    def shown(cls, plan: Mapping[str, Any]) -> dict[str, Any]:
        """An option as this form's arguments: `initial`, and the patch that the fields of rules take apart."""
        initial = {name: plan[name] for name in ("name_zh", "name_en")} | {"strikes": str(plan["strikes"] or "")}
        for role, promise in plan["compensations"].items():
            initial[f"into-{role}"] = promise["into"]
            if promise.get("amount_fen"):
                initial[f"yuan-{role}"] = Decimal(promise["amount_fen"]) / 100
        return {"initial": initial, "patch": plan["changes"]}

    def fieldsets(self) -> list[Any]:
        first, last = (None, {"fields": (("name_zh", "name_en"),)}), (None, {"fields": ("gone",)})
        return [first, *super().fieldsets(), self._striking(), last]

    def _lines_of_role(self, role: str) -> list[tuple[str, ...]]:
        return [*super()._lines_of_role(role), (f"into-{role}", f"yuan-{role}")]

    def _striking(self) -> Any:
        is_used = bool(self["strikes"].value() or self["strikes"].errors)
        return _("Announced changes"), {"fields": ("strikes",), "classes": () if is_used else ("collapse",)}


class Options:
    """The forms of all options of a motion: two at least. `data` is what was sent; otherwise `plans` are shown."""

    def __init__(
        self, data: Any = None, *, plans: Sequence[Mapping[str, Any]] = (), least: int = LEAST_OPTIONS, **common: Any
    ) -> None:
        self.is_bound = data is not None
        if data is not None:
            self.forms = [self._form(data, number, common) for number in range(1, self._sent(data) + 1)]
        else:
            shown = [OptionForm.shown(plan) for plan in plans]
            shown += [{} for _missing in range(least - len(shown))]
            self.forms = [self._form(None, number, common | one) for number, one in enumerate(shown, start=1)]
        if data is not None and MORE in data and len(self.forms) < judging.MOST_OPTIONS:
            self.forms.append(self._form(None, len(self.forms) + 1, common))
        self.error = ""

    def _form(self, data: Any, number: int, given: Mapping[str, Any]) -> OptionForm:
        return OptionForm(data, prefix=f"option-{number}", use_required_attribute=False, **given)

    @staticmethod
    def _sent(data: Any) -> int:
        """How many options the page had that was sent."""
        try:
            return max(LEAST_OPTIONS, min(judging.MOST_OPTIONS, int(data.get("options", ""))))
        except ValueError:
            return LEAST_OPTIONS

    @property
    def kept(self) -> list[OptionForm]:
        return [form for form in self.forms if not (form.is_bound and form["gone"].value())]

    @property
    def may_grow(self) -> bool:
        return len(self.forms) < judging.MOST_OPTIONS

    def is_valid(self) -> bool:
        if len(self.kept) < LEAST_OPTIONS:
            self.error = _("There have to be two options at least.")
        # Each of them is asked, so that each shows what is wrong.
        return not [form for form in self.kept if not form.is_valid()] and not self.error

    def given(self) -> list[OptionPlan]:
        return [form.plan() for form in self.kept]


class ExtensionForm(forms.Form):
    """A later end of a vote that is open."""

    closes_at = InstantField(gettext_lazy("closes"))

    def given(self) -> dict[str, Any]:
        return {"closes_at": self.cleaned_data["closes_at"]}


class CancellationForm(forms.Form):
    """Why a vote ends without a result, for the players to read."""

    reason_zh = text(gettext_lazy("reason (Chinese)"), max_length=judging.MOST_QUESTION)
    reason_en = text(gettext_lazy("reason (English)"), max_length=judging.MOST_QUESTION)

    def given(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("reason_zh", "reason_en")}


class AnnouncementForm(ChangeForm):
    """A change of the rules that takes force at a set time, unless a vote strikes it before."""

    name_zh = text(gettext_lazy("name (Chinese)"), max_length=judging.MOST_NAME)
    name_en = text(gettext_lazy("name (English)"), max_length=judging.MOST_NAME)
    takes_force_at = InstantField(gettext_lazy("takes force"))

    def given(self) -> dict[str, Any]:
        """Arguments of `rulechanges.announce`."""
        names = ("name_zh", "name_en", "takes_force_at")
        return {name: self.cleaned_data[name] for name in names} | {"changes": self.patch()}

    def fieldsets(self) -> list[Any]:
        return [(None, {"fields": (("name_zh", "name_en"), "takes_force_at")}), *super().fieldsets()]
