"""How two players stand to each other, and what each verb makes of it. Pure.

A pair is described from each side, and the one side says the other: who is `asking` is `asked` over there. So the
table needs one side only, the one of the player who acts. Strangers have no rows.

Nobody can do anything with a player who has blocked them: that player is as good as unknown, and where a stranger
looks like the unknown, like a stranger. But they can block that player in turn, as they could a stranger; then each has
blocked the other, which is `mutual`.
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
    MUTUAL = "mutual"


class Verb(StrEnum):
    ASK = "ask"
    ACCEPT = "accept"
    END = "end"
    BLOCK = "block"
    UNBLOCK = "unblock"
    # Follow the invitation of the other, who consented by giving it.
    FOLLOW = "follow"


class Refusal(StrEnum):
    NO_PLAYER = "no-player"
    NO_FRIENDSHIP = "no-friendship"
    NOT_ASKED = "not-asked"
    BLOCKED_BY_ME = "blocked-by-me"
    NO_INVITATION = "no-invitation"


MIRROR = {
    Side.STRANGER: Side.STRANGER,
    Side.ASKING: Side.ASKED,
    Side.ASKED: Side.ASKING,
    Side.FRIENDS: Side.FRIENDS,
    Side.BLOCKED: Side.BARRED,
    Side.BARRED: Side.BLOCKED,
    Side.MUTUAL: Side.MUTUAL,
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
        Side.MUTUAL: Refusal.BLOCKED_BY_ME,
    },
    Verb.ACCEPT: {
        Side.STRANGER: Refusal.NO_FRIENDSHIP,
        Side.ASKING: Refusal.NOT_ASKED,
        Side.ASKED: Side.FRIENDS,
        Side.FRIENDS: Side.FRIENDS,
        Side.BLOCKED: Refusal.NO_FRIENDSHIP,
        Side.BARRED: Refusal.NO_FRIENDSHIP,
        Side.MUTUAL: Refusal.NO_FRIENDSHIP,
    },
    # Ends a friendship, declines an ask or withdraws one.
    Verb.END: {
        Side.STRANGER: Refusal.NO_FRIENDSHIP,
        Side.ASKING: Side.STRANGER,
        Side.ASKED: Side.STRANGER,
        Side.FRIENDS: Side.STRANGER,
        Side.BLOCKED: Refusal.NO_FRIENDSHIP,
        Side.BARRED: Refusal.NO_FRIENDSHIP,
        Side.MUTUAL: Refusal.NO_FRIENDSHIP,
    },
    Verb.BLOCK: {
        Side.STRANGER: Side.BLOCKED,
        Side.ASKING: Side.BLOCKED,
        Side.ASKED: Side.BLOCKED,
        Side.FRIENDS: Side.BLOCKED,
        Side.BLOCKED: Side.BLOCKED,
        Side.BARRED: Side.MUTUAL,
        Side.MUTUAL: Side.MUTUAL,
    },
    Verb.UNBLOCK: {
        Side.STRANGER: Side.STRANGER,
        Side.ASKING: Side.ASKING,
        Side.ASKED: Side.ASKED,
        Side.FRIENDS: Side.FRIENDS,
        Side.BLOCKED: Side.STRANGER,
        Side.BARRED: Side.BARRED,
        Side.MUTUAL: Side.BARRED,
    },
    Verb.FOLLOW: {
        Side.STRANGER: Side.FRIENDS,
        Side.ASKING: Side.FRIENDS,
        Side.ASKED: Side.FRIENDS,
        Side.FRIENDS: Side.FRIENDS,
        Side.BLOCKED: Refusal.NO_INVITATION,
        Side.BARRED: Refusal.NO_INVITATION,
        Side.MUTUAL: Refusal.NO_INVITATION,
    },
}


def after(verb: Verb, mine: Side) -> Side | Refusal:
    """My side after I did `verb`, or why it can't be done; the other side is its mirror."""
    return _TABLE[verb][mine]
