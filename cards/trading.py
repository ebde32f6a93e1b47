"""The state machine of a trade, pure: which verb leads from which state to which.

A direct gift is proposed and accepted in one step, so it is only ever seen as accepted.
"""

from __future__ import annotations

MAX_CARDS = 10

TRANSITIONS: dict[tuple[str, str], str] = {
    ("", "give"): "accepted",
}


def after(state: str, verb: str) -> str | None:
    """The state that `verb` leads to, None where it is not allowed. The state before the proposal is ''."""
    return TRANSITIONS.get((state, verb))
