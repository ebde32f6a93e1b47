"""What follows for cards when one version of the rules takes the place of another. Nothing is read or changed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cards.catalogue import Catalogue
from cards.models import Aftermath, CardKind
from fortunes import amending
from fortunes.models import Compensation
from fortunes.rules import Rules

State = Aftermath.State
Into = Compensation.Into


@dataclass(frozen=True, slots=True)
class Promise:
    """What each card of a kind becomes: a wild card, a random fortune, or `amount_fen`."""

    into: Into
    amount_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """`removed` are the ordinals of special kinds that were allowed and aren't any more, `promises` what becomes of the
    cards of them. `completes` says that other hands are complete than before, `raised` by how many units which cap is.
    """

    removed: tuple[int, ...]
    promises: Mapping[int, Promise]
    completes: bool
    raised: Mapping[int, int]

    def steps(self) -> list[State]:
        """What is to be done to trades and hands, in this order, and the end."""
        steps = [(State.VOID, self.removed), (State.CONVERT, self.promises), (State.COMPLETE, self.completes)]
        return [*(state for state, is_due in steps if is_due), State.DONE]

    def after(self, state: State) -> State:
        """The step that follows one of them."""
        steps = self.steps()
        return steps[steps.index(state) + 1]


def of(
    known: Catalogue, *, before: Rules, after: Rules, compensations: Mapping[str, Mapping[str, Any]]
) -> Consequences:
    """What follows where `after` takes the place of `before`, with these compensations by role.

    A promise that the rules have made impossible meanwhile is none: there is no wild card, or no uncapped fortune. The
    cards stay as they are.
    """
    roles = amending.removed_roles(before, after)
    kinds = {role: known.special(CardKind.Role(role)) for role in roles}
    promises = {
        kind: Promise(Into(compensations[role]["into"]), compensations[role].get("amount_fen") or 0)
        for role, kind in kinds.items()
        if kind is not None and role in compensations and is_possible(known, after, compensations[role]["into"])
    }
    return Consequences(
        removed=tuple(sorted(kind for kind in kinds.values() if kind is not None)),
        promises=promises,
        completes=known.full_set(before) != known.full_set(after) or known.filler(before) != known.filler(after),
        raised={
            known.kinds.index(slug): cap.units - before.caps[slug].units
            for slug, cap in after.caps.items()
            if slug in before.caps and cap.units > before.caps[slug].units
        },
    )


def is_possible(known: Catalogue, rules: Rules, into: str) -> bool:
    """Whether under these rules a card can become that."""
    if into == Into.WILD:
        return known.special(CardKind.Role.WILD) is not None and CardKind.Role.WILD in rules.specials
    return into == Into.FEN or sum(known.fortune_weights(rules)) > 0
