"""Nobody is woken, and who is online sees for themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.actions import composing, pushes
from accounts.models import Player
from fortunes import presence
from fortunes.presence import Seen
from tests.plugins.clock import Clock
from tests.pushes import away
from tests.pushes.away import choose, row, rows, tell
from tests.pushes.receivers import Receiver

pytestmark = pytest.mark.django_db


class TestOnline:
    """Who is online sees for themselves, on their socket."""

    @pytest.fixture
    def online(self, monkeypatch: pytest.MonkeyPatch) -> set[int]:
        there: set[int] = set()
        monkeypatch.setattr(presence, "ask", lambda players: Seen(True, frozenset(there.intersection(players))))
        return there

    def test_what_they_have_seen_is_not_told(self, service: Receiver, alice: Player, clock: Clock, online: set[int]):
        online.add(alice.pk)
        away.ask(alice)
        assert (tell(clock), away.is_due(alice)) == (0, True)
        clock.shift(composing.SEEN_AFTER)
        assert (pushes.send_due(), rows(alice), away.is_due(alice)) == (0, [], False)
        online.clear()
        away.ask(alice)
        assert tell(clock) == 1
        assert [event["seq"] for event in service.told_to(away.subject(alice))] == [2]

    def test_who_turns_out_to_be_away_is_told(self, service: Receiver, alice: Player, clock: Clock, online: set[int]):
        """A phone fell asleep, and its socket was believed to live for a while."""
        online.add(alice.pk)
        away.ask(alice)
        tell(clock)
        online.clear()
        clock.shift(composing.SEEN_AFTER)
        assert pushes.send_due() == 1

    def test_the_newer_events_wait_for_their_own_time(
        self, service: Receiver, alice: Player, clock: Clock, online: set[int]
    ):
        online.add(alice.pk)
        away.ask(alice)
        clock.shift(composing.SEEN_AFTER)
        away.ask(alice)
        pushes.send_due()
        assert (away.feed(alice).pushed_seq, away.is_due(alice)) == (1, True)
        online.clear()
        clock.shift(composing.SEEN_AFTER)
        assert pushes.send_due() == 1
        assert [event["seq"] for event in service.told_to(away.subject(alice))] == [2]


class TestQuietHours:
    def test_nobody_is_woken(self, service: Receiver, alice: Player, clock: Clock):
        clock.move_to(datetime(2027, 2, 1, 15, 30, tzinfo=UTC))
        away.ask(alice)
        assert tell(clock) == 0
        clock.move_to(datetime(2027, 2, 1, 23, 59, tzinfo=UTC))
        away.ask(alice)
        assert (pushes.send_due(), rows(alice)) == (0, [])
        clock.move_to(datetime(2027, 2, 2, 0, 0, tzinfo=UTC) + timedelta(seconds=composing.SPREAD_S))
        assert pushes.send_due() == 1
        assert [event["seq"] for event in service.told_to(away.subject(alice))] == [1, 2]

    def test_not_by_a_second_try_either(self, service: Receiver, alice: Player, clock: Clock):
        clock.move_to(datetime(2027, 2, 1, 14, 59, 50, tzinfo=UTC))
        service.answer = lambda number: 500 if number == 1 else 204
        away.ask(alice)
        tell(clock)
        clock.shift(timedelta(seconds=30))
        assert (pushes.send_due(), len(service.arrived), row(alice).attempts) == (0, 1, 1)
        clock.move_to(datetime(2027, 2, 2, 0, 0, 1, tzinfo=UTC))
        assert pushes.send_due() == 1

    def test_ones_own_in_ones_own_time_zone(self, service: Receiver, alice: Player, clock: Clock):
        choose(alice, quiet_from="21:00", quiet_to="06:30", tz="America/New_York")
        away.ask(alice)
        assert tell(clock) == 0, "noon in Shanghai is 23:00 in New York"
        clock.move_to(datetime(2027, 2, 1, 11, 30, tzinfo=UTC) + timedelta(seconds=composing.SPREAD_S))
        assert pushes.send_due() == 1

    def test_none_at_all(self, service: Receiver, alice: Player, clock: Clock):
        choose(alice, quiet_from=None, quiet_to=None)
        clock.move_to(datetime(2027, 2, 1, 18, tzinfo=UTC))
        away.ask(alice)
        assert tell(clock) == 1
