"""The state machine of a trade, pure: which verb leads from which state to which.

A direct gift is proposed and accepted in one step, so it is only ever seen as accepted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

MAX_CARDS = 10

TRANSITIONS: dict[tuple[str, str], str] = {
    ("", "give"): "accepted",
}


def after(state: str, verb: str) -> str | None:
    """The state that `verb` leads to, None where it is not allowed. The state before the proposal is ''."""
    return TRANSITIONS.get((state, verb))


def lacks(counts: Sequence[int], gives: Sequence[int]) -> bool:
    """True if a hand with these counts can't give these cards, one ordinal a card."""
    return any(counts[kind] < wanted for kind, wanted in Counter(gives).items())
