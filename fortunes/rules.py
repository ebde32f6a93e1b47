"""The typed rules of a campaign: what a Rulebook row holds. Pure: no Django, no clock, no chance.

A rulebook speaks of kinds and sources by their slugs. Weights are integers; the odds of a kind are its weight over the
sum of all weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from fortunes.sentences import Sentence

MAX_WEIGHT = 1_000_000
MAX_CAP = 1_000_000_000
MAX_QUOTA = 10_000
MAX_TRANCHES = 1_000
MAX_LIMIT = 10_000
MAX_HOURS = 24 * 366
MAX_FEN = 2**39
MAX_JACKPOTS = 10_000
# The roles of special kinds that can be played.
SPECIALS = ("wild", "steal", "copy")
# Stealing is off unless the rules say otherwise.
PLAYABLE = ("wild", "copy")
# Where the library that reads rules has its own words, which are English.
_VERBATIM = "%(words)s"


class RulesError(ValueError):
    """The rules contradict themselves; `why` says where."""

    def __init__(self, text: str, **values: str | int) -> None:
        self.why = Sentence(text, values)
        super().__init__(str(self.why))


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """At most `units` cards of a kind, released in `tranches` equal slots between opening and deadline."""

    units: int
    tranches: int = 1


class Quota(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many scans of one source count, per local day and in the whole campaign."""

    per_day: int
    per_campaign: int


class Trading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The limits of trades. Days are local ones.

    `open_trades`: requests, swaps and link gifts of one player that are open at a time; `open_links` of them by link,
    and `links_per_day` new ones; `proposals_per_day`: new ones of all three. `lifetime_h`: how long they are open.
    `received_per_day`: cards of others that come to one player by trades. `cooling_h`: how long after sign-up no card
    leaves a new account for another.
    """

    open_trades: int = 20
    open_links: int = 10
    links_per_day: int = 20
    proposals_per_day: int = 200
    lifetime_h: int = 24
    received_per_day: int = 100
    cooling_h: int = 0


class Stealing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The limits of stealing, where it is allowed at all.

    `per_day`: steals of one player, `per_pair_per_day` from one friend, per local day. `protection_h`: how long after
    being robbed nobody steals from a player. `spares_last`: the last card of a kind is never stolen.
    """

    per_day: int = 3
    per_pair_per_day: int = 1
    protection_h: int = 24
    spares_last: bool = True


class Jackpot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """So many winners get this amount more, chosen by chance."""

    count: int
    prize_fen: int


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the pool is shared (redpackets/splitting.py).

    `mode`: `even`, `random`, or `tiered`: jackpots first, and the rest evenly. `remainder`: what does not divide is
    shared fen by fen or returned to the sponsor. `minimum_fen`: in random mode everybody gets this and more.
    """

    mode: Literal["even", "random", "tiered"] = "even"
    remainder: Literal["share", "return"] = "share"
    minimum_fen: int = 0
    jackpots: tuple[Jackpot, ...] = ()


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of a campaign's rules.

    `weights`: kind slug to integer weight ≥ 0. `complete_set`: the slugs that make a full set. `caps`: kind slug to
    its cap; at least one kind with a weight stays uncapped, so a draw always has an outcome. `quotas`: source slug to
    quota. `specials`: the roles of special kinds that may be played. `wilds_fill`: at the freeze wild cards stand for
    missing kinds. `extension_min`: by how many minutes the deadline is later than was planned.
    """

    weights: dict[str, int]
    complete_set: tuple[str, ...]
    quotas: dict[str, Quota]
    caps: dict[str, Cap] = {}
    trading: Trading = Trading()
    stealing: Stealing = Stealing()
    specials: tuple[str, ...] = PLAYABLE
    wilds_fill: bool = False
    split: Split = Split()
    extension_min: int = 0


def parse(data: Any) -> Rules:
    """Rules from JSON-like `data`, validated. Raises RulesError."""
    try:
        rules = msgspec.convert(data, Rules)
    except msgspec.ValidationError as error:
        raise RulesError(_VERBATIM, words=str(error)) from error
    check(rules)
    return rules


def dump(rules: Rules) -> dict[str, Any]:
    """The JSON-like form that `parse` reads, as the database gives it back: lists, no tuples."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(rules))
    return plain


def check(rules: Rules) -> None:
    """Raise RulesError where the rules contradict themselves."""
    _check_weights(rules)
    _check_caps(rules)
    _check_quotas(rules)
    _check_limits("trading", rules.trading, least={"lifetime_h": 1})
    _check_limits("stealing", rules.stealing)
    _check_specials(rules)
    _check_split(rules.split)
    if not 0 <= rules.extension_min <= 60 * MAX_HOURS:
        raise RulesError("extension_min must be between 0 and %(most)s", most=60 * MAX_HOURS)


def _check_weights(rules: Rules) -> None:
    for slug, weight in rules.weights.items():
        if not 0 <= weight <= MAX_WEIGHT:
            raise RulesError("weight of %(kind)s must be between 0 and %(most)s", kind=slug, most=MAX_WEIGHT)
    if sum(rules.weights.values()) == 0:
        raise RulesError("the weights sum to zero, so no card could be drawn")
    if not rules.complete_set:
        raise RulesError("the complete set is empty")
    if len(set(rules.complete_set)) != len(rules.complete_set):
        raise RulesError("the complete set names a kind twice")
    for slug in rules.complete_set:
        if rules.weights.get(slug, 0) == 0:
            raise RulesError("the complete set needs %(kind)s, which can't be drawn", kind=slug)


def _check_caps(rules: Rules) -> None:
    for slug, cap in rules.caps.items():
        if slug not in rules.weights:
            raise RulesError("a cap names %(kind)s, which has no weight", kind=slug)
        if not 1 <= cap.units <= MAX_CAP:
            raise RulesError("the cap of %(kind)s must be between 1 and %(most)s", kind=slug, most=MAX_CAP)
        if not 1 <= cap.tranches <= min(MAX_TRANCHES, cap.units):
            raise RulesError(
                "the tranches of %(kind)s must be between 1 and %(most)s, and no more than its units",
                kind=slug, most=MAX_TRANCHES,
            )  # fmt: skip
    if not any(weight for slug, weight in rules.weights.items() if slug not in rules.caps):
        raise RulesError("every kind is capped: one kind with a weight must stay uncapped")


def _check_quotas(rules: Rules) -> None:
    if not rules.quotas:
        raise RulesError("no source has a quota, so nobody could scan")
    for slug, quota in rules.quotas.items():
        if not 0 <= quota.per_day <= MAX_QUOTA or not 0 <= quota.per_campaign <= MAX_QUOTA:
            raise RulesError("the quotas of %(source)s must be between 0 and %(most)s", source=slug, most=MAX_QUOTA)


def _check_limits(group: str, limits: Trading | Stealing, *, least: Mapping[str, int] = {}) -> None:
    for name in limits.__struct_fields__:
        value = getattr(limits, name)
        low, high = least.get(name, 0), MAX_HOURS if name.endswith("_h") else MAX_LIMIT
        if not isinstance(value, bool) and not low <= value <= high:
            raise RulesError(
                "%(rule)s must be between %(least)s and %(most)s", rule=f"{group}.{name}", least=low, most=high
            )


def _check_specials(rules: Rules) -> None:
    if unknown := sorted(set(rules.specials) - set(SPECIALS)):
        raise RulesError("no special kind has the role %(role)s", role=unknown[0])
    if len(set(rules.specials)) != len(rules.specials):
        raise RulesError("specials names a role twice")


def _check_split(split: Split) -> None:
    if split.minimum_fen and split.mode != "random":
        raise RulesError("split.minimum_fen is for the random mode")
    if not 0 <= split.minimum_fen < MAX_FEN:
        raise RulesError("split.minimum_fen must be between 0 and %(most)s", most=MAX_FEN - 1)
    if split.remainder == "return" and split.mode == "random":
        raise RulesError("split.remainder can be returned only where shares are even")
    if bool(split.jackpots) != (split.mode == "tiered"):
        raise RulesError("split.jackpots are what the tiered mode has, and no other")
    if any(jackpot.count < 1 or not 1 <= jackpot.prize_fen < MAX_FEN for jackpot in split.jackpots):
        raise RulesError(
            "each of split.jackpots has a count from 1 and a prize from 1 to %(most)s fen", most=MAX_FEN - 1
        )
    if sum(jackpot.count for jackpot in split.jackpots) > MAX_JACKPOTS:
        raise RulesError("split.jackpots are %(most)s at most", most=MAX_JACKPOTS)
