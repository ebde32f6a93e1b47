"""What the server answers about votes and the rules that they change; beside shapes.py."""

from __future__ import annotations

from typing import Any

from config.client.shapes import Name, Shape


class Change(Shape, frozen=True, kw_only=True):
    """What became different: a JSON Pointer into the rules, and the values; null where there is none."""

    path: str
    before: Any
    after: Any


class Rulebook(Shape, frozen=True, kw_only=True):
    """A version of the rules: what it changed, and why: `start`, `staff` or `vote`.

    `proposal` is the vote that decided it, `amendment` the announcement whose date came.
    """

    version: int
    reason: str
    in_force_at: str
    changes: list[Change]
    proposal: str | None
    amendment: str | None


class Rules(Rulebook, frozen=True, kw_only=True):
    """With the rules themselves, as `fortunes/rules.py` describes them."""

    rules: dict[str, Any]


class Amendment(Shape, frozen=True, kw_only=True):
    """A change that is announced for a date. `state` is `announced`, `in-force`, `struck` or `impossible`."""

    id: str
    name: Name
    state: str
    takes_force_at: str
    version: int | None
    struck_by: str | None
    changes: list[Change]


class Compensation(Shape, frozen=True, kw_only=True):
    """What becomes of each card of a special kind that is removed: `wild`, `fortune`, or `fen`."""

    role: str
    into: str
    amount_fen: int | None


class Choice(Shape, frozen=True, kw_only=True):
    """One of a proposal's options, by its number: what it would change, or prevent, and the ballots that it has."""

    number: int
    name: Name
    changes: list[Change]
    strikes: str | None
    compensations: list[Compensation]
    ballots: int


class Result(Shape, frozen=True, kw_only=True):
    """`adopted`, `no-quorum`, `below-threshold`, `tie` or `impossible`; `version` if the rules have changed by it.

    `ballots_hash` is the SHA-256 of all leaves in ascending order.
    """

    outcome: str
    winner: int | None
    version: int | None
    eligible: int
    cast: int
    ballots_hash: str


class Proposal(Shape, frozen=True, kw_only=True):
    """A vote. `state` is `scheduled`, `open`, `counting`, `closed` or `cancelled`; `mine` is one's own option."""

    id: str
    question: Name
    state: str
    opens_at: str
    closes_at: str
    quorum: int
    threshold_bp: int
    may_change: bool
    options: list[Choice]
    cast: int
    mine: int | None
    result: Result | None
    server_time: str


class BallotReceipt(Shape, frozen=True, kw_only=True):
    """A ballot that counts. `receipt` is told to nobody else; with it one finds one's `leaf` in the published list."""

    proposal: str
    option: int
    receipt: str
    leaf: str
    cast_at: str
    changed: bool


class Leaf(Shape, frozen=True, kw_only=True):
    """A ballot as it is published."""

    leaf: str
    option: int


class Tally(Shape, frozen=True, kw_only=True):
    """Ballots by the option's number."""

    proposal: str
    ballots: dict[str, int]
    cast: int
    at: str


class Unwatched(Shape, frozen=True, kw_only=True):
    """This vote's tally is told no more."""

    proposal: str


class Announcement(Shape, frozen=True, kw_only=True):
    """What staff tell everybody in a campaign."""

    id: str
    title: Name
    body: Name
    pinned: bool
    published_at: str


class Author(Shape, frozen=True, kw_only=True):
    id: str
    nickname: str


class Quote(Shape, frozen=True, kw_only=True):
    id: str
    author: Author
    text: str


class Comment(Shape, frozen=True, kw_only=True):
    """What somebody wrote under a proposal. One by `staff` has no author, and says what it `answers`."""

    id: str
    author: Author | None
    staff: bool
    text: str
    answers: Quote | None
    at: str
    own: bool
    hidden: bool
