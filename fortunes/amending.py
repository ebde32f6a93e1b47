"""What a change of the rules changes, and who may decide it. Pure: no Django, no clock, no chance.

A change is a JSON Merge Patch (RFC 7396) of the rules. What it does is said leaf by leaf with JSON Pointers (RFC 6901).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from fortunes import rules
from fortunes.rules import Rules, RulesError
from fortunes.sentences import Sentence

# Limits that let players do more when they are lower; all others do when they are higher.
LOWER_IS_MORE = frozenset({"/trading/cooling_h"})
# What staff may raise without a vote.
RAISED_BY_STAFF = ("/quotas/", "/trading/")
# What may get no other members while a season runs, and lose none.
_LASTING = {
    "weights": Sentence("the kinds of a season stay the same"),
    "quotas": Sentence("the sources of a season stay the same"),
    "caps": Sentence("the capped kinds of a season stay the same"),
}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One member of the rules that is another than before; null where there was none, or is none any more."""

    path: str
    before: Any
    after: Any


def merged(before: Rules, patch: Mapping[str, Any]) -> Rules:
    """The rules with `patch` merged into them, checked. Raises RulesError."""
    if not isinstance(patch, Mapping):
        raise RulesError("a change of the rules is an object")
    return rules.parse(merge(rules.dump(before), patch))


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396: members of objects are merged, null takes one away, everything else replaces what was there."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


def changes(before: Rules, after: Rules) -> list[Change]:
    """What `after` says otherwise, by path. Objects are gone into, lists are compared whole."""
    found = _differences("", rules.dump(before), rules.dump(after))
    return sorted(found, key=lambda change: change.path)


def _differences(path: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            yield from _differences(f"{path}/{_escaped(name)}", before.get(name), after.get(name))
    elif before != after:
        yield Change(path=path, before=before, after=after)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def touched(before: Rules, after: Rules) -> frozenset[str]:
    """The paths of `changes`."""
    return frozenset(change.path for change in changes(before, after))


def conflict(a: Collection[str], b: Collection[str]) -> str | None:
    """A path in which two changes meet: one that both have, or that lies within one of the other's. None if none."""
    meeting = (max(one, other, key=len) for one in a for other in b if _within(one, other) or _within(other, one))
    return min(meeting, default=None)


def _within(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}/")


def beyond_staff(before: Rules, after: Rules) -> list[str]:
    """The paths of what staff may not change after the opening: all but quotas and limits of trades that are raised."""
    return [change.path for change in changes(before, after) if not _is_raised(change)]


def _is_raised(change: Change) -> bool:
    if not change.path.startswith(RAISED_BY_STAFF) or not _are_numbers(change.before, change.after):
        return False
    rose: bool = change.after > change.before
    return rose != (change.path in LOWER_IS_MORE)


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, int) for value in values)


def impossible(before: Rules, after: Rules) -> Sentence | None:
    """Why nobody may change the rules in this way while a season runs; None if a vote may."""
    if before.complete_set != after.complete_set:
        return Sentence("what makes a full set stays as it is", path="/complete_set")
    for name, why in _LASTING.items():
        if unlike := sorted(getattr(before, name).keys() ^ getattr(after, name).keys()):
            return Sentence(why.text, path=f"/{name}/{_escaped(unlike[0])}")
    for slug, cap in before.caps.items():
        if after.caps[slug].units < cap.units:
            return Sentence("a cap can only be raised", path=f"/caps/{_escaped(slug)}/units")
        if after.caps[slug].tranches != cap.tranches:
            path = f"/caps/{_escaped(slug)}/tranches"
            return Sentence("the parts in which cards are released stay as planned", path=path)
    if after.extension_min < before.extension_min:
        return Sentence("a deadline is never moved back", path="/extension_min")
    return None


def removed_roles(before: Rules, after: Rules) -> tuple[str, ...]:
    """The roles of special kinds that could be played before, and can't any more."""
    return tuple(role for role in rules.SPECIALS if role in before.specials and role not in after.specials)
