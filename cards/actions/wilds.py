"""Wild cards: one stands for a missing kind."""

from __future__ import annotations

from cards import answers, playing
from cards.models import Play
from fortunes import keys
from fortunes.identity import SignedIn
from fortunes.models import Campaign


def turn(*, asked: keys.Request, campaign: Campaign, by: SignedIn, kind: str) -> answers.PlayReceipt:
    """Turn a wild card into a fortune card that is missing. It stays one.

    Refusals: KindUnknown, NotAFortune, RuleForbids, CardNotHeld (no wild card), KindHeld, CampaignNotLive,
    CampaignFrozen, IdempotencyKeyReused, Busy.
    """
    return playing.play(asked=asked, move=playing.Move(type=Play.Type.WILD, campaign=campaign, by=by, kind=kind))
