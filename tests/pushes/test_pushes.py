"""Players who are away are told of their events by their host app's push service."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from accounts.actions import bans, erasure, notifications, pushes
from accounts.models import Ban, FederatedIdentity, Player, Push
from fortunes import sql
from fortunes.models import PushDue
from tests.accounts import hosts
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock
from tests.pushes import away
from tests.pushes.away import broken, choose, row, rows, signed_in, tell
from tests.pushes.receivers import Receiver

pytestmark = pytest.mark.django_db


class TestTelling:
    def test_somebody_asks_and_the_host_is_told(self, service: Receiver, alice: Player, clock: Clock):
        away.ask(alice)
        assert (pushes.send_due(), service.arrived) == (0, []), "others may follow at once"
        assert tell(clock) == 1
        (delivery,) = service.arrived
        assert delivery.types == ["friendship.asked"]
        assert row(alice).state == Push.State.SENT
        assert not away.is_due(alice)
        assert (tell(clock), len(service.arrived)) == (0, 1)

    def test_what_the_host_gets(self, service: Receiver, alice: Player, clock: Clock):
        away.ask(alice)
        tell(clock)
        (delivery,) = service.arrived
        news = delivery.news
        assert set(news) == {"id", "app", "user", "player", "seq", "counts", "events"}
        assert (news["app"], news["user"], news["player"]) == ("host", away.subject(alice), str(alice.public_id))
        assert (news["id"], news["seq"]) == (str(row(alice).public_id), 1)
        assert news["counts"] == {"friendship.asked": 1}
        (event,) = news["events"]
        assert set(event) == {"event", "seq", "at", "campaign", "data"}
        assert set(event["data"]) == {"by", "to"}
        assert delivery.headers["idempotency-key"] == news["id"]
        assert delivery.headers["content-type"] == "application/json"
        assert delivery.is_signed()
        assert "Alice" not in delivery.body.decode() and alice.username not in delivery.body.decode()

    def test_many_events_are_one_push(self, service: Receiver, alice: Player, clock: Clock):
        away.ask(alice, times=3)
        away.ask(alice, times=27)
        assert PushDue.objects.filter(player=alice).count() == 1
        assert tell(clock) == 1
        (news,) = service.told
        assert (news["counts"], news["seq"]) == ({"friendship.asked": 30}, 30)
        assert [event["seq"] for event in news["events"]] == list(range(11, 31))

    def test_each_event_is_told_once(self, service: Receiver, alice: Player, clock: Clock):
        for _ in range(3):
            away.ask(alice)
            tell(clock)
        assert [event["seq"] for event in service.told_to(away.subject(alice))] == [1, 2, 3]
        assert len(service.arrived) == 3

    def test_what_one_did_oneself_is_not_told(self, service: Receiver, alice: Player, clock: Clock):
        away.asked_by(alice)
        assert (tell(clock), rows(alice), away.is_due(alice)) == (0, [], False)
        away.asked_by(alice)
        away.ask(alice)
        assert tell(clock) == 1
        assert [event["seq"] for event in service.told_to(away.subject(alice))] == [3]

    def test_what_is_old_is_no_news(self, service: Receiver, alice: Player, clock: Clock):
        away.ask(alice)
        clock.shift(timedelta(hours=25))
        assert (pushes.send_due(), away.is_due(alice)) == (0, False)

    def test_nothing_of_a_transaction_that_fails(self, service: Receiver, alice: Player, clock: Clock):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            away.ask(alice)
            raise ZeroDivisionError
        assert (tell(clock), away.is_due(alice)) == (0, False)

    def test_who_did_not_come_from_a_host_app_costs_nothing(self, service: Receiver, clock: Clock):
        bob = PlayerFactory.create()
        away.ask(bob)
        assert (away.feed(bob).pushes, away.is_due(bob), tell(clock)) == (False, False, 0)

    def test_of_another_app_without_a_push_service(self, service: Receiver, clock: Clock):
        bob = away.arrived("wallet")
        away.ask(bob)
        assert (away.feed(bob).pushes, tell(clock)) == (False, 0)

    def test_no_push_service_at_all(self, alice: Player, settings: Settings, clock: Clock):
        away.ask(alice)
        settings.FEDERATION_FILE = ""
        assert (tell(clock), rows(alice)) == (0, [])

    def test_many_players_at_once(self, service: Receiver, clock: Clock):
        met = threading.Barrier(pushes.BATCH)
        service.answer = lambda number: 204 if met.wait(30) >= 0 else 500
        players = [away.arrived() for _ in range(2 * pushes.BATCH)]
        for player in players:
            away.ask(player)
        assert tell(clock) == len(players)
        assert {news["user"] for news in service.told} == {away.subject(player) for player in players}
        assert broken() == []


class TestTurningOnAndOff:
    def test_signing_in_with_the_host_app_turns_pushes_on(
        self, service: Receiver, clock: Clock, settings: Settings, tmp_path: Path
    ):
        with hosts.running() as app:
            settings.FEDERATION_FILE = hosts.configured(tmp_path, app.configuration(push_url=service.url))
            player = signed_in(app)
            assert away.feed(player).pushes
            away.ask(player)
            tell(clock)
            assert [news["user"] for news in service.told] == ["user-7"]

    def test_without_a_push_service_nothing_is_noted(self, service: Receiver, settings: Settings, tmp_path: Path):
        with hosts.running() as app:
            settings.FEDERATION_FILE = hosts.configured(tmp_path, app.configuration())
            assert not PushDue.objects.filter(player=signed_in(app)).exists()

    def test_signing_in_again_loses_nothing_that_waits(self, service: Receiver, alice: Player, clock: Clock):
        away.ask(alice)
        with transaction.atomic():
            notifications.let(player_id=alice.pk)
        assert tell(clock) == 1

    def test_who_was_shut_out_is_told_nothing(self, service: Receiver, alice: Player, clock: Clock):
        away.ask(alice)
        boss = PlayerFactory.create(is_staff=True)
        bans.ban(player_id=alice.pk, by=boss.pk, reason=Ban.Reason.ABUSE)
        assert (tell(clock), service.arrived, away.feed(alice).pushes) == (0, [], False)

    def test_who_was_erased_is_told_nothing(self, service: Receiver, alice: Player, clock: Clock):
        service.answer = lambda number: 500
        away.ask(alice)
        tell(clock)
        away.ask(alice)
        erasure.erase(player_id=alice.pk, by=alice.pk)
        clock.shift(timedelta(minutes=10))
        assert (pushes.send_due(), len(service.arrived)) == (0, 1)
        assert (row(alice).state, away.feed(alice).pushes) == (Push.State.DROPPED, False)
        assert broken() == []

    def test_whose_app_has_no_push_service_any_more(
        self, service: Receiver, alice: Player, settings: Settings, tmp_path: Path, clock: Clock
    ):
        away.ask(alice)
        FederatedIdentity.objects.filter(player=alice).update(issuer="closed")
        assert (tell(clock), away.feed(alice).pushes) == (0, False)


class TestChoosing:
    def test_muted_types_are_not_told(self, service: Receiver, alice: Player, clock: Clock):
        choose(alice, muted=["friendship.asked"])
        away.ask(alice)
        assert (tell(clock), rows(alice), away.is_due(alice)) == (0, [], False)
        choose(alice)
        away.ask(alice)
        assert tell(clock) == 1
        assert [event["seq"] for event in service.told_to(away.subject(alice))] == [2]

    def test_who_opted_out_is_told_nothing_and_costs_nothing(self, service: Receiver, alice: Player, clock: Clock):
        away.ask(alice)
        choose(alice, enabled=False)
        assert (away.feed(alice).pushes, away.is_due(alice)) == (False, False)
        away.ask(alice)
        assert (tell(clock), service.arrived, broken()) == (0, [], [])
        choose(alice, enabled=True)
        away.ask(alice)
        assert tell(clock) == 1
        assert [event["seq"] for event in service.told_to(away.subject(alice))] == [3]

    def test_signing_in_does_not_turn_on_what_was_turned_off(self, alice: Player):
        choose(alice, enabled=False)
        with transaction.atomic():
            notifications.let(player_id=alice.pk)
        assert not away.feed(alice).pushes

    def test_what_waits_for_another_try_is_dropped(self, service: Receiver, alice: Player, clock: Clock):
        service.answer = lambda number: 500
        away.ask(alice)
        tell(clock)
        choose(alice, muted=["friendship.asked"])
        clock.shift(timedelta(minutes=10))
        assert (pushes.send_due(), len(service.arrived), row(alice).state) == (0, 1, Push.State.DROPPED)


class TestPlans:
    """Millions may sleep or wait: what is looked for every second is found by an index that says where to stop."""

    def explained(self, statement: str, fields: Any) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {statement}", fields)
            return "\n".join(line for (line,) in cursor.fetchall())

    def test_who_is_due(self, clock: Clock):
        query = PushDue.objects.filter(due_at__lte=clock.now()).order_by("due_at").values_list("player_id")[:32]
        statement, values = query.query.sql_with_params()
        assert "Index Cond: (due_at <= " in self.explained(statement, values)

    def test_what_waits(self):
        plan = self.explained(sql.text("accounts", "claim_pushes"), {"host": "host", "batch": 32, "lease_s": 60})
        assert "Index Cond: (((host)::text = 'host'::text) AND (next_try_at <= " in plan

    def test_what_is_old(self):
        plan = self.explained(sql.text("accounts", "forget_pushes"), {"batch": 1000})
        assert "Index Cond: (created_at < " in plan
