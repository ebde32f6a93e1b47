"""A host app's push service fails, hangs, answers twice or says that there is no device."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from pytest_django import Settings

from accounts import errors, webhooks
from accounts.actions import composing, housekeeping, pushes
from accounts.models import Player, Push, PushHost
from fortunes import clock as database_clock
from fortunes import deadletters
from fortunes.models import AuditEntry, DeadLetter
from tests.accounts import hosts
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock
from tests.pushes import away, receivers
from tests.pushes.away import broken, row, rows, signed_in, tell
from tests.pushes.receivers import Receiver

pytestmark = pytest.mark.django_db


class TestFailing:
    @pytest.mark.parametrize("status", [500, 503, 429, 408, 404, 400, 401, 302])
    def test_what_fails_is_tried_again_under_its_id(self, service: Receiver, alice: Player, clock: Clock, status: int):
        service.answer = lambda number: status if number == 1 else 204
        service.headers["Location"] = "/elsewhere"
        away.ask(alice)
        assert tell(clock) == 0
        assert (row(alice).state, row(alice).attempts) == (Push.State.WAITING, 1)
        assert row(alice).last_error == f"the push service answered {status}"
        assert pushes.send_due() == 0, "it waits"
        clock.shift(timedelta(seconds=pushes.FIRST_WAIT_S))
        assert pushes.send_due() == 1
        first, second = service.arrived
        assert (first.news["id"], first.body) == (second.news["id"], second.body)
        assert {first.path, second.path} == {"/pushes"}, "redirects are not followed"
        assert not PushHost.objects.get(host="host").failures

    def test_one_that_hangs(self, service: Receiver, alice: Player, clock: Clock, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(webhooks, "TIMEOUT_S", 0.3)
        service.answer = service.hang
        away.ask(alice)
        assert tell(clock) == 0
        # The limit of the whole, or on a machine that is late for both that of the library.
        assert row(alice).last_error in {
            "the push service can't be reached: TimeoutError",
            "the push service can't be reached: ReadTimeout",
        }

    def test_an_address_that_is_none_fails_alone(self, service: Receiver):
        good = webhooks.hosts()["host"]
        bad = good._replace(slug="other", url="https://xn--\u2603.example/")
        sent = [webhooks.Outgoing(host, uuid4(), b"{}") for host in (bad, good)]
        first, second = webhooks.send(sent, at=database_clock.now())
        assert first.reason == "the push service can't be reached: InvalidURL"
        assert second.taken and len(service.arrived) == 1

    def test_one_that_is_slow_is_not_waited_for_after_its_status(self, service: Receiver, alice: Player, clock: Clock):
        service.drips = True
        away.ask(alice)
        assert tell(clock) == 1

    def test_one_that_hangs_up(self, service: Receiver, alice: Player, clock: Clock):
        service.answer = lambda number: 0
        away.ask(alice)
        assert tell(clock) == 0
        assert row(alice).last_error == "the push service can't be reached: RemoteProtocolError"

    def test_an_address_where_nobody_is(self, alice: Player, settings: Settings, tmp_path: Path, clock: Clock):
        settings.FEDERATION_FILE = away.configured(tmp_path, "http://127.0.0.1:1/pushes")
        away.ask(alice)
        assert tell(clock) == 0
        assert row(alice).last_error == "the push service can't be reached: ConnectError"

    def test_what_was_taken_without_our_hearing_of_it_comes_again_under_its_id(
        self, service: Receiver, alice: Player, clock: Clock
    ):
        service.answer = lambda number: 0 if number == 1 else 204
        away.ask(alice)
        tell(clock)
        clock.shift(timedelta(seconds=pushes.FIRST_WAIT_S))
        assert pushes.send_due() == 1
        assert len(service.arrived) == 2
        assert len(service.told) == 1

    def test_a_host_says_when_it_wants_to_be_asked_again(self, service: Receiver, alice: Player, clock: Clock):
        service.answer, service.headers["Retry-After"] = lambda number: 503 if number == 1 else 204, "120"
        away.ask(alice)
        tell(clock)
        clock.shift(timedelta(seconds=110))
        assert (pushes.send_due(), len(service.arrived)) == (0, 1)
        clock.shift(timedelta(seconds=11))
        assert pushes.send_due() == 1

    def test_nobody_may_ask_us_to_wait_for_ever(self, service: Receiver, alice: Player, clock: Clock):
        service.answer, service.headers["Retry-After"] = lambda number: 429, "99999"
        away.ask(alice)
        tell(clock)
        assert row(alice).next_try_at <= clock.now() + timedelta(seconds=webhooks.LONGEST_WAIT_S)

    def test_after_eight_tries_it_is_given_up_and_can_be_taken_up_again(
        self, service: Receiver, alice: Player, clock: Clock
    ):
        service.answer = lambda number: 500
        away.ask(alice)
        for _ in range(pushes.MOST_ATTEMPTS + 3):
            clock.shift(timedelta(seconds=pushes.LONGEST_WAIT_S))
            pushes.send_due()
        assert (row(alice).state, len(service.arrived)) == (Push.State.GIVEN_UP, pushes.MOST_ATTEMPTS)
        letter = DeadLetter.objects.get(job=pushes.JOB, subject_id=row(alice).pk)
        assert letter.error == "the push service answered 500"
        service.answer = lambda number: 204
        deadletters.revive(letter_id=letter.pk, by=PlayerFactory.create(is_staff=True).pk)
        assert pushes.send_due() == 1
        assert len(set(service.ids)) == 1
        assert AuditEntry.objects.latest("seq").action == "dead_letter.revived"

    def test_what_was_given_up_does_not_hold_up_what_comes_later(self, service: Receiver, alice: Player, clock: Clock):
        away.ask(alice)
        tell(clock)
        Push.objects.update(state=Push.State.GIVEN_UP)
        away.ask(alice)
        assert tell(clock) == 1

    def test_too_late_is_never(self, service: Receiver, alice: Player, clock: Clock):
        service.answer = lambda number: 500
        away.ask(alice)
        tell(clock)
        clock.shift(composing.WORTH)
        assert pushes.send_due() == 0
        assert (row(alice).state, len(service.arrived)) == (Push.State.EXPIRED, 1)
        assert not DeadLetter.objects.filter(job=pushes.JOB, outcome=None, subject_id=row(alice).pk).exists()

    def test_what_is_too_late_is_not_taken_up_again(self, service: Receiver, alice: Player, clock: Clock):
        away.ask(alice)
        tell(clock)
        with transaction.atomic():
            Push.objects.update(state=Push.State.GIVEN_UP)
            letter = deadletters.bury(job=pushes.JOB, subject_id=row(alice).pk, error="x")
        clock.shift(composing.WORTH)
        with pytest.raises(errors.PushWorthless):
            deadletters.revive(letter_id=letter, by=PlayerFactory.create(is_staff=True).pk)

    def test_one_that_kills_its_worker_is_given_up(
        self, service: Receiver, alice: Player, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ):
        def die(*args: object, **options: object) -> None:
            raise MemoryError

        away.ask(alice)
        clock.shift(away.COALESCED)
        with monkeypatch.context() as dying:
            dying.setattr(webhooks, "send", die)
            for _ in range(pushes.MOST_ATTEMPTS):
                with pytest.raises(MemoryError):
                    pushes.send_due()
                clock.shift(timedelta(seconds=pushes.LEASE_S + 1))
        pushes.send_due()
        assert (row(alice).state, service.arrived) == (Push.State.GIVEN_UP, [])
        assert DeadLetter.objects.filter(job=pushes.JOB, subject_id=row(alice).pk).exists()

    def test_yesterdays_pushes_are_deleted(self, service: Receiver, alice: Player, clock: Clock):
        away.ask(alice)
        tell(clock)
        clock.shift(timedelta(days=1, minutes=1))
        assert housekeeping.forget_old() >= 1
        assert rows(alice) == []

    def test_a_worker_without_keys_says_so_and_takes_nothing(self, alice: Player, settings: Settings, clock: Clock):
        away.ask(alice)
        settings.PUSH_KEYS = {}
        with pytest.raises(ImproperlyConfigured, match="push_keys"):
            tell(clock)
        assert away.is_due(alice)


class TestResting:
    """A host that fails is left alone, and what its users are due for meanwhile becomes one push each."""

    def test_it_is_probed_with_one_push_and_then_told_everything(self, service: Receiver, clock: Clock):
        service.answer = lambda number: 500
        players = [away.arrived() for _ in range(5)]
        for player in players:
            away.ask(player)
        tell(clock)
        tried = len(service.arrived)
        assert tried == len(players)
        for _ in range(3):
            for player in players:
                away.ask(player)
            clock.shift(timedelta(seconds=pushes.LONGEST_REST_S + composing.REST_SPREAD_S))
            pushes.send_due()
        assert len(service.arrived) <= tried + 3, "one probe for each time that it was left alone"
        service.answer = lambda number: 204
        for _ in range(3):
            clock.shift(timedelta(seconds=pushes.LONGEST_WAIT_S))
            pushes.send_due()
        assert not PushHost.objects.get().failures
        for player in players:
            # The first came with the first try, and the others while it waited for another.
            told = service.told_to(away.subject(player))
            assert sorted(event["seq"] for event in told) == [1, 2, 3, 4]
        assert broken() == []

    def test_while_it_rests_nothing_is_tried(self, service: Receiver, alice: Player, clock: Clock):
        service.answer = lambda number: 500
        away.ask(alice)
        tell(clock)
        PushHost.objects.update(rests_until=clock.now() + timedelta(hours=1))
        bob = away.arrived()
        away.ask(bob)
        for _ in range(3):
            clock.shift(timedelta(minutes=10))
            pushes.send_due()
        assert (len(service.arrived), rows(bob), away.is_due(bob)) == (1, [], True)

    def test_another_host_is_told_all_the_same(
        self, service: Receiver, settings: Settings, tmp_path: Path, clock: Clock
    ):
        with receivers.running() as wallet:
            settings.FEDERATION_FILE = away.configured(tmp_path, service.url, wallet=wallet.url)
            service.answer = lambda number: 500
            alice, bob = away.arrived(), away.arrived("wallet")
            away.ask(alice)
            away.ask(bob)
            assert tell(clock) == 1
            (delivery,) = wallet.arrived
            assert delivery.news["user"] == away.subject(bob)
            assert delivery.is_signed("wallet") and not delivery.is_signed("host")
            assert [row.host for row in PushHost.objects.filter(failures__gt=0)] == ["host"]

    def test_a_refused_user_among_others_is_not_the_hosts_failure(self, service: Receiver, clock: Clock):
        unknown, known = away.arrived(), away.arrived()
        service.answer = lambda number: (
            404 if service.arrived[number - 1].news["user"] == away.subject(unknown) else 204
        )
        away.ask(unknown)
        away.ask(known)
        assert tell(clock) == 1
        assert not PushHost.objects.filter(failures__gt=0).exists()
        assert row(unknown).state == Push.State.WAITING

    def test_a_long_failure_is_critical_in_the_log(
        self, service: Receiver, alice: Player, clock: Clock, caplog: pytest.LogCaptureFixture
    ):
        service.answer = lambda number: 500
        away.ask(alice)
        tell(clock)
        clock.shift(timedelta(seconds=pushes.ALARM_S + 1))
        pushes.send_due()
        assert [record.levelname for record in caplog.records if record.name == "fortunes.pushes"] == [
            "WARNING", "CRITICAL",
        ]  # fmt: skip


class TestGone:
    """410: the host knows no device of this user."""

    def test_the_player_is_told_nothing_more(self, service: Receiver, alice: Player, clock: Clock):
        service.answer = lambda number: 410
        away.ask(alice)
        away.ask(alice)
        assert tell(clock) == 0
        assert (row(alice).state, away.feed(alice).pushes) == (Push.State.DROPPED, False)
        away.ask(alice)
        assert (tell(clock), len(service.arrived), away.is_due(alice)) == (0, 1, False)
        assert not PushHost.objects.filter(failures__gt=0).exists(), "it did answer"

    def test_until_they_sign_in_again(self, service: Receiver, clock: Clock, settings: Settings, tmp_path: Path):
        with hosts.running() as app:
            settings.FEDERATION_FILE = hosts.configured(tmp_path, app.configuration(push_url=service.url))
            player = signed_in(app)
            service.answer = lambda number: 410
            away.ask(player)
            tell(clock)
            assert not away.feed(player).pushes
            away.ask(player)
            assert signed_in(app) == player
            service.answer = lambda number: 204
            away.ask(player)
            assert tell(clock) == 1
            assert [event["seq"] for event in service.arrived[-1].news["events"]] == [3]

    def test_a_sign_in_while_the_host_was_asked_counts(
        self, service: Receiver, clock: Clock, settings: Settings, tmp_path: Path
    ):
        with hosts.running() as app:
            settings.FEDERATION_FILE = hosts.configured(tmp_path, app.configuration(push_url=service.url))
            player = signed_in(app)
            away.ask(player)
            clock.shift(away.COALESCED)
            composing.compose(hosts=webhooks.hosts(), resting={}, now=clock.now(), most=10)
            (claimed,) = pushes._claim("host", most=10)
            signed_in(app)
            pushes._note(claimed, webhooks.Outcome(gone=True, reason="gone"))
            assert away.feed(player).pushes
