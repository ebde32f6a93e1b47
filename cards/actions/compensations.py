"""Compensations: an extra draw that staff give a player, with a reason."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction

from accounts.errors import PlayerNotFound
from accounts.models import Player
from cards import answers, catalogue, drawing, errors, events, nonces
from cards.models import Source, SupportReason
from fortunes import audit
from fortunes import errors as ground
from fortunes import events as feed
from fortunes.models import Campaign


def grant_draw(*, campaign_id: int, player_id: int, by: int, reason: SupportReason, key: str) -> answers.Redemption:
    """Give a player one draw of the source for support, within its quota; the caller has checked the right.

    The same key and reason answer again what they answered first. Audited, and the player is told (draw.granted).
    Refusals: CampaignNotFound, PlayerNotFound, PlayerNotCompensated (staff, oneself), SourceNotOffered,
    DailyLimitReached, CampaignLimitReached, HandFull, CampaignNotLive, CampaignFrozen, IdempotencyKeyReused, Busy.
    """
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None:
        raise ground.CampaignNotFound
    player = Player.objects.filter(pk=player_id).only("is_staff").first()
    if player is None:
        raise PlayerNotFound
    if player.is_staff or player_id == by:
        raise errors.PlayerNotCompensated
    # Small letters or capitals: it is the same case, as in the ledger.
    wish = _wish(campaign, player_id, SupportReason(reason), key.upper())
    for _ in range(drawing.ATTEMPTS):
        with transaction.atomic(durable=True):
            (row,) = rows = drawing.draw_within(campaign=campaign, wishes=[wish])
            if row.status == "drawn":
                _tell(campaign, wish, SupportReason(reason), by, row)
        if row.status in drawing.DONE:
            return drawing.redemption(campaign, player_id, row)
        if row.status not in drawing.AGAIN:
            raise drawing.REFUSALS[row.status]()
        drawing.prepare(campaign=campaign, wishes=[wish], rows=rows)
    raise ground.Busy(retry_after_s=1)


def _wish(campaign: Campaign, player_id: int, reason: SupportReason, key: str) -> drawing.Wish:
    return drawing.Wish(
        player_id=player_id,
        # No client's key has a space in it.
        key=f"support {hashlib.sha256(key.encode()).hexdigest()[:48]}",
        body_hash=hashlib.sha256(reason.value.encode()).digest(),
        source=catalogue.of(campaign.pk).source(Source.Type.SUPPORT),
        nonce=nonces.support(player_id=player_id, key=key),
    )


def _tell(campaign: Campaign, wish: drawing.Wish, reason: SupportReason, by: int, row: Any) -> None:
    given = drawing.redemption(campaign, wish.player_id, row)
    granted = events.DrawGranted(
        draw=str(row.draw_id),
        kind=given.draw.kind,
        serial=row.serial,
        reason=reason.value,
        hand_version=row.hand_version,
        complete=given.complete,
    )
    feed.append(campaign_id=campaign.pk, entries=[(wish.player_id, granted)])
    audit.record(
        actor=by, action="draw.granted", subject="accounts.player", subject_id=wish.player_id,
        campaign=campaign.pk, draw=str(row.draw_id), reason=reason.value,
    )  # fmt: skip
