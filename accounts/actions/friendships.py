"""Friendships: ask, accept, end, block, unblock. `accounts.befriending` says what each verb makes of a pair."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from accounts import errors, events, friends, locks
from accounts.befriending import MIRROR, Refusal, Side, Verb, after
from accounts.models import FRIEND_LIMIT, Friendship, Player
from fortunes import events as feed
from fortunes import sql
from fortunes.errors import DomainError

REFUSALS: dict[Refusal, type[DomainError]] = {
    Refusal.NO_PLAYER: errors.PlayerNotFound,
    Refusal.NO_FRIENDSHIP: errors.FriendshipNotFound,
    Refusal.NOT_ASKED: errors.FriendshipNotAsked,
    Refusal.BLOCKED_BY_ME: errors.PlayerBlocked,
    Refusal.NO_INVITATION: errors.InvitationNotFound,
}
# What a verb says of somebody who was erased a moment ago.
NOBODY = {Verb.ACCEPT: Refusal.NO_FRIENDSHIP, Verb.END: Refusal.NO_FRIENDSHIP, Verb.FOLLOW: Refusal.NO_INVITATION}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the player who acted stands to `friend` now; `since` is None for strangers."""

    friend: Player
    state: Side
    since: datetime | None
    was: Side


def ask(*, by: int, player: UUID | str) -> Standing:
    """Ask a player, by public id or (a str) username, to be friends; whoever asks back accepts by it.

    Raises PlayerNotFound (unknown, or has blocked the asker), PlayerBlocked, FriendshipWithOneself or
    FriendLimitReached. So do the others, as far as it applies.
    """
    return _act(Verb.ASK, by, player)


def accept(*, by: int, player: UUID | str) -> Standing:
    """Accept what a player asked. Raises FriendshipNotFound, which is all it says of the unknown, or
    FriendshipNotAsked."""
    return _act(Verb.ACCEPT, by, player)


def end(*, by: int, player: UUID | str) -> Standing:
    """End a friendship, decline an ask or withdraw one. Raises FriendshipNotFound, for the unknown too."""
    return _act(Verb.END, by, player)


def block(*, by: int, player: UUID | str) -> Standing:
    """Block a player, which ends whatever there was between the two.

    Works towards everybody there is, whether or not they have blocked the one who does it or were shut out: whoever
    could be told apart by it would know of that.
    """
    return _act(Verb.BLOCK, by, player)


def unblock(*, by: int, player: UUID | str) -> Standing:
    """Take a block back; as far as the one who does it can know, the two are strangers then."""
    return _act(Verb.UNBLOCK, by, player)


def _act(verb: Verb, by: int, player: UUID | str) -> Standing:
    with transaction.atomic(durable=True):
        if verb in (Verb.ACCEPT, Verb.END):
            friend = friends.find_tied(player, to=by)
        elif verb is Verb.ASK:
            friend = friends.find(player, seen_by=by)
        else:
            friend = friends.find_any(player)
        if friend.pk == by:
            raise errors.FriendshipWithOneself
        return apply(verb=verb, by=by, friend=friend)


def apply(*, verb: Verb, by: int, friend: Player) -> Standing:
    """Do a verb in the caller's transaction, whose last steps these are: it ends with the locks on both feeds."""
    locked = locks.both(by, friend.pk)
    # Read under the locks: what was true before them may not be any more.
    if locked[by].erased:
        raise errors.TokenInvalid
    if locked[friend.pk].erased:
        raise REFUSALS[NOBODY.get(verb, Refusal.NO_PLAYER)]
    row = Friendship.objects.filter(player=by, friend=friend).first()
    was = Side(row.state) if row else Side.STRANGER
    state = after(verb, was)
    if isinstance(state, Refusal):
        raise REFUSALS[state]
    if state is was:
        return Standing(friend, state, row.since if row else None, was)
    _count_friends(locked, (state is Side.FRIENDS) - (was is Side.FRIENDS))
    since = _write(by, friend.pk, state)
    _tell((by, locked[by].public_id), friend, was, state)
    return Standing(friend, state, since, was)


def _count_friends(locked: dict[int, locks.Locked], change: int) -> None:
    if change == 0:
        return
    if change > 0 and max(player.friend_count for player in locked.values()) >= FRIEND_LIMIT:
        raise errors.FriendLimitReached(limit=FRIEND_LIMIT)
    Player.objects.filter(pk__in=locked).update(friend_count=F("friend_count") + change)


def _write(player_id: int, friend_id: int, state: Side) -> datetime | None:
    if state is Side.STRANGER:
        pair = Q(player=player_id, friend=friend_id) | Q(player=friend_id, friend=player_id)
        Friendship.objects.filter(pair).delete()
        return None
    sides = {"player": player_id, "friend": friend_id, "mine": state.value, "theirs": MIRROR[state].value}
    rows = sql.fetch(sql.text("accounts", "set_friendship"), sides)
    since: dict[int, datetime] = {row.player_id: row.since for row in rows}
    return since[player_id]


def _tell(by: tuple[int, UUID], friend: Player, was: Side, state: Side) -> None:
    """Both sides are told, except of blocks: those show themselves as an end, or not at all."""
    kind: type[events.FriendshipAsked | events.FriendshipAccepted | events.FriendshipEnded]
    if state is Side.ASKING:
        kind = events.FriendshipAsked
    elif state is Side.FRIENDS:
        kind = events.FriendshipAccepted
    elif was in (Side.ASKING, Side.ASKED, Side.FRIENDS):
        kind = events.FriendshipEnded
    else:
        return
    player_id, public_id = by
    payload = kind(by=public_id, to=friend.public_id)
    feed.append(campaign_id=None, entries=[(player_id, payload), (friend.pk, payload)])
