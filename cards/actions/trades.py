"""Trades: cards that move between friends. `cards.trading` has their state machine, docs/trades.md how each works.

Each verb is one SQL function and answers the same again under the same key. All of them may raise CampaignNotLive,
CampaignFrozen, IdempotencyKeyReused or Busy besides what they name, and TokenInvalid for players who were erased.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction

from accounts import errors as accounts
from accounts import friends
from accounts.actions import friendships
from accounts.befriending import Verb
from cards import answers, asking, catalogue, dealing, errors, trading
from cards.actions import notes
from fortunes import doorbell, keys, sql
from fortunes import errors as ground
from fortunes.identity import SignedIn
from fortunes.models import Campaign

# How many trades one transaction closes. An ask to all friends tells 200 of it.
MOST_EXPIRED = 25
# Less than beat's interval; what is left is found at the next ring.
BUDGET_S = 1.5


def gift(
    *, asked: keys.Request, campaign: Campaign, giver: SignedIn, to: UUID, gives: Sequence[str]
) -> answers.TradeReceipt:
    """Give cards to a friend, at once.

    Raises KindUnknown, TradeWithOneself, RuleForbids, FriendNotFound (unknown, stranger and blocked look the same),
    AccountTooNew, CardNotHeld, HandFull or ReceiverLimitReached.
    """
    kinds = catalogue.of(campaign.pk)
    ordinals = kinds.ordinals(gives)
    if to == giver.public_id:
        raise errors.TradeWithOneself
    facts = dealing.deal(
        "give",
        lambda: asking.gift(asked, campaign.pk, giver, to, ordinals),
        campaign_id=campaign.pk,
        newcomer=lambda row: row.receiver,
    )
    terms = dealing.Terms(
        public_id=facts.trade,
        type="gift",
        audience=trading.ONE,
        proposer=giver.public_id,
        gives=ordinals,
        takes=[],
        note=None,
        created_at=facts.made_at,
        expires_at=None,
    )
    return dealing.receipt(
        kinds, terms, facts, player_id=giver.pk, state=trading.after(trading.NONE, "give"), recipient=to
    )


def propose(
    *,
    asked: keys.Request,
    campaign: Campaign,
    proposer: SignedIn,
    type: str,  # noqa: A002 - the domain's word
    audience: trading.Audience,
    gives: Sequence[str],
    takes: Sequence[str],
    note: str = "",
) -> answers.TradeReceipt:
    """Ask for cards, offer some for others, or leave some for whoever follows a link; a gift to a friend is given.

    Raises KindUnknown, NoteRefused, TradeWithOneself, RuleForbids, FriendNotFound, AccountTooNew, CardNotHeld,
    TradeLimitReached or LinkLimitReached, and ValueError for what no serializer lets through.
    """
    trading.check(type=type, audience=audience.kind, gives=gives, takes=takes)
    if type == "gift" and audience.kind == trading.ONE:
        return gift(asked=asked, campaign=campaign, giver=proposer, to=audience.to[0], gives=gives)
    kinds = catalogue.of(campaign.pk)
    offered, wanted = kinds.ordinals(gives), kinds.ordinals(takes)
    if proposer.public_id in audience.to:
        raise errors.TradeWithOneself
    note = notes.checked(note=note)
    proposal = asking.Proposal(type=type, audience=audience, gives=offered, takes=wanted, note=note)
    facts = dealing.deal(
        "propose",
        lambda: asking.proposal(asked, campaign.pk, proposer, proposal),
        campaign_id=campaign.pk,
        newcomer=lambda _: proposer.pk,
    )
    terms = dealing.Terms(
        public_id=facts.trade,
        type=type,
        audience=audience.kind,
        proposer=proposer.public_id,
        gives=offered,
        takes=wanted,
        note=proposal.note or None,
        created_at=facts.made_at,
        expires_at=facts.expires_at,
    )
    return dealing.receipt(
        kinds,
        terms,
        facts,
        player_id=proposer.pk,
        state=trading.after(trading.NONE, "propose"),
        recipient=audience.to[0] if audience.kind == trading.ONE else None,
        link=answers.link(facts.code, audience.link, opens=0, claims=0) if facts.code and audience.link else None,
    )


def accept(
    *, asked: keys.Request, trade_id: UUID, by: SignedIn, campaign: Campaign | None = None
) -> answers.TradeReceipt:
    """Accept a trade that one is asked by: the cards of both sides change hands, or none do.

    With a `campaign` only its own trades are found; so it is with the other verbs.

    Raises TradeNotFound (also for who is no friend any more), TradeWithOneself, TradeAlreadyClosed, TradeExpired,
    RuleForbids, AccountTooNew, CardNotHeld, OfferNotCovered, HandFull or ReceiverLimitReached.
    """
    known = dealing.find(public_id=trade_id, player_id=by.pk, campaign=campaign)
    if not known.asked:
        raise errors.TradeWithOneself
    facts = dealing.deal(
        "accept",
        lambda: asking.acceptance(asked, known, by, by_link=False),
        campaign_id=known.campaign_id,
        newcomer=lambda _: by.pk,
    )
    return _accepted(known, facts, by)


def accept_by_link(*, asked: keys.Request, trade_pk: int, by: SignedIn) -> answers.TradeReceipt:
    """Accept a trade whose link one has, as the first, and become its proposer's friend on the way.

    A full list of friends is no obstacle. Raises LinkNotFound (also where one of the two has blocked the other),
    and what `accept` does.
    """
    known = dealing.find_by_id(trade_id=trade_pk, player_id=by.pk)
    if known.proposer_id == by.pk:
        raise errors.TradeWithOneself
    # Of the many who come too late most leave here, without a lock. Who has accepted it themselves may be asking again.
    if known.state != "open" and known.recipient_id != by.pk:
        raise errors.TradeAlreadyClosed(state=known.state)
    for _ in range(dealing.ATTEMPTS):
        with transaction.atomic(durable=True):
            row = _follow(asked, known, by)
            if not dealing.is_again(row.status):
                return _accepted(known, dealing.settled(row, campaign_id=known.campaign_id), by)
            # A friendship was perhaps made on the way to nothing.
            transaction.set_rollback(True)
        dealing.prepare(row.status, campaign_id=known.campaign_id, newcomer=by.pk)
    raise ground.Busy(retry_after_s=1)


def _follow(asked: keys.Request, known: dealing.Known, by: SignedIn) -> Any:
    """The row of the acceptance, or of what comes before it: friendships are locked after hands."""
    params = asking.acceptance(asked, known, by, by_link=True)
    locked = sql.fetch(sql.text("cards", "lock_trade"), params)[0]
    if locked.status != "open":
        return locked
    try:
        friendships.apply(verb=Verb.FOLLOW, by=by.pk, friend=friends.player(known.proposer_id))
    except accounts.FriendLimitReached:
        # Refused before anything was written; a popular player's link goes on working.
        pass
    except accounts.InvitationNotFound as blocked:
        raise errors.LinkNotFound from blocked
    return sql.fetch(sql.text("cards", "accept"), params)[0]


def _accepted(known: dealing.Known, facts: dealing.Facts, by: SignedIn) -> answers.TradeReceipt:
    state = trading.after("open", "accept")
    kinds = catalogue.of(known.campaign_id)
    return dealing.receipt(kinds, known, facts, player_id=by.pk, state=state, recipient=by.public_id)


def decline(
    *, asked: keys.Request, trade_id: UUID, by: SignedIn, campaign: Campaign | None = None
) -> answers.TradeReceipt:
    """Refuse a trade that one is asked by. Where several are, it is declined once all have refused.

    Raises TradeNotFound, TradeAlreadyClosed or TradeExpired.
    """
    known = dealing.find(public_id=trade_id, player_id=by.pk, campaign=campaign)
    if not known.asked:
        raise errors.TradeNotFound
    state = trading.after("open", "decline")
    facts = dealing.deal(
        "decline",
        lambda: asking.closure(asked, known, by, state=state),
        campaign_id=known.campaign_id,
        newcomer=lambda _: by.pk,
    )
    recipient = by.public_id if known.audience == trading.ONE else None
    return dealing.receipt(
        catalogue.of(known.campaign_id), known, facts, player_id=by.pk, state=state, recipient=recipient
    )


def cancel(
    *, asked: keys.Request, trade_id: UUID, by: SignedIn, campaign: Campaign | None = None
) -> answers.TradeReceipt:
    """Withdraw an open trade of one's own; what is in escrow for it returns.

    Raises TradeNotFound (for those who are asked, too), TradeAlreadyClosed or TradeExpired.
    """
    known = dealing.find(public_id=trade_id, player_id=by.pk, campaign=campaign)
    if known.proposer_id != by.pk:
        raise errors.TradeNotFound
    state = trading.after("open", "cancel")
    facts = dealing.deal(
        "cancel",
        lambda: asking.closure(asked, known, by, state=state),
        campaign_id=known.campaign_id,
        newcomer=lambda _: by.pk,
    )
    link = None
    if known.code and known.channel:
        link = answers.link(known.code, known.channel, opens=facts.opens, claims=0)
    return dealing.receipt(
        catalogue.of(known.campaign_id),
        known,
        facts,
        player_id=by.pk,
        state=state,
        recipient=known.recipient if known.audience == trading.ONE else None,
        link=link,
    )


def expire_due(*, budget_s: float = BUDGET_S) -> int:
    """Close the open trades whose time has passed, for about `budget_s`; how many. Any number may call."""
    ends = time.monotonic() + budget_s
    closed = 0
    failures: list[Exception] = []
    for campaign_id in _live_with_due():
        try:
            closed += _expire(campaign_id, ends)
        except DatabaseError as failure:
            # One campaign in which somebody sits on a lock holds up no other.
            failures.append(failure)
    if failures:
        raise failures[0]
    return closed


def _live_with_due() -> list[int]:
    return [row.id for row in sql.fetch(sql.text("cards", "due_campaigns"))]


def _expire(campaign_id: int, ends: float) -> int:
    """Chunk by chunk, each a transaction of its own, so that what was done is done when this is cut short."""
    params = {"campaign": campaign_id, "most": MOST_EXPIRED, "state": trading.after("open", "expire")}
    closed: int = 0
    while True:
        row = sql.fetch_alone(sql.text("cards", "expire"), params)[0]
        if row.closed:
            doorbell.ring_after_commit(players=dict(zip(row.players, row.seqs, strict=True)))
        closed += row.closed
        if row.seen < MOST_EXPIRED or time.monotonic() >= ends:
            return closed
