"""What cards hold about a player: numbers and enums, which the proofs of others rest on, and the notes that they wrote.

Only the notes and the channels of links are erased. What an erased player has in escrow comes back by itself when the
trade expires.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from django.db.models import Q

from accounts import friends
from cards import catalogue
from cards.actions import conversions, listing, showing
from cards.models import Draw, Hand, InvitationCredit, Play, ShareLink, Trade, TradeNote, Transfer
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
            "complete_since": instant(row.completed_at) if row.completed_at else None,
            "given_by_others": {"day": row.fed_day, "cards": row.fed_today},
            "robbed_at": instant(row.robbed_at) if row.robbed_at else None,
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
            for trade in listing.describe(batch, seen_by=player_id):
                yield {"campaign": campaign.slug, **msgspec.to_builtins(trade)}


@personal.section("trade-notes")
def _notes(player_id: int) -> Iterator[dict[str, Any]]:
    notes = TradeNote.objects.filter(player=player_id).order_by("trade")
    for trade, text in notes.values_list("trade__public_id", "text").iterator(chunk_size=personal.BATCH):
        yield {"trade": trade, "text": text}


@personal.section("share-links")
def _links(player_id: int) -> Iterator[dict[str, Any]]:
    for campaign in _campaigns(player_id):
        mine = listing.counted(ShareLink.objects.filter(player=player_id, campaign=campaign))
        for link in mine.order_by("created_at").iterator(chunk_size=personal.BATCH):
            yield {
                "campaign": campaign.slug,
                "trade": link.trade.public_id,
                "code": link.code,
                "channel": link.channel,
                "opens": link.looks,
                "claims": link.claims,
                "created_at": instant(link.created_at),
            }


@personal.section("plays")
def _plays(player_id: int) -> Iterator[dict[str, Any]]:
    """The special cards that a player has played. What others took by theirs is among the transfers."""
    for campaign in _campaigns(player_id):
        known = catalogue.of(campaign.pk)
        mine = Play.objects.filter(player=player_id, campaign=campaign).order_by("pk")
        for batch in personal.batches(mine.iterator(chunk_size=personal.BATCH)):
            ids = friends.public_ids({row.friend_id or 0 for row in batch})
            for row in batch:
                yield {
                    "campaign": campaign.slug,
                    "play": row.public_id,
                    "type": row.type,
                    "friend": ids[row.friend_id] if row.friend_id else None,
                    "kind": known.kinds[row.kind],
                    "at": instant(row.at),
                }


@personal.section("conversions")
def _conversions(player_id: int) -> Iterator[dict[str, Any]]:
    """What became of the cards whose kinds the rules have removed."""
    for campaign in _campaigns(player_id):
        mine = conversions.of(campaign=campaign, player_id=player_id).order_by("pk")
        for batch in personal.batches(mine.iterator(chunk_size=personal.BATCH)):
            for conversion in conversions.describe(batch):
                yield {"campaign": campaign.slug, **msgspec.to_builtins(conversion)}


@personal.section("transfers")
def _transfers(player_id: int) -> Iterator[dict[str, Any]]:
    """Cards that came and went: without a giver by the play of a special card or by a conversion, without a receiver
    used up by one.
    """
    for campaign in _campaigns(player_id):
        known = catalogue.of(campaign.pk)
        mine = Transfer.objects.filter(Q(giver=player_id) | Q(receiver=player_id), campaign=campaign)
        for batch in personal.batches(
            mine.select_related("trade", "play", "conversion").iterator(chunk_size=personal.BATCH)
        ):
            ids = friends.public_ids({side or 0 for row in batch for side in (row.giver_id, row.receiver_id)})
            for row in batch:
                yield {
                    "campaign": campaign.slug,
                    "trade": row.trade.public_id if row.trade else None,
                    "play": row.play.public_id if row.play else None,
                    "conversion": row.conversion.public_id if row.conversion else None,
                    "kind": known.kinds[row.kind],
                    "giver": ids[row.giver_id] if row.giver_id else None,
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


@personal.eraser("cards")
def _erase(player_id: int) -> None:
    TradeNote.objects.filter(player=player_id).delete()
    # Where a link was spread may be a name that the player gave.
    ShareLink.objects.filter(player=player_id).update(channel="")
