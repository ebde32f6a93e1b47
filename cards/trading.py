"""The rules of a trade, pure: its state machine, and who may be asked what.

A trade is a gift (gives only), a request (takes only) or a swap (both), all from the proposer's point of view. A gift
to a friend is proposed and accepted in one step, so it is only ever seen as accepted. docs/trades.md shows the
machine; a test draws it from here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

MAX_CARDS = 10

# The state before a trade is proposed.
NONE = ""

TRANSITIONS: dict[tuple[str, str], str] = {
    (NONE, "give"): "accepted",
    (NONE, "propose"): "open",
    ("open", "accept"): "accepted",
    ("open", "decline"): "declined",
    ("open", "cancel"): "cancelled",
    ("open", "expire"): "expired",
    ("open", "void"): "voided",
}
STATES = tuple(dict.fromkeys(TRANSITIONS.values()))
VERBS = tuple(verb for _, verb in TRANSITIONS)

ONE, SOME, LINK = "one", "some", "link"
# Nobody gives to several, and what is swapped is looked at by friends, not by whoever comes along.
AUDIENCES: dict[str, tuple[str, ...]] = {
    "gift": (ONE, LINK),
    "request": (ONE, SOME, LINK),
    "swap": (ONE, SOME),
}
GIVING, TAKING = ("gift", "swap"), ("request", "swap")


class ShapeError(ValueError):
    """No such trade can be proposed; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who may accept: the friends of these public ids, all friends, or whoever has a link, spread by this channel."""

    to: tuple[UUID, ...] = ()
    everyone: bool = False
    link: str | None = None

    def __post_init__(self) -> None:
        if (bool(self.to), self.everyone, self.link is not None).count(True) != 1:
            raise ShapeError("a trade has exactly one audience")
        if len(set(self.to)) != len(self.to):
            raise ShapeError("a friend is asked twice")

    @property
    def kind(self) -> str:
        """`one`, `some` or `link`."""
        if self.link is not None:
            return LINK
        return ONE if len(self.to) == 1 else SOME


def after(state: str, verb: str) -> str:
    """The state that `verb` leads to. Raises KeyError where it is not allowed."""
    return TRANSITIONS[state, verb]


def check(*, type: str, audience: str, gives: Collection[str], takes: Collection[str]) -> None:  # noqa: A002 - the domain's word
    """Raise ShapeError unless such a trade can be proposed."""
    if audience not in AUDIENCES.get(type, ()):
        raise ShapeError(f"there is no {type} to {audience}")
    for cards, wanted in ((gives, type in GIVING), (takes, type in TAKING)):
        if bool(cards) is not wanted or len(cards) > MAX_CARDS:
            raise ShapeError(f"a {type} gives {len(gives)} cards and takes {len(takes)}")


def diagram() -> str:
    """The state machine as a Mermaid state diagram."""
    lines = [f"    {state or '[*]'} --> {then}: {verb}" for (state, verb), then in TRANSITIONS.items()]
    final = [f"    {state} --> [*]" for state in STATES if not any(before == state for before, _ in TRANSITIONS)]
    return "\n".join(["stateDiagram-v2", *lines, *final])
