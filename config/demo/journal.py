"""What the simulated players know at the end, from nothing but the answers and events that they were sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from config.client.outages import Outage
from config.demo.outages import Done


@dataclass(frozen=True, slots=True)
class Heard:
    """An event or a broadcast as it came over the socket."""

    seq: int
    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """A gift that was acknowledged; `to` is a public id, `kinds` has one slug a card."""

    to: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deal:
    """A trade that was accepted `by` somebody: cards for the proposer's, one slug a card, sorted."""

    proposer: str
    by: str
    gives: tuple[str, ...]
    takes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Voted:
    """A ballot that was acknowledged, with what only its player knows of it; in hexadecimal."""

    option: int
    receipt: str
    leaf: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A tally as it was told, with its instant."""

    at: str
    ballots: dict[str, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """What REST said after a change of the rules to version `told` was heard of: the version in force, whether the
    history has the change as it was told, and the roles that may be played.
    """

    told: int
    version: int
    agrees: bool
    specials: tuple[str, ...]


@dataclass(slots=True)
class Diary:
    """One player's side of the season. Players, draws, trades and plays are public ids.

    `cards` are those in escrow too. `deals` are told by events, to both sides; `agreed` are the trades that this player
    was answered to have accepted, and `plays` the special cards that they played, with the kind that they gained.
    `may_vote` is set where the player knows it for sure.
    """

    player: str
    draws: dict[str, str] = field(default_factory=dict)
    gifts: dict[str, Given] = field(default_factory=dict)
    cards: Counter[str] = field(default_factory=Counter)
    deals: dict[str, Deal] = field(default_factory=dict)
    agreed: set[str] = field(default_factory=set)
    plays: dict[str, str] = field(default_factory=dict)
    may_vote: bool = False
    voted: Voted | None = None
    tallies: list[Counted] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    events: list[Heard] = field(default_factory=list)
    broadcasts: list[Heard] = field(default_factory=list)
    opened_fen: int | None = None
    wallet_fen: int = 0


@dataclass(slots=True)
class Journal:
    """All diaries, and what everybody counts together.

    `refusals` counts (what was tried, code). `surprises` are answers that were not among those expected, in words;
    `replays` are writes that were sent again and `reconnects` sockets that were opened again. `done` and `outages` say
    when, by the clock of the event loop. `check_ins` and `credited` are cards from there, the latter one for each of
    `invitations` that came to something before the deadline; `told_at` and `heard_at` are a gift's, by its trade.
    `published` is the list of ballots, options by leaf, and `result` how many each option had, by its number.
    """

    diaries: list[Diary] = field(default_factory=list)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)
    check_ins: int = 0
    invitations: int = 0
    credited: int = 0
    replays: int = 0
    reconnects: int = 0
    requests: int = 0
    done: list[Done] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    told_at: dict[str, float] = field(default_factory=dict)
    heard_at: dict[str, float] = field(default_factory=dict)
    published: dict[str, int] = field(default_factory=dict)
    result: dict[int, int] = field(default_factory=dict)
