"""Copies: a copy card becomes a card that a friend holds, and the friend keeps theirs."""

from __future__ import annotations

from uuid import UUID

from cards import answers, playing
from cards.models import Play
from fortunes import keys
from fortunes.identity import SignedIn
from fortunes.models import Campaign


def copy(*, asked: keys.Request, campaign: Campaign, by: SignedIn, friend: UUID, kind: str) -> answers.PlayReceipt:
    """Get one card of a kind that a friend holds; what they have put into escrow is theirs as well.

    Refusals: KindUnknown, NotAFortune, RuleForbids, FriendNotFound (unknown, stranger and blocked look the same),
    CardNotHeld (no copy card), FriendLacksCard, HandFull, CampaignNotLive, CampaignFrozen, IdempotencyKeyReused, Busy.
    """
    move = playing.Move(type=Play.Type.COPY, campaign=campaign, by=by, kind=kind, friend=friend)
    return playing.play(asked=asked, move=move)
