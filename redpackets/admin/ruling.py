"""Rules and their changes in words, in the language of whoever reads: paths become names, values become figures.

One place knows how each rule is called; forms, versions, announcements and options of a vote all take it from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cards.actions import presets
from cards.models import CardKind, Source
from fortunes import rules
from fortunes.amounts import yuan
from fortunes.models import Compensation
from redpackets.admin import words

ABSENT = "-"

TRADING = {
    "open_trades": gettext_lazy("Open trades of a player"),
    "open_links": gettext_lazy("Open trades of a player by link"),
    "links_per_day": gettext_lazy("New links of a player a day"),
    "proposals_per_day": gettext_lazy("New trades of a player a day"),
    "lifetime_h": gettext_lazy("How long a trade is open (hours)"),
    "received_per_day": gettext_lazy("Cards that a player receives a day"),
    "cooling_h": gettext_lazy("How long cards of a new account stay with it (hours)"),
}
STEALING = {
    "per_day": gettext_lazy("Steals of a player a day"),
    "per_pair_per_day": gettext_lazy("Steals from one friend a day"),
    "protection_h": gettext_lazy("How long nobody steals from a player again (hours)"),
    "spares_last": gettext_lazy("The last card of a kind is never stolen"),
}
SPLIT = {
    "mode": gettext_lazy("How the pool is split"),
    "remainder": gettext_lazy("What can't be shared evenly"),
    "minimum_fen": gettext_lazy("Everybody gets at least"),
    "jackpots": gettext_lazy("Jackpots"),
}
QUOTA = {"per_day": gettext_lazy("a day"), "per_campaign": gettext_lazy("in the whole campaign")}
CAP = {"units": gettext_lazy("cards in all"), "tranches": gettext_lazy("parts of the release")}
WHOLE = {
    "complete_set": gettext_lazy("A full set"),
    "specials": gettext_lazy("Special cards that may be played"),
    "wilds_fill": gettext_lazy("At the deadline wild cards stand for missing kinds"),
    "extension_min": gettext_lazy("The deadline is later than planned by (minutes)"),
}
GROUPS = {
    "weights": gettext_lazy("Odds"),
    "complete_set": gettext_lazy("Full set"),
    "caps": gettext_lazy("Rare kinds"),
    "quotas": gettext_lazy("Quotas"),
    "trading": gettext_lazy("Trades"),
    "stealing": gettext_lazy("Steals"),
    "specials": gettext_lazy("Special cards"),
    "wilds_fill": gettext_lazy("Special cards"),
    "split": gettext_lazy("Split of the pool"),
    "extension_min": gettext_lazy("Deadline"),
}
# Of campaigns that have no kind of a role.
PRESET_NAMES = {slug: CardKind(name_zh=zh, name_en=en) for slug, zh, en, *_art in presets.SPECIALS}
# In the order of the rules.
ORDER = tuple(GROUPS)
VALUES: dict[tuple[str, ...], dict[str, Any]] = {
    ("split", "mode"): {
        "even": gettext_lazy("evenly"),
        "random": gettext_lazy("by chance"),
        "tiered": gettext_lazy("jackpots, and the rest evenly"),
    },
    ("split", "remainder"): {
        "share": gettext_lazy("shared fen by fen"),
        "return": gettext_lazy("returned to the sponsor"),
    },
}


@dataclass(frozen=True, slots=True)
class Line:
    """One rule that becomes another, in words."""

    path: str
    group: str
    rule: str
    before: str
    after: str


class Tongue:
    """Speaks of the rules of one campaign: knows the names of its kinds and sources."""

    def __init__(self, campaign_id: int) -> None:
        self.campaign_id = campaign_id

    @cached_property
    def kinds(self) -> dict[str, CardKind]:
        return {row.slug: row for row in CardKind.objects.filter(campaign=self.campaign_id).order_by("ordinal")}

    @cached_property
    def sources(self) -> dict[str, Source]:
        return {row.slug: row for row in Source.objects.filter(campaign=self.campaign_id).order_by("ordinal")}

    def kind(self, slug: str) -> str:
        return str(self.kinds.get(slug, slug))

    def source(self, slug: str) -> str:
        return str(self.sources.get(slug, slug))

    def role(self, role: str) -> str:
        """The special kind of a role, by the name that it has in this campaign."""
        named = next((row for row in self.kinds.values() if row.role == role), None)
        return str(named or PRESET_NAMES.get(role) or role)

    def kind_of_role(self, role: str) -> str | None:
        """The slug of the special kind of a role, if the campaign has one."""
        return next((slug for slug, row in self.kinds.items() if row.role == role), None)

    # Changes

    def lines(self, changes: Iterable[Any]) -> list[Line]:
        """Changes, as a rulebook keeps them or as `amending` finds them, in words and in the order of the rules."""
        told = []
        for change in changes:
            given = change if isinstance(change, Mapping) else {name: getattr(change, name) for name in _MEMBERS}
            told += [self._line(*leaf) for leaf in _leaves(*(given[name] for name in _MEMBERS))]
        return sorted(told, key=lambda line: self._place(line.path))

    def patch(self, patch: Mapping[str, Any], before: Mapping[str, Any]) -> list[Line]:
        """What a merge patch says, beside the rules that it is laid over: also what is so already."""
        return self.lines(
            {"path": path, "before": _at(before, path), "after": value} for path, value in _patched("", patch)
        )

    def whole(self, whole: Mapping[str, Any]) -> list[Line]:
        """All rules of one version; those that its row is too old to name are as `Rules` has them."""
        named = rules.dump(rules.parse(dict(whole)))
        return self.lines({"path": f"/{name}", "before": None, "after": value} for name, value in named.items())

    def place(self, group: str, name: str) -> int:
        """Where a member of a group stands: slugs by their ordinals, limits as listed above, unknown ones last."""
        by_slug: dict[str, Mapping[str, Any]] = {"weights": self.kinds, "caps": self.kinds, "quotas": self.sources}
        known = list(by_slug.get(group) or _NAMED.get(group, {}))
        return known.index(name) if name in known else len(known)

    def _place(self, path: str) -> tuple[int, int, int, str]:
        group, *below = path.split("/")[1:] or [path]
        member = self.place(group, _unescaped(below[0])) if below else 0
        part = _PARTS.index(below[-1]) if below and below[-1] in _PARTS else len(_PARTS)
        return ORDER.index(group) if group in ORDER else len(ORDER), member, part, path

    def _line(self, path: str, before: Any, after: Any) -> Line:
        parts = tuple(_unescaped(part) for part in path.split("/")[1:])
        group = str(GROUPS.get(parts[0], parts[0])) if parts else path
        return Line(path, group, self.rule(parts), self.value(parts, before), self.value(parts, after))

    def rule(self, parts: tuple[str, ...]) -> str:
        """The name of the rule at a path."""
        match parts:
            case ("weights", slug):
                return _("%(kind)s: weight") % {"kind": self.kind(slug)}
            case ("caps", slug, name):
                return _("%(kind)s: %(what)s") % {"kind": self.kind(slug), "what": CAP.get(name, name)}
            case ("quotas", slug, name):
                return _("%(source)s: scans %(span)s") % {
                    "source": self.source(slug), "span": QUOTA.get(name, name),
                }  # fmt: skip
            case (group, name) if group in _NAMED:
                return str(_NAMED[group].get(name, name))
            case (name,):
                return str(WHOLE.get(name, GROUPS.get(name, name)))
        return "/".join(parts)

    def value(self, parts: tuple[str, ...], value: Any) -> str:
        if value is None:
            return ABSENT
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        match parts:
            case ("split", "minimum_fen") if isinstance(value, int):
                return yuan(value)
            case ("split", "jackpots") if isinstance(value, list | tuple):
                return ", ".join(f"{prize['count']} × {yuan(prize['prize_fen'])}" for prize in value) or _("none")
            case ("specials",) if isinstance(value, list | tuple):
                return ", ".join(self.role(role) for role in value) or _("none")
            case ("complete_set",) if isinstance(value, list | tuple):
                return ", ".join(self.kind(slug) for slug in value)
        if isinstance(value, str):
            return str(VALUES.get(parts, {}).get(value, value))
        return words.number(value) if isinstance(value, int) else str(value)

    # Compensations

    def becomes(self, promise: Mapping[str, Any]) -> str:
        """What becomes of each card of a kind that is removed."""
        into = promise.get("into")
        if into == Compensation.Into.FEN:
            return yuan(promise["amount_fen"])
        return str(Compensation.Into(into).label) if into in Compensation.Into.values else ABSENT

    def promises(self, compensations: Mapping[str, Mapping[str, Any]]) -> list[str]:
        said = _("Each %(card)s held becomes: %(what)s.")
        return [said % {"card": self.role(role), "what": self.becomes(what)} for role, what in compensations.items()]


_MEMBERS = ("path", "before", "after")
_PARTS = (*QUOTA, *CAP)
_NAMED = {"trading": TRADING, "stealing": STEALING, "split": SPLIT}


def _leaves(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """A change of an object as changes of its members."""
    if not isinstance(before, dict) and not isinstance(after, dict):
        yield path, before, after
        return
    old, new = before if isinstance(before, dict) else {}, after if isinstance(after, dict) else {}
    for name in {**old, **new}:
        yield from _leaves(f"{path}/{_escaped(name)}", old.get(name), new.get(name))


def _patched(path: str, patch: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(patch, Mapping):
        for name, value in patch.items():
            yield from _patched(f"{path}/{_escaped(name)}", value)
    else:
        yield path, patch


def _at(data: Any, path: str) -> Any:
    for part in path.split("/")[1:]:
        data = data.get(_unescaped(part)) if isinstance(data, Mapping) else None
    return data


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
