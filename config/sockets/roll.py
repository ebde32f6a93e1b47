"""Who is online, on this process and on the others, as far as this one has heard.

Sets and counters without Redis, sockets or a clock of their own; config/presence.py feeds them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

# A player who is back within this time was never away.
LINGER_S = 5.0
# A process that has been silent for so many beats of ours is dead.
SILENT_BEATS = 12
# How many other processes' players are read anew at one beat; the others' turn comes at the next.
READ_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Beat:
    """A process's sign of life: `number` rises with every beat, `version` with every change of its players."""

    number: int
    version: int


@dataclass(slots=True)
class Peer:
    """Another process. `read` is the version that `players` are of; `is_heard` is false until there was one to read."""

    beat: Beat
    is_heard: bool = False
    read: int | None = None
    players: frozenset[int] = frozenset()
    silent: int = 0
    turn: int = 0


class Change(NamedTuple):
    """A player came online or went offline. `number` is its place among all changes that this process has seen."""

    online: bool
    number: int


@dataclass(slots=True)
class Roll:
    """The players of this process, those of the others, and what has changed since somebody asked for it.

    `version` is that of this process's own players, `changes` counts all changes, the others' too.
    """

    version: int = 0
    changes: int = 0
    _here: set[int] = field(default_factory=set)
    # Who has no socket any more, until when they still count; in the order of those moments.
    _leaving: dict[int, float] = field(default_factory=dict)
    _peers: dict[str, Peer] = field(default_factory=dict)
    _changed: dict[int, Change] = field(default_factory=dict)

    @property
    def here(self) -> Collection[int]:
        """The players of this process."""
        return self._here

    @property
    def is_whole(self) -> bool:
        """Whether every other process's players have been asked for at least once."""
        return all(peer.is_heard for peer in self._peers.values())

    def is_online(self, player: int) -> bool:
        # Web threads ask too, while the event loop changes things: the tuple is made in one step.
        return player in self._here or any(player in peer.players for peer in tuple(self._peers.values()))

    def came(self, player: int) -> None:
        """A player has a socket here."""
        if self._leaving.pop(player, None) is None and player not in self._here:
            self._add(player)

    def went(self, player: int, *, now: float) -> None:
        """A player has no socket here any more."""
        if player in self._here:
            self._leaving.setdefault(player, now + LINGER_S)

    def let_go(self, *, now: float) -> None:
        """Who went and has not come back in time is gone."""
        while self._leaving and (first := next(iter(self._leaving.items())))[1] <= now:
            del self._leaving[first[0]]
            self._here.discard(first[0])
            self.version += 1
            self._gone([first[0]])

    def heard(self, beats: Mapping[str, Beat]) -> list[str]:
        """The beats of all other processes at one of ours. Returns those that are dead now."""
        for name, peer in self._peers.items():
            beat = beats.get(name, peer.beat)
            peer.silent = 0 if beat != peer.beat else peer.silent + 1
            peer.beat = beat
        self._peers |= {name: Peer(beat) for name, beat in beats.items() if name not in self._peers}
        dead = [name for name, peer in self._peers.items() if peer.silent >= SILENT_BEATS]
        for name in dead:
            self._gone(self._peers.pop(name).players)
        return dead

    def to_read(self, *, turn: int) -> list[str]:
        """The processes whose players are to be read now: who has waited longest comes first. `turn` rises."""
        waiting = [name for name, peer in self._peers.items() if peer.read != peer.beat.version]
        chosen = sorted(waiting, key=lambda name: self._peers[name].turn)[:READ_AT_ONCE]
        for name in chosen:
            self._peers[name].turn = turn
        return chosen

    def learn(self, name: str, players: frozenset[int]) -> None:
        """The players of another process, read after its last beat was heard."""
        peer = self._peers[name]
        peer.is_heard = True
        came = [player for player in players - peer.players if not self.is_online(player)]
        went = peer.players - players
        peer.players, peer.read = players, peer.beat.version
        self._note(came, online=True)
        self._gone(went)

    def has_none(self, name: str) -> None:
        """Another process has let its players expire: it is dead, or will say anew who is there."""
        self._peers[name].is_heard = True

    def take(self) -> dict[int, Change]:
        """What has changed since the last time, the newest of each player."""
        taken, self._changed = self._changed, {}
        return taken

    def tell_again(self, players: Iterable[int]) -> None:
        """Somebody may not have been told how it is with these."""
        for player in players:
            self._note([player], online=self.is_online(player))

    def _add(self, player: int) -> None:
        was_online = self.is_online(player)
        self._here.add(player)
        self.version += 1
        if not was_online:
            self._note([player], online=True)

    def _gone(self, players: Iterable[int]) -> None:
        self._note((player for player in players if not self.is_online(player)), online=False)

    def _note(self, players: Iterable[int], *, online: bool) -> None:
        for player in players:
            self.changes += 1
            self._changed[player] = Change(online, self.changes)
