"""The roll of who is online against a model that knows the truth: any number of processes, which may die or stall."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from config.sockets.roll import LINGER_S, READ_AT_ONCE, SILENT_BEATS, Beat, Roll

players = st.integers(1, 6)
names = st.sampled_from(["b", "c", "d"])


class Rolls(RuleBasedStateMachine):
    """One process's roll, by its own comings and goings and by the beats of three others."""

    def __init__(self) -> None:
        super().__init__()
        self.roll = Roll()
        self.now = 0.0
        self.sockets: dict[int, int] = {}
        self.left: dict[int, float] = {}
        self.there: dict[str, set[int]] = {"b": set(), "c": set(), "d": set()}
        self.versions = dict.fromkeys(self.there, 0)
        self.told: dict[int, bool] = {}
        self.turn = 0

    @rule(player=players)
    def connect(self, player: int) -> None:
        self.sockets[player] = self.sockets.get(player, 0) + 1
        self.left.pop(player, None)
        self.roll.came(player)

    @rule(player=players)
    @precondition(lambda self: self.sockets)
    def disconnect(self, player: int) -> None:
        if self.sockets.get(player):
            self.sockets[player] -= 1
            if not self.sockets[player]:
                del self.sockets[player]
                self.left[player] = self.now + LINGER_S
                self.roll.went(player, now=self.now)

    @rule(name=names, player=players)
    def change_elsewhere(self, name: str, player: int) -> None:
        self.there[name] ^= {player}
        self.versions[name] += 1

    @rule(seconds=st.floats(0, 3))
    def beat(self, seconds: float) -> None:
        """Some time passes, and everybody is heard. What was told until then adds up to the truth."""
        self.now += seconds
        self.left = {player: until for player, until in self.left.items() if until > self.now}
        self.roll.let_go(now=self.now)
        self.turn += 1
        self.roll.heard({name: Beat(self.turn, version) for name, version in self.versions.items()})
        for name in self.roll.to_read(turn=self.turn):
            self.roll.learn(name, frozenset(self.there[name]))
        self.told |= {player: change.online for player, change in self.roll.take().items()}
        online = self.sockets.keys() | self.left.keys() | set().union(*self.there.values())
        assert {player for player, is_online in self.told.items() if is_online} == online

    @invariant()
    def ours_are_online(self) -> None:
        for player in self.sockets.keys() | self.left.keys():
            assert self.roll.is_online(player)

    @invariant()
    def nobody_is_kept(self) -> None:
        assert set(self.roll.here) == self.sockets.keys() | self.left.keys()
        assert len(self.roll._leaving) == len(self.left)


TestRolls = Rolls.TestCase
TestRolls.settings = settings(deadline=None)


def beat(roll: Roll, beats: dict[str, Beat], there: dict[str, set[int]]) -> dict[int, bool]:
    """One exchange; what it changed."""
    roll.heard(beats)
    for name in roll.to_read(turn=beats[min(beats)].number):
        roll.learn(name, frozenset(there[name]))
    return {player: change.online for player, change in roll.take().items()}


@given(st.dictionaries(names, st.sets(players), min_size=1))
def test_everybody_of_the_others_is_told_once(there: dict[str, set[int]]) -> None:
    roll = Roll()
    everybody = set().union(*there.values())
    assert beat(roll, dict.fromkeys(there, Beat(1, 1)), there) == dict.fromkeys(everybody, True)
    assert roll.is_whole
    assert beat(roll, dict.fromkeys(there, Beat(2, 1)), there) == {}


@given(st.sets(players), st.sets(players))
def test_who_is_on_another_process_too_does_not_go(one: set[int], other: set[int]) -> None:
    roll, there = Roll(), {"b": one, "c": other}
    beat(roll, {"b": Beat(1, 1), "c": Beat(1, 1)}, there)
    for number in range(2, SILENT_BEATS + 2):
        gone = beat(roll, {"b": Beat(1, 1), "c": Beat(number, 1)}, there)
    assert gone == dict.fromkeys(one - other, False)
    assert {player for player in one | other if roll.is_online(player)} == other


def test_a_process_that_is_not_heard_of_is_dead_after_as_many_beats() -> None:
    """Whether its beat stands still or is gone, as after a flush in which it died."""
    for missing in (False, True):
        roll, there = Roll(), {"b": {1}, "c": set[int]()}
        beat(roll, {"b": Beat(7, 1), "c": Beat(1, 1)}, there)
        for number in range(2, SILENT_BEATS + 1):
            assert beat(roll, {"c": Beat(number, 1)} | ({} if missing else {"b": Beat(7, 1)}), there) == {}
        assert roll.is_online(1)
        assert beat(roll, {"c": Beat(99, 1)}, there) == {1: False}


def test_a_dead_process_keeps_nobody_from_knowing() -> None:
    """Its players have expired, its beat stands there for a while yet: who comes new knows at the first beat."""
    roll = Roll()
    roll.heard({"b": Beat(7, 1), "c": Beat(7, 1)})
    assert sorted(roll.to_read(turn=1)) == ["b", "c"]
    whole = [roll.is_whole]
    roll.has_none("b")
    whole.append(roll.is_whole)
    roll.learn("c", frozenset({1}))
    whole.append(roll.is_whole)
    assert whole == [False, False, True]
    # Should it live after all, it has only to say who is there.
    roll.heard({"b": Beat(8, 1), "c": Beat(8, 1)})
    assert roll.to_read(turn=2) == ["b"]
    roll.learn("b", frozenset({2}))
    assert roll.is_online(2)


def test_a_process_that_was_only_slow_is_not_dead() -> None:
    roll, there = Roll(), {"b": {1}}
    beat(roll, {"b": Beat(1, 1)}, there)
    for number in range(2, 10):
        for _ in range(SILENT_BEATS - 1):
            assert beat(roll, {"b": Beat(number, 1)}, there) == {}
    assert roll.is_online(1)


def test_a_player_who_comes_back_in_time_was_never_away() -> None:
    roll = Roll()
    roll.came(1)
    assert roll.take()[1].online
    roll.went(1, now=10.0)
    roll.let_go(now=10.0 + LINGER_S - 0.1)
    roll.came(1)
    roll.let_go(now=100.0)
    assert roll.take() == {}
    roll.went(1, now=100.0)
    roll.let_go(now=100.0 + LINGER_S)
    assert not roll.take()[1].online


def test_no_more_is_read_at_a_beat_than_fits_and_nobody_waits_for_ever() -> None:
    roll, there = Roll(), {f"p{n:02}": {n} for n in range(3 * READ_AT_ONCE)}
    seen: set[int] = set()
    for number in range(1, 4):
        # All of them change at every beat.
        changed = beat(roll, dict.fromkeys(there, Beat(number, number)), there)
        assert len(changed) == READ_AT_ONCE
        seen |= changed.keys()
    assert len(seen) == 3 * READ_AT_ONCE
    assert roll.is_whole


def test_a_change_that_was_not_told_is_told_again_as_it_is_then() -> None:
    roll = Roll()
    roll.came(1)
    taken = roll.take()
    roll.went(1, now=0.0)
    roll.let_go(now=LINGER_S)
    roll.tell_again(taken)
    assert not roll.take()[1].online
