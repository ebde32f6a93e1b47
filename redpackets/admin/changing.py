"""Changes of the rules as forms: plain fields that make up a merge patch, and a patch read back into those fields.

A field that is left empty changes nothing. Each shows what the rules in force say. What no field knows goes into a last
one as JSON, and is held against the same rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminExpandableTextareaWidget, UnfoldAdminSelectWidget

from fortunes import amending, rules
from fortunes.errors import said
from fortunes.rules import Rules, RulesError
from redpackets.admin import ruling
from redpackets.admin.terms import AS_IT_IS, Terms, Unreadable

Patch = dict[str, Any]

ALLOWED, FORBIDDEN = "allowed", "forbidden"
LONGEST_JSON = 4_000
A_LINE = 2
# Which groups of fields there are, in their order. After the opening staff alone change the first two, upwards.
STAFF = ("quotas", "trading")
EVERYTHING = ("specials", "weights", "caps", "quotas", "trading", "stealing", "split", "extension_min", "extra")
TITLES = {**ruling.GROUPS, "extra": gettext_lazy("Anything else")}


class ChangeForm(forms.Form):
    """A change of the rules `now` of a campaign. `patch()` is what was typed as a merge patch; it is a possible one."""

    is_draft = False
    is_folded = True

    def __init__(
        self,
        *args: Any,
        now: Rules,
        tongue: ruling.Tongue,
        groups: Iterable[str] = EVERYTHING,
        patch: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.now, self.tongue, self.groups = now, tongue, tuple(groups)
        terms = Terms(now, tongue, is_draft=self.is_draft)
        self.terms = {group: terms.of(group) for group in self.groups}
        for of_group in self.terms.values():
            self.fields |= {name: term.field for name, term in of_group.items()}
        if "specials" in self.groups:
            self.fields |= {f"role-{role}": self._role_field(role) for role in self.roles}
        if "extra" in self.groups:
            self.fields["extra"] = _json_field()
        self.initial = {**self.initial, **self._read(patch or {})}

    @property
    def roles(self) -> list[str]:
        """Those of the special kinds that the campaign has."""
        return [role for role in rules.SPECIALS if self.tongue.kind_of_role(role)]

    def _role_field(self, role: str) -> forms.ChoiceField:
        now = _("allowed") if role in self.now.specials else _("not allowed")
        choices = [
            (AS_IT_IS, _("as it is (%(now)s)") % {"now": now}),
            (ALLOWED, _("allow")),
            (FORBIDDEN, _("forbid")),
        ]
        widget = UnfoldAdminSelectWidget()
        return forms.ChoiceField(label=self.tongue.role(role), required=False, choices=choices, widget=widget)

    # From a patch to fields

    def _read(self, patch: Mapping[str, Any]) -> dict[str, Any]:
        left = deepcopy(dict(patch))
        read = self._read_roles(left) if "specials" in self.groups else {}
        for of_group in self.terms.values():
            for name, term in of_group.items():
                value = _look(left, term.path)
                # Not there, or a null, which takes away what no field can.
                if value is None:
                    continue
                try:
                    read[name] = term.read(value)
                except Unreadable:
                    continue
                _drop(left, term.path)
        if left and "extra" in self.groups:
            read["extra"] = json.dumps(left, ensure_ascii=False, indent=2)
        return read

    def _read_roles(self, left: Patch) -> dict[str, Any]:
        """Takes what it understands of special kinds out of `left`."""
        wanted = left.get("specials")
        if not isinstance(wanted, list) or not set(wanted) ^ set(self.now.specials) <= set(self.roles):
            return {}
        del left["specials"]
        read = {}
        for role in self.roles:
            if (role in wanted) != (role in self.now.specials):
                read[f"role-{role}"] = ALLOWED if role in wanted else FORBIDDEN
            slug = self.tongue.kind_of_role(role) or ""
            if read.get(f"role-{role}") == FORBIDDEN and _look(left, ("weights", slug)) == 0:
                _drop(left, ("weights", slug))
        return read

    # From fields to a patch

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        patch = self._written()
        self._add_roles(patch)
        self._add_split(patch)
        extra = cleaned.get("extra") or {}
        if meeting := next(_meeting(patch, extra, ""), None):
            self.add_error("extra", _("%(path)s is in a field above already.") % {"path": meeting})
        elif not self.errors:
            self._judge(_overlaid(patch, extra), "extra" if extra else None)
        return cleaned

    def _written(self) -> Patch:
        patch: Patch = {}
        for of_group in self.terms.values():
            for name, term in of_group.items():
                value = self.cleaned_data.get(name)
                if value is not None and value != AS_IT_IS:
                    _put(patch, term.path, term.write(value))
        return patch

    def _add_roles(self, patch: Patch) -> None:
        """Which special kinds may be played is one list. What may not be played any more isn't drawn either."""
        chosen = {role: self.cleaned_data.get(f"role-{role}") or AS_IT_IS for role in self.roles}
        if "specials" not in self.groups or not any(chosen.values()):
            return
        before = self.now.specials
        allowed = {role for role in before if chosen.get(role) != FORBIDDEN}
        allowed |= {role for role, word in chosen.items() if word == ALLOWED}
        patch["specials"] = [role for role in rules.SPECIALS if role in allowed]
        for role, word in chosen.items():
            slug = self.tongue.kind_of_role(role) or ""
            if word != FORBIDDEN or role not in before or not self.now.weights.get(slug):
                continue
            if _look(patch, ("weights", slug)):
                self.add_error(f"weights-{slug}", _("What may not be played can't be drawn: leave this empty."))
            _put(patch, ("weights", slug), 0)

    def _add_split(self, patch: Patch) -> None:
        """With another way of splitting goes what belongs to the former one only."""
        now, mode = self.now.split, _look(patch, ("split", "mode"))
        if mode is None:
            return
        split = patch["split"]
        if now.jackpots and mode != "tiered":
            split.setdefault("jackpots", [])
        if now.minimum_fen and mode != "random":
            split.setdefault("minimum_fen", 0)
        if now.remainder == "return" and mode == "random":
            split.setdefault("remainder", "share")

    def _judge(self, patch: Patch, field: str | None) -> None:
        """The change is held against the rules as they are now; the opening and the close do so again."""
        self._patch = patch
        try:
            after = amending.merged(self.now, patch)
        except RulesError as error:
            self.add_error(field, _("These rules would not be valid: %(why)s") % {"why": said(error.why)})
            return
        self.after = after
        if why := self.refusal(after):
            self.add_error(field, why)

    def refusal(self, after: Rules) -> str | None:
        """Why this form refuses such rules."""
        why = amending.impossible(self.now, after)
        return _("No vote can change this: %(why)s") % {"why": said(why)} if why else None

    def patch(self) -> Patch:
        return self._patch

    def fieldsets(self) -> list[Any]:
        """Open where something was typed or is wrong, folded elsewhere."""
        return [fieldset for group in self.groups if (fieldset := self._fieldset(group))]

    def _fieldset(self, group: str) -> Any:
        lines = self._lines(group)
        if not lines:
            return None
        is_used = any(self[name].errors or self[name].value() for line in lines for name in line)
        return str(TITLES[group]), {"fields": lines, "classes": ("collapse",) if self.is_folded and not is_used else ()}

    def _lines(self, group: str) -> list[tuple[str, ...]]:
        """The names of a group's fields, those together that stand on a line."""
        names = ["extra"] if group == "extra" else list(self.terms[group])
        lines = [tuple(names[i : i + A_LINE]) for i in range(0, len(names), A_LINE)]
        if group == "specials":
            lines = [*(line for role in self.roles for line in self._lines_of_role(role)), *lines]
        return lines

    def _lines_of_role(self, role: str) -> list[tuple[str, ...]]:
        return [(f"role-{role}",)]


class DraftRulesForm(ChangeForm):
    """What staff change of the rules of a draft: all but its instants, which the campaign's own form has."""

    is_draft = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, groups=[group for group in EVERYTHING if group != "extension_min"], **options)

    def refusal(self, after: Rules) -> str | None:
        return _("Nothing would change.") if after == self.now else None


class StaffChangeForm(ChangeForm):
    """What staff change of a season that runs: some limits, and those upwards only."""

    is_folded = False

    def refusal(self, after: Rules) -> str | None:
        if after == self.now:
            return _("Nothing would change.")
        beyond = self.tongue.lines(
            change
            for change in amending.changes(self.now, after)
            if change.path in amending.beyond_staff(self.now, after)
        )
        if not beyond:
            return None
        told = "; ".join(f"{line.rule}: {line.before} → {line.after}" for line in beyond)
        return _("Staff can only let players do more. This needs a vote: %(rules)s.") % {"rules": told}


def _json_field() -> forms.CharField:
    return JsonField(
        label=_("Other changes, as a JSON merge patch"),
        required=False,
        max_length=LONGEST_JSON,
        help_text=_('As in {"stealing": {"per_day": 1}}. Only for what has no field above.'),
        widget=UnfoldAdminExpandableTextareaWidget(attrs={"spellcheck": "false"}),
    )


class JsonField(forms.CharField):
    """An object in JSON, kept as typed while it is wrong."""

    def clean(self, value: Any) -> Any:
        typed = super().clean(value)
        if not typed:
            return {}
        try:
            found = json.loads(typed)
            # Half of a surrogate pair is JSON, and no text.
            json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError) as error:
            raise ValidationError(_("This is not JSON: %(why)s") % {"why": error}) from error
        if not isinstance(found, dict):
            raise ValidationError(_("This has to be an object, in braces."))
        if r"\u0000" in typed:
            # JSON, and no text of PostgreSQL's.
            raise ValidationError(ProhibitNullCharactersValidator.message)
        return found


# Patches


def _look(patch: Any, path: Iterable[str]) -> Any:
    for name in path:
        patch = patch.get(name) if isinstance(patch, dict) else None
    return patch


def _put(patch: Patch, path: tuple[str, ...], value: Any) -> None:
    *above, last = path
    for name in above:
        patch = patch.setdefault(name, {})
    patch[last] = value


def _drop(patch: Patch, path: tuple[str, ...]) -> None:
    """Without what is at the path, and without objects that are empty then."""
    name, *below = path
    if name not in patch:
        return
    if below:
        _drop(patch[name], tuple(below))
    if not below or not patch[name]:
        del patch[name]


def _meeting(one: Any, other: Any, path: str) -> Iterator[str]:
    """Where two patches speak of the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() & other.keys():
            yield from _meeting(one[name], other[name], f"{path}/{name}")
    else:
        yield path


def _overlaid(one: Patch, other: Patch) -> Patch:
    """Both, which don't meet."""
    both = dict(one)
    for name, value in other.items():
        both[name] = _overlaid(both[name], value) if name in both else value
    return both
