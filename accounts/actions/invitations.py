"""Invitation links: made, spread, followed and revoked; and who came in by one."""

from __future__ import annotations

import re

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from accounts import answers, errors, invitations, locks
from accounts.actions import friendships
from accounts.befriending import Side, Verb
from accounts.models import Friendship, InvitationLink, Referral
from fortunes import sql
from fortunes.models import DatabaseNow

LINK_LIMIT = 50
BLOCKS = (Friendship.State.BLOCKED, Friendship.State.BARRED, Friendship.State.MUTUAL)


def create(*, by: int, channel: str = "") -> tuple[InvitationLink, bool]:
    """A player's link for a channel, and whether it is new: a channel has one until that is revoked.

    `channel` is up to 32 of a-z, 0-9, colon, dash and underscore. Raises InvitationLimitReached.
    """
    if channel and not re.fullmatch(invitations.CHANNEL_PATTERN, channel):
        raise ValueError("a channel that no serializer lets through")
    with transaction.atomic(durable=True):
        # Under the player's lock, so that parallel calls can't overstep the limit together.
        if locks.of([by])[by].erased:
            raise errors.TokenInvalid
        live = InvitationLink.objects.filter(player=by, revoked_at=None)
        known = live.filter(channel=channel).first()
        if known is not None:
            return known, False
        if live.count() >= LINK_LIMIT:
            raise errors.InvitationLimitReached(limit=LINK_LIMIT)
        made = InvitationLink.objects.create(player_id=by, channel=channel, code=invitations.fresh_code())
        return InvitationLink.objects.get(pk=made.pk), True


def of(*, player_id: int) -> QuerySet[InvitationLink]:
    """A player's links, revoked ones too."""
    return InvitationLink.objects.filter(player=player_id)


def look(*, code: str) -> answers.InvitedAnswer:
    """Who invites; counts an open of the link. Raises InvitationNotFound."""
    link = _followed(code)
    sql.execute(sql.text("accounts", "count_open"), {"link": link.pk})
    return answers.invited(link.player)


def revoke(*, by: int, code: str) -> None:
    """End one's own link; ended twice is ended. Raises InvitationNotFound, for those of others too."""
    mine = InvitationLink.objects.filter(player=by, code=invitations.normalise_code(code))
    with transaction.atomic(durable=True):
        if not mine.filter(revoked_at=None).update(revoked_at=DatabaseNow()) and not mine.exists():
            raise errors.InvitationNotFound


def accept(*, by: int, code: str) -> friendships.Standing:
    """Become friends with the one who invites, at once: both have said so.

    Raises InvitationNotFound (also where one of the two has blocked the other), InvitationOfOneself or
    FriendLimitReached.
    """
    with transaction.atomic(durable=True):
        link = _followed(code, by=by)
        if link.player_id == by:
            raise errors.InvitationOfOneself
        return _befriend(link, by)


def refer(*, player_id: int, code: str) -> None:
    """Note by whose invitation a player came in, and make the two friends; in the transaction that made the player.

    An inviter who has as many friends as there can be is still the inviter. Raises InvitationNotFound.
    """
    link = _followed(code)
    Referral.objects.create(invited_id=player_id, inviter_id=link.player_id, link=link)
    try:
        _befriend(link, player_id)
    except errors.FriendLimitReached:
        # Refused before anything was written. A popular player's link goes on bringing people in.
        return


def _followed(code: str, *, by: int | None = None) -> InvitationLink:
    """The link of a code, with its player; in one query, whatever there is to be hidden from `by`."""
    links = InvitationLink.objects.filter(
        code=invitations.normalise_code(code), revoked_at=None, player__is_active=True
    ).select_related("player")
    if by is not None:
        links = links.exclude(Exists(Friendship.objects.filter(player=by, friend=OuterRef("player"), state__in=BLOCKS)))
    link = links.first()
    if link is None:
        raise errors.InvitationNotFound
    return link


def _befriend(link: InvitationLink, player_id: int) -> friendships.Standing:
    standing = friendships.apply(verb=Verb.FOLLOW, by=player_id, friend=link.player)
    if standing.was is not Side.FRIENDS:
        # Judged here, under the players' locks: a link that was revoked meanwhile makes no friends.
        counted = InvitationLink.objects.filter(pk=link.pk, revoked_at=None).update(acceptances=F("acceptances") + 1)
        if not counted:
            raise errors.InvitationNotFound
    return standing
