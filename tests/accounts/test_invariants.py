"""Each invariant finds what is planted against it, and nothing in what the actions made."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import Player
from fortunes import sql
from tests.factories.accounts import FriendshipFactory

pytestmark = pytest.mark.django_db

PLANTED = [
    ("friendships_mirror", "DELETE FROM accounts_friendship WHERE player_id = %(alice)s"),
    ("friendships_mirror", "UPDATE accounts_friendship SET state = 'asked' WHERE player_id = %(alice)s"),
    ("friendships_mirror", "UPDATE accounts_friendship SET since = fortunes_clock() WHERE player_id = %(alice)s"),
    ("friends_counted", "UPDATE accounts_player SET friend_count = 7 WHERE id = %(alice)s"),
    ("friends_counted", "DELETE FROM accounts_friendship WHERE %(alice)s IN (player_id, friend_id)"),
]


@pytest.mark.parametrize(("name", "violation"), PLANTED)
def test_a_planted_violation_is_found(name: str, violation: str, alice: Player, bob: Player):
    query = sql.text("accounts", f"invariants/{name}")
    FriendshipFactory.create(player=alice, friend=bob)
    assert sql.fetch(query) == []
    with connection.cursor() as cursor:
        cursor.execute(violation, {"alice": alice.pk})
    assert sql.fetch(query) != []
