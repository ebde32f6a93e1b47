"""How two players stand to each other, and what each verb makes of it. Pure.

A pair is described from each side, and the one side says the other: who is `asking` is `asked` over there. So the
table needs one side only, the one of the player who acts. Strangers have no rows.

Nobody can do anything with a player who has blocked them: that player is as good as unknown, and where a
stranger looks like the unknown, like a stranger.
"""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    STRANGER = "stranger"
    ASKING = "asking"
    ASKED = "asked"
    FRIENDS = "friends"
    BLOCKED = "blocked"
    BARRED = "barred"


class Verb(StrEnum):
    ASK = "ask"
    ACCEPT = "accept"
    END = "end"
    BLOCK = "block"
    UNBLOCK = "unblock"


class Refusal(StrEnum):
    NO_PLAYER = "no-player"
    NO_FRIENDSHIP = "no-friendship"
    NOT_ASKED = "not-asked"
    BLOCKED_BY_ME = "blocked-by-me"


MIRROR = {
    Side.STRANGER: Side.STRANGER,
    Side.ASKING: Side.ASKED,
    Side.ASKED: Side.ASKING,
    Side.FRIENDS: Side.FRIENDS,
    Side.BLOCKED: Side.BARRED,
    Side.BARRED: Side.BLOCKED,
}

# Crossing asks make friends. A verb that finds its work done changes nothing, so a retry is harmless.
_TABLE: dict[Verb, dict[Side, Side | Refusal]] = {
    Verb.ASK: {
        Side.STRANGER: Side.ASKING,
        Side.ASKING: Side.ASKING,
        Side.ASKED: Side.FRIENDS,
        Side.FRIENDS: Side.FRIENDS,
        Side.BLOCKED: Refusal.BLOCKED_BY_ME,
        Side.BARRED: Refusal.NO_PLAYER,
    },
    Verb.ACCEPT: {
        Side.STRANGER: Refusal.NO_FRIENDSHIP,
        Side.ASKING: Refusal.NOT_ASKED,
        Side.ASKED: Side.FRIENDS,
        Side.FRIENDS: Side.FRIENDS,
        Side.BLOCKED: Refusal.NO_FRIENDSHIP,
        Side.BARRED: Refusal.NO_FRIENDSHIP,
    },
    # Ends a friendship, declines an ask or withdraws one.
    Verb.END: {
        Side.STRANGER: Refusal.NO_FRIENDSHIP,
        Side.ASKING: Side.STRANGER,
        Side.ASKED: Side.STRANGER,
        Side.FRIENDS: Side.STRANGER,
        Side.BLOCKED: Refusal.NO_FRIENDSHIP,
        Side.BARRED: Refusal.NO_FRIENDSHIP,
    },
    Verb.BLOCK: {
        Side.STRANGER: Side.BLOCKED,
        Side.ASKING: Side.BLOCKED,
        Side.ASKED: Side.BLOCKED,
        Side.FRIENDS: Side.BLOCKED,
        Side.BLOCKED: Side.BLOCKED,
        Side.BARRED: Refusal.NO_PLAYER,
    },
    Verb.UNBLOCK: {
        Side.STRANGER: Side.STRANGER,
        Side.ASKING: Side.ASKING,
        Side.ASKED: Side.ASKED,
        Side.FRIENDS: Side.FRIENDS,
        Side.BLOCKED: Side.STRANGER,
        Side.BARRED: Refusal.NO_PLAYER,
    },
}


def after(verb: Verb, mine: Side) -> Side | Refusal:
    """My side after I did `verb`, or why it can't be done; the other side is its mirror."""
    return _TABLE[verb][mine]
