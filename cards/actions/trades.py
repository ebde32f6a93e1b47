"""Trades: cards that move between friends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from accounts import friends
from cards import answers, catalogue, errors, events, hands, trading
from cards.models import Trade
from fortunes import events as feed
from fortunes import gate, keys, rulebooks, sql
from fortunes.answers import instant
from fortunes.models import Campaign


def gift(
    *, asked: keys.Request, campaign: Campaign, giver: friends.Somebody, to: UUID, gives: Sequence[str]
) -> answers.GiftAnswer:
    """Give cards to a friend, at once. The same key and body answer again what the first call answered.

    Refusals: KindUnknown, TradeWithOneself, FriendNotFound (unknown, stranger and blocked look the same), CardNotHeld,
    CampaignNotLive, CampaignFrozen, IdempotencyKeyReused, StillInProgress.
    """
    kinds = catalogue.of(campaign.pk)
    ordinals = kinds.ordinals(gives)
    if to == giver.public_id:
        raise errors.TradeWithOneself
    receiver_id = friends.friend(to, of=giver.pk)
    if receiver_id is not None:
        # Only between friends: a stranger must not be able to make rows for others.
        hands.ensure(campaign_id=campaign.pk, players=[giver.pk, receiver_id])
    with transaction.atomic(durable=True):
        admission = gate.enter(campaign.pk)
        first = keys.claim(asked, answers.GiftAnswer)
        if first is not None:
            return first
        admission.require_live()
        if receiver_id is None:
            raise errors.FriendNotFound
        held = hands.lock(campaign_id=campaign.pk, players=[giver.pk, receiver_id])
        if not friends.share_lock(giver.pk, receiver_id):
            raise errors.FriendNotFound
        if trading.lacks(held[giver.pk].counts, ordinals):
            raise errors.CardNotHeld
        _move(campaign, held[giver.pk], held[receiver_id], ordinals)
        trade = _record_gift(campaign, admission, giver.pk, receiver_id, ordinals)
        answer = answers.GiftAnswer(
            trade=describe(trade, proposer=giver.public_id, recipient=to),
            hand=answers.hand(kinds, held[giver.pk]),
        )
        keys.keep(asked, answer)
        _tell(campaign, admission, answer.trade, held[giver.pk], held[receiver_id])
    return answer


def _move(campaign: Campaign, giver: hands.Held, receiver: hands.Held, ordinals: Sequence[int]) -> None:
    for kind, cards in Counter(ordinals).items():
        giver.counts[kind] -= cards
        receiver.counts[kind] += cards
    for hand in sorted((giver, receiver), key=lambda hand: hand.player_id):
        hands.write(campaign_id=campaign.pk, hand=hand)


def _record_gift(
    campaign: Campaign, admission: gate.Admission, giver_id: int, receiver_id: int, ordinals: Sequence[int]
) -> Trade:
    """The accepted Trade and one Transfer a card."""
    state = trading.after("", "give")
    trade = Trade.objects.create(
        campaign=campaign, type=Trade.Type.GIFT, state=state, proposer_id=giver_id, recipient_id=receiver_id,
        gives=list(ordinals), takes=[], rulebook_version=admission.rulebook_version,
        created_at=admission.at, closed_at=admission.at,
    )  # fmt: skip
    params = {
        "campaign": campaign.pk, "trade": trade.pk, "giver": giver_id, "receiver": receiver_id,
        "kinds": list(ordinals), "at": admission.at,
    }  # fmt: skip
    sql.execute(sql.text("cards", "insert_transfers"), params)
    return trade


def _tell(
    campaign: Campaign,
    admission: gate.Admission,
    trade: answers.TradeAnswer,
    mine: hands.Held,
    theirs: hands.Held,
) -> None:
    """Both sides, exactly once, by events of the same transaction."""
    rules = rulebooks.version(campaign.pk, admission.rulebook_version)
    sent = events.GiftSent(
        trade=str(trade.id), to=str(trade.recipient), gives=trade.gives, hand_version=mine.version
    )
    received = events.GiftReceived(
        trade=str(trade.id),
        sender=str(trade.proposer),
        gives=trade.gives,
        hand_version=theirs.version,
        complete=catalogue.of(campaign.pk).complete(rules, theirs.counts, theirs.escrow),
    )
    feed.append(campaign_id=campaign.pk, entries=[(mine.player_id, sent), (theirs.player_id, received)])


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
