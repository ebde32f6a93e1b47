"""Friendships under races, each with a control that shows what the lock or the constraint prevents."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from accounts import befriending, errors, friends, locks
from accounts.actions import friendships
from accounts.models import FRIEND_LIMIT, Friendship, Player
from fortunes import sql
from fortunes.errors import DomainError
from fortunes.models import Event, Feed
from tests.accounts.sharing import share_lock
from tests.concurrency.together import PATIENCE_S, patiently, together
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.committed

VERBS = [friendships.ask, friendships.accept, friendships.end, friendships.block, friendships.unblock]


def _violations() -> list[Any]:
    return [row for name in ("friendships_mirror", "friends_counted") for row in sql.fetch(_invariant(name))]


def _invariant(name: str) -> str:
    return sql.text("accounts", f"invariants/{name}")


def _friend_count(player: Player) -> int:
    return Player.objects.get(pk=player.pk).friend_count


def _counts_without_lock(one: int, other: int) -> dict[int, locks.Locked]:
    players = Player.objects.filter(pk__in=[one, other])
    return {player.pk: locks.Locked(player.public_id, player.friend_count, erased=False) for player in players}


@contextmanager
def _judging_at_once(monkeypatch: pytest.MonkeyPatch, judges: int, *, both: Any) -> Iterator[None]:
    """The control: `judges` actions read what is, wait for one another, and only then write. The lock is replaced."""
    barrier = threading.Barrier(judges)

    def after(verb: befriending.Verb, mine: befriending.Side) -> Any:
        barrier.wait(PATIENCE_S)
        return befriending.after(verb, mine)

    with monkeypatch.context() as patch:
        patch.setattr(locks, "both", both)
        patch.setattr(friendships, "after", after)
        yield


def _forget(*players: Player) -> None:
    """Take away what a control broke: the session ends with a check of the invariants."""
    ids = [player.pk for player in players]
    with transaction.atomic():
        Friendship.objects.filter(player__in=ids).delete()
        Friendship.objects.filter(friend__in=ids).delete()
        Player.objects.filter(pk__in=ids).update(friend_count=0)


def test_random_verbs_of_64_threads_between_few_players():
    players = PlayerFactory.create_batch(5)

    def act(seed: int) -> int:
        dice, done = random.Random(seed), 0
        for _ in range(12):
            by, friend = dice.sample(players, 2)
            try:
                patiently(partial(dice.choice(VERBS), by=by.pk, player=friend.public_id))
                done += 1
            except DomainError:
                continue
        return done

    outcomes = together(*(partial(act, seed) for seed in range(64)))
    assert [outcome for outcome in outcomes if not isinstance(outcome, int)] == []
    assert sum(outcomes) > 64
    assert _violations() == []
    for player in players:
        seqs = list(Event.objects.filter(player=player).order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, len(seqs) + 1))
        assert Feed.objects.get(player=player).seq == len(seqs)


def test_crossing_asks_make_one_friendship():
    for _ in range(20):
        alice, bob = PlayerFactory.create_batch(2)
        outcomes = together(
            partial(friendships.ask, by=alice.pk, player=bob.public_id),
            partial(friendships.ask, by=bob.pk, player=alice.public_id),
        )
        assert sorted(standing.state for standing in outcomes) == ["asking", "friends"]
        assert (_friend_count(alice), _friend_count(bob)) == (1, 1)
    assert _violations() == []


def test_accepting_twice_at_once_counts_once():
    for _ in range(10):
        alice, bob = PlayerFactory.create_batch(2)
        friendships.ask(by=alice.pk, player=bob.public_id)
        accept = partial(friendships.accept, by=bob.pk, player=alice.public_id)
        assert sorted(standing.was for standing in together(*[accept] * 4)) == ["asked"] + ["friends"] * 3
        assert (_friend_count(alice), _friend_count(bob)) == (1, 1)


def test_control_without_the_lock_it_counts_twice(monkeypatch: pytest.MonkeyPatch):
    alice, bob = PlayerFactory.create_batch(2)
    friendships.ask(by=alice.pk, player=bob.public_id)
    accept = partial(friendships.accept, by=bob.pk, player=alice.public_id)
    with _judging_at_once(monkeypatch, 2, both=_counts_without_lock):
        assert [standing.was for standing in together(accept, accept)] == ["asked", "asked"]
    assert (_friend_count(alice), _friend_count(bob)) == (2, 2)
    assert _violations() != []
    _forget(alice, bob)


def test_control_without_the_order_of_locks_players_deadlock(monkeypatch: pytest.MonkeyPatch):
    alice, bob = PlayerFactory.create_batch(2)
    first_taken = threading.Barrier(2)

    def own_first(one: int, other: int) -> dict[int, locks.Locked]:
        rows = Player.objects.select_for_update(no_key=True)
        mine = rows.get(pk=one)
        first_taken.wait(PATIENCE_S)
        players = (mine, rows.get(pk=other))
        return {player.pk: locks.Locked(player.public_id, player.friend_count, erased=False) for player in players}

    with monkeypatch.context() as patch:
        patch.setattr(locks, "both", own_first)
        outcomes = together(
            lambda: friendships.ask(by=alice.pk, player=bob.public_id),
            lambda: friendships.ask(by=bob.pk, player=alice.public_id),
        )
    lost = [outcome.__cause__ for outcome in outcomes if isinstance(outcome, OperationalError)]
    # A machine that is slow to find the circle gives up one of the locks first.
    assert lost and all(isinstance(e, psycopg.errors.DeadlockDetected | psycopg.errors.LockNotAvailable) for e in lost)


def _popular(friend_count: int) -> Player:
    """A player with so many friends, written at once: the same rows that the actions would leave."""
    player, friends = PlayerFactory.create(), PlayerFactory.create_batch(friend_count)
    with transaction.atomic():
        at = sql.fetch("SELECT fortunes_clock() AS at")[0].at
        pairs = [pair for friend in friends for pair in ((player, friend), (friend, player))]
        Friendship.objects.bulk_create(
            Friendship(player=one, friend=other, state=Friendship.State.FRIENDS, since=at) for one, other in pairs
        )
        Player.objects.filter(pk__in=[friend.pk for friend in friends]).update(friend_count=1)
        Player.objects.filter(pk=player.pk).update(friend_count=friend_count)
    return player


def _asked_by(player: Player, askers: int) -> list[Callable[[], Any]]:
    """Calls by which `player` accepts so many new askers."""
    others = PlayerFactory.create_batch(askers)
    for other in others:
        friendships.ask(by=other.pk, player=player.public_id)
    return [partial(_accepts, player, other) for other in others]


def _accepts(player: Player, asker: Player) -> str:
    return friendships.accept(by=player.pk, player=asker.public_id).state


def test_parallel_acceptances_fill_the_limit_exactly():
    alice = _popular(FRIEND_LIMIT - 8)
    outcomes = together(*_asked_by(alice, 32))
    assert outcomes.count("friends") == 8
    assert sum(isinstance(outcome, errors.FriendLimitReached) for outcome in outcomes) == 24
    assert _friend_count(alice) == FRIEND_LIMIT
    assert _violations() == []


def test_control_without_the_lock_only_the_constraint_holds_the_limit(monkeypatch: pytest.MonkeyPatch):
    alice = _popular(FRIEND_LIMIT - 1)
    acceptances = _asked_by(alice, 3)
    with _judging_at_once(monkeypatch, 3, both=_counts_without_lock):
        outcomes = together(*acceptances)
    assert outcomes.count("friends") == 1
    assert sum(isinstance(outcome, IntegrityError) for outcome in outcomes) == 2
    assert _friend_count(alice) == FRIEND_LIMIT


def test_control_without_lock_and_constraint_the_limit_breaks(
    monkeypatch: pytest.MonkeyPatch, owner_connection: psycopg.Connection
):
    alice = _popular(FRIEND_LIMIT - 1)
    acceptances = _asked_by(alice, 3)
    connection.close()
    with _without_constraint(owner_connection, "accounts_player", "player_friend_limit"):
        with _judging_at_once(monkeypatch, 3, both=_counts_without_lock):
            assert together(*acceptances) == ["friends"] * 3
        assert _friend_count(alice) == FRIEND_LIMIT + 2
        for friend in Friendship.objects.filter(player=alice).select_related("friend").order_by("-id")[:2]:
            friendships.end(by=alice.pk, player=friend.friend.public_id)
        connection.close()


@contextmanager
def _without_constraint(owner: psycopg.Connection, table: str, name: str) -> Iterator[None]:
    row = owner.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name]).fetchone()
    assert row is not None
    owner.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    try:
        yield
    finally:
        owner.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {row[0]}")


def test_a_trade_holds_the_friendship_until_it_commits():
    """`accounts_share_friendship`: an end that comes in the middle of a trade waits for it."""
    alice, bob = PlayerFactory.create_batch(2)
    friendships.ask(by=alice.pk, player=bob.public_id)
    friendships.accept(by=bob.pk, player=alice.public_id)
    locked, ended = threading.Event(), threading.Event()

    def trade() -> bool:
        with transaction.atomic(durable=True):
            held = share_lock(alice.pk, bob.pk)
            locked.set()
            return held and not ended.wait(0.5)

    def end() -> None:
        locked.wait(PATIENCE_S)
        friendships.end(by=bob.pk, player=alice.public_id)
        ended.set()

    assert together(trade, end) == [True, None]
    assert not share_lock(alice.pk, bob.pk)


def test_control_a_plain_look_holds_nothing():
    alice, bob = PlayerFactory.create_batch(2)
    friendships.ask(by=alice.pk, player=bob.public_id)
    friendships.accept(by=bob.pk, player=alice.public_id)
    looked, ended = threading.Event(), threading.Event()

    def trade() -> bool:
        with transaction.atomic(durable=True):
            held = friends.of(alice.pk) == [bob.pk]
            looked.set()
            return held and not ended.wait(5)

    def end() -> None:
        looked.wait(PATIENCE_S)
        friendships.end(by=bob.pk, player=alice.public_id)
        ended.set()

    assert together(trade, end) == [False, None]
