"""Changes of rules: merged as RFC 7396 says, told as RFC 6901 points, and judged the same whatever their order."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fortunes import amending, rules
from fortunes.rules import Rules, RulesError

# A slow machine is no fault.
patient = settings(deadline=None)

# Slugs have neither, but pointers and patches must not depend on that.
KINDS = ("gold", "silver", "a/b", "m~n", "steal")
SOURCES = ("code", "check-in")

counts = st.integers(0, 20)
limits = st.builds(
    rules.Trading,
    open_trades=counts,
    open_links=counts,
    lifetime_h=st.integers(1, 48),
    received_per_day=counts,
    cooling_h=counts,
)
caps = st.dictionaries(
    st.sampled_from(KINDS[1:]),
    st.builds(rules.Cap, units=st.integers(5, 50), tranches=st.integers(1, 5)),
    max_size=2,
)
splits = st.one_of(
    st.builds(rules.Split, remainder=st.sampled_from(["share", "return"])),
    st.builds(rules.Split, mode=st.just("random"), minimum_fen=counts),
)
rulebooks = st.builds(
    Rules,
    weights=st.fixed_dictionaries({"gold": st.integers(1, 9)} | dict.fromkeys(KINDS[1:], counts)),
    complete_set=st.just(("gold",)),
    quotas=st.fixed_dictionaries(
        {source: st.builds(rules.Quota, per_day=counts, per_campaign=counts) for source in SOURCES}
    ),
    caps=caps,
    trading=limits,
    stealing=st.builds(rules.Stealing, per_day=counts, spares_last=st.booleans()),
    specials=st.lists(st.sampled_from(rules.SPECIALS), unique=True).map(tuple),
    wilds_fill=st.booleans(),
    split=splits,
    extension_min=st.integers(0, 600),
)

# The examples of RFC 7396, appendix A.
EXAMPLES: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


def patch_between(before: Any, after: Any) -> Any:
    """A merge patch that makes the one into the other, found in another way than `changes` looks."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return copy.deepcopy(after)
    patch: dict[str, Any] = dict.fromkeys(set(before) - set(after))
    for name, value in after.items():
        if name not in before or before[name] != value:
            patch[name] = patch_between(before.get(name), value)
    return patch


def pointed(document: Any, path: str) -> tuple[Any, str]:
    """The object that a pointer leads into, and the name of the member."""
    *way, name = [part.replace("~1", "/").replace("~0", "~") for part in path.removeprefix("/").split("/")]
    for part in way:
        document = document[part]
    return document, name


@pytest.mark.parametrize(("target", "patch", "result"), EXAMPLES)
def test_merging_is_as_the_rfc_says(target: Any, patch: Any, result: Any) -> None:
    before = copy.deepcopy(target)
    assert amending.merge(target, patch) == result
    assert target == before


@patient
@given(rulebooks, rulebooks)
def test_a_patch_makes_one_of_the_other(before: Rules, after: Rules) -> None:
    assert amending.merged(before, patch_between(rules.dump(before), rules.dump(after))) == after
    assert amending.merged(before, {}) == before


@patient
@given(rulebooks, rulebooks)
def test_the_changes_are_all_that_differs(before: Rules, after: Rules) -> None:
    document = rules.dump(before)
    for change in amending.changes(before, after):
        inside, name = pointed(document, change.path)
        assert inside.get(name) == change.before
        assert change.before != change.after
        if change.after is None:
            del inside[name]
        else:
            inside[name] = change.after
    assert document == rules.dump(after)
    assert amending.touched(before, after) == {change.path for change in amending.changes(before, after)}
    assert amending.changes(before, before) == []


@patient
@given(rulebooks, rulebooks, rulebooks)
def test_changes_that_do_not_conflict_may_come_in_any_order(now: Rules, one: Rules, other: Rules) -> None:
    """What keeps votes and announcements apart keeps their results apart, too."""
    plain = rules.dump(now)
    patches = [patch_between(plain, rules.dump(then)) for then in (one, other)]
    paths = [amending.touched(now, then) for then in (one, other)]
    meeting = amending.conflict(*paths)
    assert meeting == amending.conflict(*reversed(paths))
    if meeting is None:
        assert amending.merge(amending.merge(plain, patches[0]), patches[1]) == amending.merge(
            amending.merge(plain, patches[1]), patches[0]
        )


@patient
@given(rulebooks, rulebooks)
def test_changes_that_meet_are_named(before: Rules, after: Rules) -> None:
    paths = amending.touched(before, after)
    assert (amending.conflict(paths, paths) in paths) if paths else amending.conflict(paths, paths) is None


@pytest.mark.parametrize(
    ("one", "other", "meeting"),
    [
        ("/specials", "/specials", "/specials"),
        ("/caps/gold", "/caps/gold/units", "/caps/gold/units"),
        ("/caps/gold/units", "/caps/gold", "/caps/gold/units"),
        ("/weights/a", "/weights/ab", None),
        ("/weights/ab", "/weights/a", None),
        ("/split/mode", "/split/minimum_fen", None),
    ],
)
def test_where_two_changes_meet(one: str, other: str, meeting: str | None) -> None:
    assert amending.conflict([one, "/wilds_fill"], [other]) == meeting


@patient
@given(rulebooks, st.data())
def test_staff_may_raise_quotas_and_limits_and_no_more(before: Rules, data: st.DataObject) -> None:
    """Any mixture: what is beyond staff is exactly what isn't a limit that lets players do more."""
    plain = rules.dump(before)
    steps: dict[str, Any] = data.draw(
        st.fixed_dictionaries(
            {
                "quotas": st.dictionaries(
                    st.sampled_from(SOURCES), st.fixed_dictionaries({"per_day": st.integers(-3, 3)})
                ),
                "trading": st.dictionaries(st.sampled_from(sorted(plain["trading"])), st.integers(-3, 3)),
                "stealing": st.dictionaries(st.just("per_day"), st.integers(-3, 3)),
            }
        )
    )
    patch: dict[str, Any] = {"quotas": {}, "trading": {}, "stealing": {}}
    refused = set()
    for source, step in steps["quotas"].items():
        patch["quotas"][source] = {"per_day": max(0, plain["quotas"][source]["per_day"] + step["per_day"])}
        if patch["quotas"][source]["per_day"] < plain["quotas"][source]["per_day"]:
            refused.add(f"/quotas/{source}/per_day")
    for name, step in steps["trading"].items():
        patch["trading"][name] = max(1, plain["trading"][name] + step)
        more = patch["trading"][name] - plain["trading"][name]
        if (more > 0) if name == "cooling_h" else (more < 0):
            refused.add(f"/trading/{name}")
    for name, step in steps["stealing"].items():
        patch["stealing"][name] = max(0, plain["stealing"][name] + step)
        if patch["stealing"][name] != plain["stealing"][name]:
            refused.add(f"/stealing/{name}")

    assert amending.beyond_staff(before, amending.merged(before, patch)) == sorted(refused)


@patient
@given(rulebooks)
def test_a_source_that_is_added_is_beyond_staff(before: Rules) -> None:
    after = amending.merged(before, {"quotas": {"shop": {"per_day": 1, "per_campaign": 1}}})
    assert amending.beyond_staff(before, after) == ["/quotas/shop"]
    assert amending.beyond_staff(after, before) == ["/quotas/shop"]


@patient
@given(rulebooks, rulebooks)
def test_what_nobody_may_change_is_named(before: Rules, after: Rules) -> None:
    reason = amending.impossible(before, after)
    lowered = any(
        slug in after.caps and (after.caps[slug].units < cap.units or after.caps[slug].tranches != cap.tranches)
        for slug, cap in before.caps.items()
    )
    forbidden = before.caps.keys() != after.caps.keys() or lowered or after.extension_min < before.extension_min
    assert (reason is not None) == forbidden
    if reason is not None:
        path = reason.path
        assert any(touched == path or touched.startswith(f"{path}/") for touched in amending.touched(before, after))


RULES = rules.parse(
    {
        "weights": {"gold": 5, "silver": 1, "steal": 1},
        "complete_set": ["gold"],
        "quotas": {"code": {"per_day": 3, "per_campaign": 9}},
        "caps": {"silver": {"units": 10, "tranches": 2}},
        "specials": ["wild", "steal"],
        "extension_min": 5,
    }
)


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ({"complete_set": ["gold", "silver"]}, "/complete_set"),
        ({"weights": {"silver": None}, "caps": {"silver": None}}, "/weights/silver"),
        ({"weights": {"luck": 1}}, "/weights/luck"),
        ({"quotas": {"shop": {"per_day": 1, "per_campaign": 1}}}, "/quotas/shop"),
        ({"caps": {"steal": {"units": 4}}}, "/caps/steal"),
        ({"caps": {"silver": None}}, "/caps/silver"),
        ({"caps": {"silver": {"units": 9}}}, "/caps/silver/units"),
        ({"caps": {"silver": {"tranches": 3}}}, "/caps/silver/tranches"),
        ({"extension_min": 4}, "/extension_min"),
    ],
)
def test_what_nobody_may_change(patch: dict[str, Any], path: str) -> None:
    reason = amending.impossible(RULES, amending.merged(RULES, patch))
    assert reason is not None
    assert reason.path == path


@pytest.mark.parametrize(
    "patch",
    [
        {"weights": {"gold": 0, "silver": 0, "steal": 0}},
        {"weights": {"gold": 0}},
        {"weights": None},
        {"luck": 1},
        {"trading": {"luck": 1}},
        {"trading": {"open_trades": "many"}},
        {"trading": {"open_trades": 1.5}},
        {"quotas": {"code": None}},
        {"quotas": {"code": {"per_day": None}}},
        {"specials": ["cheat"]},
        {"split": {"mode": "tiered"}},
        {"extension_min": -1},
        {"extension_min": 10**12},
        [],
        "everything",
        None,
    ],
)
def test_what_are_no_rules_any_more(patch: Any) -> None:
    with pytest.raises(RulesError):
        amending.merged(RULES, patch)


def test_removed_roles() -> None:
    def without(specials: list[str]) -> tuple[str, ...]:
        return amending.removed_roles(RULES, amending.merged(RULES, {"specials": specials}))

    assert without(["steal", "wild"]) == ()
    assert without(["wild", "steal", "copy"]) == ()
    assert without(["wild"]) == ("steal",)
    assert without(["copy"]) == ("wild", "steal")
