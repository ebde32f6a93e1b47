from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import errors, friends
from accounts.actions import friendships
from accounts.befriending import Side
from accounts.models import Friendship, Player
from fortunes.models import Event
from tests.accounts.sharing import share_lock
from tests.factories.accounts import FriendshipFactory, PlayerFactory

pytestmark = pytest.mark.django_db


def _sides(one: Player, other: Player) -> tuple[str | None, str | None]:
    def side(player: Player, friend: Player) -> str | None:
        row = Friendship.objects.filter(player=player, friend=friend).first()
        return row.state if row else None

    return side(one, other), side(other, one)


def _counts(*players: Player) -> list[int]:
    return [Player.objects.get(pk=player.pk).friend_count for player in players]


def _told(player: Player) -> list[tuple[int, str, str]]:
    rows = Event.objects.filter(player=player).order_by("seq")
    return [(row.seq, row.type.removeprefix("friendship."), row.data["by"]) for row in rows]


def test_an_ask_is_seen_from_both_sides(alice: Player, bob: Player):
    standing = friendships.ask(by=alice.pk, player=bob.username.upper())
    assert (standing.state, standing.was) == (Side.ASKING, Side.STRANGER)
    assert _sides(alice, bob) == ("asking", "asked")
    assert _counts(alice, bob) == [0, 0]


def test_accepting_makes_friends(alice: Player, bob: Player):
    friendships.ask(by=alice.pk, player=bob.public_id)
    friendships.accept(by=bob.pk, player=alice.public_id)
    assert _sides(alice, bob) == ("friends", "friends")
    assert _counts(alice, bob) == [1, 1]
    assert (friends.of(alice.pk), friends.of(bob.pk)) == ([bob.pk], [alice.pk])
    assert share_lock(alice.pk, bob.pk)


def test_crossing_asks_make_friends(alice: Player, bob: Player):
    friendships.ask(by=alice.pk, player=bob.public_id)
    standing = friendships.ask(by=bob.pk, player=alice.public_id)
    assert standing.state is Side.FRIENDS
    assert _counts(alice, bob) == [1, 1]


def test_only_the_one_who_was_asked_can_accept(alice: Player, bob: Player):
    with pytest.raises(errors.FriendshipNotFound):
        friendships.accept(by=alice.pk, player=bob.public_id)
    friendships.ask(by=alice.pk, player=bob.public_id)
    with pytest.raises(errors.FriendshipNotAsked):
        friendships.accept(by=alice.pk, player=bob.public_id)
    assert _sides(alice, bob) == ("asking", "asked")


def test_either_side_can_end_it(alice: Player, bob: Player):
    for who, other in [(alice, bob), (bob, alice)]:
        FriendshipFactory.create(player=alice, friend=bob)
        friendships.end(by=who.pk, player=other.public_id)
        assert _sides(alice, bob) == (None, None)
        assert _counts(alice, bob) == [0, 0]
        assert not share_lock(alice.pk, bob.pk)
    with pytest.raises(errors.FriendshipNotFound):
        friendships.end(by=alice.pk, player=bob.public_id)


def test_an_ask_can_be_withdrawn_and_declined(alice: Player, bob: Player):
    for who, other in [(alice, bob), (bob, alice)]:
        friendships.ask(by=alice.pk, player=bob.public_id)
        friendships.end(by=who.pk, player=other.public_id)
        assert _sides(alice, bob) == (None, None)


def test_a_block_ends_the_friendship(alice: Player, bob: Player):
    FriendshipFactory.create(player=alice, friend=bob)
    friendships.block(by=alice.pk, player=bob.public_id)
    assert _sides(alice, bob) == ("blocked", "barred")
    assert _counts(alice, bob) == [0, 0]
    assert friends.of(alice.pk) == []
    friendships.unblock(by=alice.pk, player=bob.public_id)
    assert _sides(alice, bob) == (None, None)


def test_whoever_blocked_somebody_must_unblock_first(alice: Player, bob: Player):
    friendships.block(by=alice.pk, player=bob.public_id)
    with pytest.raises(errors.PlayerBlocked):
        friendships.ask(by=alice.pk, player=bob.public_id)


@pytest.mark.parametrize("verb", ["ask", "accept", "end"])
def test_blocked_unknown_and_shut_out_look_the_same(verb: str, alice: Player, bob: Player, charlie: Player):
    friendships.block(by=alice.pk, player=bob.public_id)
    Player.objects.filter(pk=charlie.pk).update(is_active=False)
    for nobody in (alice.public_id, alice.username, charlie.public_id, uuid.uuid4(), "nobody-here", "", "\ud800"):
        with pytest.raises(errors.FriendshipNotFound if verb in ("accept", "end") else errors.PlayerNotFound):
            getattr(friendships, verb)(by=bob.pk, player=nobody)
    assert _sides(alice, bob) == ("blocked", "barred")


def test_a_block_tells_nobody_apart(alice: Player, bob: Player, charlie: Player):
    """Whether they have blocked you, were shut out, or are strangers."""
    friendships.block(by=alice.pk, player=bob.public_id)
    shut_out = PlayerFactory.create(is_active=False)
    for other in (alice, charlie, shut_out):
        friendships.unblock(by=bob.pk, player=other.public_id)
        friendships.block(by=bob.pk, player=other.public_id)
    assert _sides(alice, bob) == ("mutual", "mutual")
    assert _sides(shut_out, bob) == _sides(charlie, bob) == ("barred", "blocked")
    for nobody in (uuid.uuid4(), "nobody-here", "", "\ud800"):
        with pytest.raises(errors.PlayerNotFound):
            friendships.block(by=bob.pk, player=nobody)
        with pytest.raises(errors.PlayerNotFound):
            friendships.unblock(by=bob.pk, player=nobody)


@pytest.mark.parametrize("verb", ["ask", "accept", "end", "block", "unblock"])
def test_nobody_befriends_themselves(verb: str, alice: Player):
    with pytest.raises(errors.FriendshipWithOneself):
        getattr(friendships, verb)(by=alice.pk, player=alice.public_id)


def test_repeating_a_verb_changes_nothing(alice: Player, bob: Player):
    first = friendships.ask(by=alice.pk, player=bob.public_id)
    again = friendships.ask(by=alice.pk, player=bob.public_id)
    assert (again.state, again.since, again.was) == (first.state, first.since, Side.ASKING)
    friendships.accept(by=bob.pk, player=alice.public_id)
    friendships.accept(by=bob.pk, player=alice.public_id)
    assert _counts(alice, bob) == [1, 1]
    assert len(_told(alice)) == 2


def test_both_sides_are_told_the_same(alice: Player, bob: Player):
    FriendshipFactory.create(player=alice, friend=bob)
    friendships.end(by=bob.pk, player=alice.public_id)
    a, b = str(alice.public_id), str(bob.public_id)
    assert _told(alice) == _told(bob) == [(1, "asked", a), (2, "accepted", b), (3, "ended", b)]
    assert {row.campaign_id for row in Event.objects.filter(player=alice)} == {None}


def test_a_block_shows_itself_as_an_end_or_not_at_all(alice: Player, bob: Player, charlie: Player):
    FriendshipFactory.create(player=alice, friend=bob)
    friendships.block(by=alice.pk, player=bob.public_id)
    friendships.unblock(by=alice.pk, player=bob.public_id)
    assert [kind for _, kind, _ in _told(bob)] == ["asked", "accepted", "ended"]
    friendships.block(by=alice.pk, player=charlie.public_id)
    assert _told(charlie) == []


def test_nobody_has_more_than_two_hundred_friends(alice: Player, bob: Player, charlie: Player):
    friendships.ask(by=bob.pk, player=alice.public_id)
    friendships.ask(by=alice.pk, player=charlie.public_id)
    # Without the 200 friendships: this transaction is rolled back.
    Player.objects.filter(pk=alice.pk).update(friend_count=200)
    with pytest.raises(errors.FriendLimitReached) as refused:
        friendships.accept(by=alice.pk, player=bob.public_id)
    assert refused.value.facts == {"limit": 200}
    with pytest.raises(errors.FriendLimitReached):
        friendships.accept(by=charlie.pk, player=alice.public_id)
    assert _sides(alice, bob) == ("asked", "asking")


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE accounts_player SET friend_count = 201 WHERE id = %(alice)s", "player_friend_limit"),
        ("UPDATE accounts_player SET friend_count = -1 WHERE id = %(alice)s", "player_friend_limit"),
        ("UPDATE accounts_friendship SET friend_id = player_id WHERE player_id = %(alice)s", "friendship_with_another"),
        ("UPDATE accounts_friendship SET state = 'fond' WHERE player_id = %(alice)s", "friendship_state"),
        ("INSERT INTO accounts_friendship (player_id, friend_id, state) TABLE asked", "friendship_once"),
    ],
)
def test_the_database_refuses(statement: str, constraint: str, alice: Player, bob: Player):
    FriendshipFactory.create(player=alice, friend=bob)
    with (
        pytest.raises(IntegrityError, match=constraint),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        row = (
            "WITH asked AS (SELECT player_id, friend_id, 'asked' FROM accounts_friendship WHERE player_id = %(alice)s) "
        )
        cursor.execute(row + statement, {"alice": alice.pk})


def test_of_pairs_those_are_confirmed_who_are_friends(alice: Player, bob: Player):
    FriendshipFactory.create(player=alice, friend=bob)
    stranger = PlayerFactory.create()
    pairs = [(alice.pk, bob.pk), (bob.pk, alice.pk), (alice.pk, stranger.pk)]
    found = [(alice.pk, bob.pk, bob.public_id), (bob.pk, alice.pk, alice.public_id)]
    assert sorted(friends.confirmed(pairs)) == sorted(found)
