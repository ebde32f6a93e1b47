"""Trades: cards that move between friends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from psycopg.types.json import Jsonb

from accounts import friends
from cards import answers, catalogue, errors, events, hands, trading
from cards.models import Trade
from fortunes import doorbell, keys, rulebooks, sql
from fortunes import errors as ground
from fortunes.answers import instant
from fortunes.errors import DomainError
from fortunes.identity import SignedIn
from fortunes.models import Campaign

ATTEMPTS = 3

REFUSALS: dict[str, type[DomainError]] = {
    "key-reused": ground.IdempotencyKeyReused,
    "early": ground.CampaignNotLive,
    "frozen": ground.CampaignFrozen,
    "missing": ground.CampaignNotFound,
    "friend-not-found": errors.FriendNotFound,
    "card-not-held": errors.CardNotHeld,
    "hand-full": errors.HandFull,
}


class GiftFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a gift with its key; with the request it makes the answer."""

    trade: UUID
    at: datetime
    counts: list[int]
    escrow: list[int]
    version: int


def gift(
    *, asked: keys.Request, campaign: Campaign, giver: SignedIn, to: UUID, gives: Sequence[str]
) -> answers.GiftAnswer:
    """Give cards to a friend, at once. The same key and body answer again what the first call answered.

    Refusals: KindUnknown, TradeWithOneself, FriendNotFound (unknown, stranger and blocked look the same), CardNotHeld,
    HandFull, CampaignNotLive, CampaignFrozen, IdempotencyKeyReused, Busy.
    """
    kinds = catalogue.of(campaign.pk)
    ordinals = kinds.ordinals(gives)
    if to == giver.public_id:
        raise errors.TradeWithOneself
    receiver_id = friends.friend(to, of=giver.pk)
    for _ in range(ATTEMPTS):
        facts = _give(_gift_params(asked, campaign, giver, to, receiver_id, ordinals))
        if facts is not None:
            return _gift_answer(kinds, facts, giver=giver, to=to, gives=gives)
    raise ground.Busy(retry_after_s=1)


def _give(params: dict[str, Any]) -> GiftFacts | None:
    """The facts of the gift, done now or before; None if it has to be tried again with new parameters."""
    row = sql.fetch_alone(sql.text("cards", "give"), params)[0]
    if row.status in REFUSALS:
        raise REFUSALS[row.status]()
    if row.status == "stale-rulebook":
        rulebooks.forget(params["campaign"])
        return None
    if row.status == "no-hand":
        # Only now, when all else is in order: a refused gift makes no rows, and none for a stranger.
        hands.ensure(campaign_id=params["campaign"], players=[params["receiver"]])
        return None
    if row.status == "given":
        seqs = {params["giver"]: row.giver_seq, params["receiver"]: row.receiver_seq}
        doorbell.ring_after_commit(players=seqs)
    return msgspec.json.decode(row.facts, type=GiftFacts)


def _gift_params(
    asked: keys.Request,
    campaign: Campaign,
    giver: SignedIn,
    to: UUID,
    receiver_id: int | None,
    ordinals: Sequence[int],
) -> dict[str, Any]:
    kinds = catalogue.of(campaign.pk)
    version = rulebooks.believed(campaign.pk)
    trade, gives = uuid4(), kinds.slugs(ordinals)
    sent = events.GiftSent(trade=str(trade), to=str(to), gives=gives, hand_version=0)
    received = events.GiftReceived(
        trade=str(trade), sender=str(giver.public_id), gives=gives, hand_version=0, complete=False
    )
    return {
        "campaign": campaign.pk,
        "version": version,
        "full_set": kinds.ordinals(rulebooks.version(campaign.pk, version).complete_set),
        "giver": giver.pk,
        "receiver": receiver_id,
        "gives": list(ordinals),
        # A key is unique within a campaign, whose hands are the lock under which it is looked up.
        "route": f"{asked.route}:{campaign.pk}",
        "key": asked.key,
        "body_hash": asked.body_hash,
        "trade": trade,
        "state": trading.after("", "give"),
        "sent": Jsonb(msgspec.to_builtins(sent)),
        "received": Jsonb(msgspec.to_builtins(received)),
    }


def _gift_answer(
    kinds: catalogue.Catalogue, facts: GiftFacts, *, giver: SignedIn, to: UUID, gives: Sequence[str]
) -> answers.GiftAnswer:
    trade = answers.TradeAnswer(
        id=facts.trade,
        type=Trade.Type.GIFT.value,
        state=Trade.State.ACCEPTED.value,
        proposer=giver.public_id,
        recipient=to,
        gives=list(gives),
        takes=[],
        created_at=instant(facts.at),
        closed_at=instant(facts.at),
    )
    held = hands.Held(giver.pk, facts.counts, facts.escrow, facts.version)
    return answers.GiftAnswer(trade=trade, hand=answers.hand(kinds, held))


def describe(trade: Trade, *, proposer: UUID, recipient: UUID | None) -> answers.TradeAnswer:
    """A trade with public ids and slugs."""
    kinds = catalogue.of(trade.campaign_id)
    return answers.TradeAnswer(
        id=trade.public_id,
        type=trade.type,
        state=trade.state,
        proposer=proposer,
        recipient=recipient,
        gives=kinds.slugs(trade.gives),
        takes=kinds.slugs(trade.takes),
        created_at=instant(trade.created_at),
        closed_at=instant(trade.closed_at) if trade.closed_at else None,
    )
