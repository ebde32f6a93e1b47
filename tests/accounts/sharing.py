"""The lock on a friendship that every trade takes, by itself."""

from __future__ import annotations

from fortunes import sql


def share_lock(player_id: int, friend_id: int) -> bool:
    """Whether two players are friends, held so until the current transaction ends."""
    query = "SELECT accounts_share_friendship(%(one)s, %(other)s) AS friends"
    return bool(sql.fetch(query, {"one": player_id, "other": friend_id})[0].friends)
