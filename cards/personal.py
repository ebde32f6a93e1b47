"""What cards hold about a player: numbers and enums, which the proofs of others rest on. Nothing is erased."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from django.db.models import Q

from accounts import friends
from cards import catalogue
from cards.actions import showing
from cards.models import Draw, Hand, InvitationCredit, Trade, Transfer
from fortunes import personal
from fortunes.answers import instant
from fortunes.models import Campaign, Membership


def _campaigns(player_id: int) -> list[Campaign]:
    """Those in which a player has done anything: the tables that grow are looked up by campaign and player."""
    joined = Membership.objects.filter(player=player_id).values("campaign")
    return list(Campaign.objects.filter(pk__in=joined).order_by("pk"))


@personal.section("hands")
def _hands(player_id: int) -> Iterator[dict[str, Any]]:
    for row in Hand.objects.filter(player=player_id).select_related("campaign").order_by("campaign_id"):
        known = catalogue.of(row.campaign_id)
        yield {
            "campaign": row.campaign.slug,
            "counts": known.counts(row.counts),
            "escrow": known.counts(row.escrow),
            "day": row.day,
            "used_today": dict(zip(known.sources, row.used_today, strict=False)),
            "used": dict(zip(known.sources, row.used, strict=False)),
            "version": row.version,
        }


@personal.section("draws")
def _draws(player_id: int) -> Iterator[dict[str, Any]]:
    for campaign in _campaigns(player_id):
        for row in Draw.objects.filter(player=player_id, campaign=campaign).iterator(chunk_size=personal.BATCH):
            said: dict[str, Any] = msgspec.to_builtins(showing.draw(row))
            yield {"campaign": campaign.slug, **said, "idempotency_key": row.key}


@personal.section("trades")
def _trades(player_id: int) -> Iterator[dict[str, Any]]:
    for campaign in _campaigns(player_id):
        mine = Trade.objects.filter(Q(proposer=player_id) | Q(recipient=player_id), campaign=campaign)
        for batch in personal.batches(mine.iterator(chunk_size=personal.BATCH)):
            for trade in showing.describe_trades(batch):
                yield {"campaign": campaign.slug, **msgspec.to_builtins(trade)}


@personal.section("transfers")
def _transfers(player_id: int) -> Iterator[dict[str, Any]]:
    for campaign in _campaigns(player_id):
        known = catalogue.of(campaign.pk)
        mine = Transfer.objects.filter(Q(giver=player_id) | Q(receiver=player_id), campaign=campaign)
        for batch in personal.batches(mine.select_related("trade").iterator(chunk_size=personal.BATCH)):
            ids = friends.public_ids({row.giver_id for row in batch} | {row.receiver_id or 0 for row in batch})
            for row in batch:
                yield {
                    "campaign": campaign.slug,
                    "trade": row.trade.public_id,
                    "kind": known.kinds[row.kind],
                    "giver": ids[row.giver_id],
                    "receiver": ids[row.receiver_id] if row.receiver_id else None,
                    "at": instant(row.at),
                }


@personal.section("invitation-credits")
def _credits(player_id: int) -> Iterator[dict[str, Any]]:
    """What a player got, or waits for, for those whom they brought in."""
    for campaign in _campaigns(player_id):
        brought = showing.referrals_of(player_id=player_id)
        for batch in personal.batches(brought.order_by("invited").iterator(chunk_size=personal.BATCH)):
            players = {row.invited_id: row.invited.public_id for row in batch}
            for credit in InvitationCredit.objects.filter(campaign=campaign, invited__in=players):
                yield {
                    "campaign": campaign.slug,
                    "brought": players[credit.invited_id],
                    "state": credit.state,
                    "draw": credit.draw,
                }
