"""What is said in a season: announcements and comments, all by the actions."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from uuid import uuid4

from accounts.models import Player
from fortunes import answers, clock, keys
from fortunes.actions import announcements, comments
from fortunes.models import Announcement, Campaign, Comment, Proposal
from tests.factories.accounts import PlayerFactory


def plan(**fields: Any) -> announcements.Plan:
    """What staff write; due since a second."""
    written = {
        "title_zh": "公告", "title_en": "News", "body_zh": "今晚开奖。", "body_en": "Packets open tonight.",
        "publish_at": clock.now() - timedelta(seconds=1),
    }  # fmt: skip
    return announcements.Plan(**{**written, **fields})


def planned(campaign: Campaign, **fields: Any) -> Announcement:
    """One that waits until tomorrow."""
    tomorrow = plan(publish_at=clock.now() + timedelta(days=1), **fields)
    return announcements.write(campaign_id=campaign.pk, plan=tomorrow, by=None)


def announced(campaign: Campaign, **fields: Any) -> Announcement:
    """One that has been published."""
    row = announcements.write(campaign_id=campaign.pk, plan=plan(**fields), by=None)
    announcements.publish_due()
    row.refresh_from_db()
    return row


def comment(player: Player, proposal: Proposal, text: str = "福", *, key: str | None = None) -> answers.CommentAnswer:
    """A player's comment, under a fresh key."""
    return comments.write(
        asked=asked(player, proposal, text, key), proposal_id=proposal.public_id, text=text, by=player
    )


def commented(player: Player, proposal: Proposal, text: str = "福") -> Comment:
    """The row of a player's comment."""
    return Comment.objects.get(public_id=comment(player, proposal, text).id)


def replied(row: Comment, text: str = "谢谢！", *, by: Player | None = None) -> Comment:
    """A reply of staff."""
    by = by or PlayerFactory.create(is_staff=True)
    return comments.answer(comment_id=row.pk, text=text, by=by.pk, public_id=uuid4())


def asked(player: Player, proposal: Proposal, text: str, key: str | None = None) -> keys.Request:
    body = {"proposal": proposal.public_id, "text": text}
    return keys.request(player_id=player.pk, route=comments.ROUTE, key=key or secrets.token_hex(8), body=body)
