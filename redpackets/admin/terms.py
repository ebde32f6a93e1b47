"""The fields for rules: for each rule one, which shows what is in force, and turns what is typed into the rule's value.

A field that is left empty changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from fortunes import rules
from fortunes.rules import Rules
from redpackets.admin import ruling

AS_IT_IS = ""


class Unreadable(Exception):
    """A value of a patch that the field for it can't show."""


class Term(NamedTuple):
    """A field for the rule at `path`: `write` makes the rule's value of what was typed, `read` does the opposite."""

    path: tuple[str, ...]
    field: forms.Field
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _whole(label: str, now: int, *, low: int, high: int) -> tuple[forms.Field, Any, Any]:
    widget = UnfoldAdminIntegerFieldWidget(attrs={"placeholder": str(now)})
    field = forms.IntegerField(label=label, required=False, min_value=low, max_value=high, widget=widget)
    return field, int, _read_whole


def _read_whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable
    return value


def _choice(label: str, now: str, choices: Mapping[Any, Any]) -> tuple[forms.Field, Any, Any]:
    """`choices`: the rule's values with their names."""
    as_it_is = (AS_IT_IS, _("as it is (%(now)s)") % {"now": now})
    words = {str(value): value for value in choices}
    field = forms.ChoiceField(
        label=label,
        required=False,
        choices=[as_it_is, *((word, str(choices[value])) for word, value in words.items())],
        widget=UnfoldAdminSelectWidget(),
    )
    return field, words.__getitem__, _among({value: word for word, value in words.items()})


def _among(names: Mapping[Any, str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str | bool) or value not in names:
            raise Unreadable
        return names[value]

    return read


def _switch(label: str, now: bool) -> tuple[forms.Field, Any, Any]:
    return _choice(label, _("yes") if now else _("no"), {True: _("yes"), False: _("no")})


def _yuan(label: str, now: int) -> tuple[forms.Field, Any, Any]:
    widget = UnfoldAdminDecimalFieldWidget(attrs={"step": "0.01", "placeholder": f"{Decimal(now) / 100:.2f}"})
    highest = Decimal(rules.MAX_FEN - 1) / 100
    field = forms.DecimalField(
        label=label, required=False, min_value=0, max_value=highest, decimal_places=2, widget=widget
    )
    return field, lambda typed: int(typed * 100), lambda fen: Decimal(_read_whole(fen)) / 100


class JackpotsField(forms.CharField):
    """A line for each: how many, and how many yuan."""

    def __init__(self, **options: Any) -> None:
        help_text = gettext_lazy(
            "A line for each, as in 10 × 888.00: how many, and how many yuan more each of them gets."
        )
        widget = UnfoldAdminExpandableTextareaWidget()
        super().__init__(required=False, max_length=1_000, help_text=help_text, widget=widget, **options)

    def clean(self, value: Any) -> Any:
        return [self._jackpot(line) for line in super().clean(value).splitlines() if line.strip()] or None

    def _jackpot(self, line: str) -> dict[str, int]:
        count, _times, prize = line.replace("x", "×").replace("*", "×").partition("×")
        try:
            amount = forms.DecimalField(min_value=Decimal("0.01"), max_digits=12, decimal_places=2).clean(prize)
            number = forms.IntegerField(min_value=1, max_value=rules.MAX_JACKPOTS).clean(count)
        except ValidationError as error:
            raise ValidationError(_("“%(line)s” is not a number and an amount.") % {"line": line}) from error
        return {"count": number, "prize_fen": int(amount * 100)}


def _jackpots(label: str) -> tuple[forms.Field, Any, Any]:
    return JackpotsField(label=label), lambda jackpots: jackpots, _read_jackpots


def _read_jackpots(jackpots: Any) -> str:
    try:
        return "\n".join(f"{one['count']} × {Decimal(one['prize_fen']) / 100:.2f}" for one in jackpots)
    except (KeyError, TypeError, ArithmeticError) as error:
        raise Unreadable from error


class Terms:
    """The fields for the rules of one campaign, by the names of the fields."""

    def __init__(self, now: Rules, tongue: ruling.Tongue, *, is_draft: bool) -> None:
        self.now, self.tongue, self.is_draft = now, tongue, is_draft

    def of(self, group: str) -> dict[str, Term]:
        make: Callable[[], Iterator[tuple[tuple[str, ...], Any]]] = getattr(self, f"_{group}")
        return {"-".join(path): Term(path, *made) for path, made in make()}

    def _ordered(self, group: str) -> list[tuple[str, Any]]:
        """What the rules say of each kind or source, in the order of these."""
        return sorted(getattr(self.now, group).items(), key=lambda member: self.tongue.place(group, member[0]))

    def _label(self, *path: str) -> str:
        return self.tongue.rule(path)

    def _weights(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        for slug, weight in self._ordered("weights"):
            yield (("weights", slug), _whole(self.tongue.kind(slug), weight, low=0, high=rules.MAX_WEIGHT))

    def _caps(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        for slug, cap in self._ordered("caps"):
            path = ("caps", slug, "units")
            low = 1 if self.is_draft else cap.units
            yield path, _whole(self._label(*path), cap.units, low=low, high=rules.MAX_CAP)

    def _quotas(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        for slug, quota in self._ordered("quotas"):
            for name in quota.__struct_fields__:
                path = ("quotas", slug, name)
                yield path, _whole(self._label(*path), getattr(quota, name), low=0, high=rules.MAX_QUOTA)

    def _trading(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        yield from self._limits("trading", self.now.trading)

    def _stealing(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        yield from self._limits("stealing", self.now.stealing)

    def _limits(self, group: str, limits: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
        for name in limits.__struct_fields__:
            path, value = (group, name), getattr(limits, name)
            high = rules.MAX_HOURS if name.endswith("_h") else rules.MAX_LIMIT
            low = 1 if name == "lifetime_h" else 0
            is_switch = isinstance(value, bool)
            label = self._label(*path)
            yield path, _switch(label, value) if is_switch else _whole(label, value, low=low, high=high)

    def _specials(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        path = ("wilds_fill",)
        yield path, _switch(self._label(*path), self.now.wilds_fill)

    def _split(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        split = self.now.split
        for name in ("mode", "remainder"):
            path = ("split", name)
            now = self.tongue.value(path, getattr(split, name))
            yield path, _choice(self._label(*path), now, ruling.VALUES[path])
        yield ("split", "minimum_fen"), _yuan(self._label("split", "minimum_fen"), split.minimum_fen)
        yield ("split", "jackpots"), _jackpots(self._label("split", "jackpots"))

    def _extension_min(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        path, now = ("extension_min",), self.now.extension_min
        yield path, _whole(self._label(*path), now, low=now, high=60 * rules.MAX_HOURS)

    def _extra(self) -> Iterator[tuple[tuple[str, ...], Any]]:
        return iter(())
