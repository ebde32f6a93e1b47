"""Comments under a proposal: players write and delete them, staff answer and hide them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q, QuerySet

from fortunes import answers, audit, blocks, clock, commenting, errors, events, keys, voting, wording
from fortunes.actions import wording as words
from fortunes.identity import SignedIn
from fortunes.models import Comment, DatabaseNow

SUBJECT = "fortunes.comment"
ROUTE = "comments"


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a comment's request to repeat its answer: no word of it, since words are never copied."""

    comment: UUID


def write(*, asked: keys.Request, proposal_id: UUID, text: str, by: SignedIn) -> answers.CommentAnswer:
    """Comment on a proposal that players can see.

    Raises ProposalNotFound, CommentNotAllowed to who was shut out, CommentRefused, CommentLimitReached, or what a key
    is refused with; repeated, CommentNotFound if it was deleted meanwhile.
    """
    with transaction.atomic(durable=True):
        if (first := keys.claim(asked, Written)) is not None:
            return _told(Comment.objects.filter(public_id=first.comment, deleted_at=None), by.pk)
        _lock_author(by.pk)
        proposal = voting.shown(public_id=proposal_id)
        if not words.is_welcome(text=_tidied(text)):
            raise errors.CommentRefused
        _require_room(by.pk)
        comment = Comment.objects.create(proposal=proposal, player_id=by.pk, text=_tidied(text))
        keys.keep(asked, Written(comment=comment.public_id))
        return _told(Comment.objects.filter(pk=comment.pk), by.pk)


def delete(*, comment_id: UUID, by: SignedIn) -> None:
    """Take one's own comment back: its words go. Twice is once. Raises CommentNotFound."""
    with transaction.atomic(durable=True):
        own = Comment.objects.filter(public_id=comment_id, player=by.pk, by_staff=False)
        gone = own.filter(deleted_at=None).update(text="", deleted_at=DatabaseNow())
        if not gone and not own.exists():
            raise errors.CommentNotFound


def hide(*, comment_id: int, by: int) -> Comment:
    """Nobody but its author sees it any more, and screens that show it are told; twice is once.

    Raises CommentNotFound.
    """
    return _moderate(comment_id, Q(hidden_at=None), {"hidden_at": DatabaseNow(), "hidden_by": by}, "hidden", by)


def unhide(*, comment_id: int, by: int) -> Comment:
    """Everybody sees it again; twice is once. Raises CommentNotFound."""
    return _moderate(comment_id, Q(hidden_at__isnull=False), {"hidden_at": None, "hidden_by": None}, "unhidden", by)


def answer(*, comment_id: int, text: str, by: int, public_id: UUID) -> Comment:
    """Reply to a player's comment in the organiser's name, and tell everybody in the campaign live.

    `public_id` is chosen by who may send it twice: the second time finds it written. Raises CommentNotFound once the
    comment is hidden or deleted.
    """
    with transaction.atomic(durable=True):
        # Locked, so that of two who send the same reply at once the second finds it, and it isn't hidden meanwhile.
        rows = Comment.objects.select_for_update(no_key=True, of=("self",)).select_related("proposal")
        to = rows.filter(pk=comment_id, by_staff=False, deleted_at=None, hidden_at=None).first()
        if to is None:
            raise errors.CommentNotFound
        known = Comment.objects.filter(public_id=public_id, answers=to).first()
        return known or _answer(to, _tidied(text), by, public_id)


def visible(*, proposal_id: int, seen_by: int | None) -> QuerySet[Comment]:
    """What is shown of a proposal's comments: not what was deleted, is hidden, or was written by who is shut out.

    A player sees their own that is hidden, and nothing by whom they have blocked; `seen_by` is None for anybody.
    """
    heard = Q(player__is_active=True)
    unhidden = Q(hidden_at=None)
    if seen_by is not None:
        heard &= ~Q(player__in=blocks.of(seen_by))
        unhidden |= Q(player=seen_by, by_staff=False)
    # Staff speak for the organiser, whoever of them it was.
    rows = Comment.objects.filter(Q(by_staff=True) | heard, unhidden, proposal=proposal_id, deleted_at=None)
    return rows.select_related("player")


def described(rows: Iterable[Comment], *, seen_by: int | None) -> list[answers.CommentAnswer]:
    """Comments of one proposal as `seen_by` reads them, each reply with what it answers if that is visible too."""
    page = list(rows)
    asked = {row.answers_id for row in page if row.answers_id}
    quoted = {}
    if asked:
        found = visible(proposal_id=page[0].proposal_id, seen_by=seen_by).filter(pk__in=asked)
        quoted = {row.pk: answers.quoted_comment(row) for row in found}
    return [answers.comment(row, quoted.get(row.answers_id or 0), seen_by=seen_by) for row in page]


def _lock_author(player_id: int) -> None:
    """The row of the player: so their comments are counted one after the other, and none is written while they are
    banned or erased.
    """
    players = get_user_model()._default_manager.select_for_update(no_key=True)
    if not players.filter(pk=player_id, is_active=True).exists():
        raise errors.CommentNotAllowed


def _require_room(player_id: int) -> None:
    now = clock.now()
    written = Comment.objects.filter(player=player_id, at__gt=now - commenting.DAY).order_by("-at")
    per_day = settings.COMMENTS_PER_DAY
    most = max(per_day, commenting.PER_MINUTE)
    limit = commenting.reached(list(written.values_list("at", flat=True)[:most]), now, per_day=per_day)
    if limit:
        wait = limit.next_at - now
        raise errors.CommentLimitReached(
            limit=limit.limit,
            window_s=int(limit.window.total_seconds()),
            next_at=answers.instant(limit.next_at),
            retry_after_s=int(wait.total_seconds()) + 1,
        )


def _tidied(text: str) -> str:
    tidied = wording.tidy(text)
    if not commenting.is_comment(tidied):
        raise ValueError("a comment that no serializer and no form lets through")
    return tidied


def _told(rows: QuerySet[Comment], seen_by: int) -> answers.CommentAnswer:
    row = rows.select_related("player").first()
    if row is None:
        raise errors.CommentNotFound
    return answers.comment(row, None, seen_by=seen_by)


def _moderate(pk: int, still: Q, columns: dict[str, object], verb: str, by: int) -> Comment:
    with transaction.atomic(durable=True):
        changed = Comment.objects.filter(still, pk=pk, deleted_at=None).update(**columns)
        row = Comment.objects.filter(pk=pk, deleted_at=None).select_related("proposal").first()
        if row is None:
            raise errors.CommentNotFound
        if changed:
            told = events.CommentModerated(
                proposal=str(row.proposal.public_id), comment=str(row.public_id), hidden=row.hidden_at is not None
            )
            events.broadcast(campaign_id=row.proposal.campaign_id, payload=told)
            _record(row, verb, by)
        return row


def _answer(to: Comment, text: str, by: int, public_id: UUID) -> Comment:
    reply = Comment.objects.create(
        public_id=public_id, proposal=to.proposal, player_id=by, text=text, by_staff=True, answers=to
    )
    told = events.CommentAnswered(
        proposal=str(to.proposal.public_id), comment=str(reply.public_id), answers=str(to.public_id)
    )
    events.broadcast(campaign_id=to.proposal.campaign_id, payload=told)
    _record(reply, "answered", by, answers=to.pk)
    return reply


def _record(row: Comment, verb: str, by: int, **data: int) -> None:
    audit.record(
        actor=by, action=f"comment.{verb}", subject=SUBJECT, subject_id=row.pk, proposal=row.proposal_id, **data
    )
