"""Steals: a steal card takes a card from a friend, where the rules allow it."""

from __future__ import annotations

from uuid import UUID

from cards import answers, playing
from cards.models import Play
from fortunes import keys
from fortunes.identity import SignedIn
from fortunes.models import Campaign


def steal(
    *, asked: keys.Request, campaign: Campaign, by: SignedIn, victim: UUID, kind: str | None = None
) -> answers.PlayReceipt:
    """Take one card of a kind from a friend, or a random one of their doubles; they are told at once by whom.

    Refusals: KindUnknown, NotAFortune, RuleForbids, FriendNotFound (unknown, stranger and blocked look the same),
    CardNotHeld (no steal card), StealLimitReached, PlayerProtected, FriendLacksCard, LastCardSpared, NoDoubles,
    HandFull, CampaignNotLive, CampaignFrozen, IdempotencyKeyReused, Busy.
    """
    move = playing.Move(type=Play.Type.STEAL, campaign=campaign, by=by, kind=kind, friend=victim)
    return playing.play(asked=asked, move=move)
