"""What the SQL functions of trades are told: who asks for what, by which rules, and what others will be told of it.

The rules are those that this process believes to be in force; the gate confirms or refuses them. Payloads of events
are made here as far as they are known; the functions add hands and instants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import msgspec

from accounts import invitations
from cards import catalogue, dealing, events, trading
from fortunes import keys, rulebooks
from fortunes.identity import SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is proposed to whom; cards are ordinals."""

    type: str
    audience: trading.Audience
    gives: list[int]
    takes: list[int]
    note: str


def gift(asked: keys.Request, campaign_id: int, giver: SignedIn, to: UUID, gives: list[int]) -> dict[str, Any]:
    trade, slugs = uuid4(), catalogue.of(campaign_id).slugs(gives)
    sent = events.GiftSent(trade=str(trade), to=str(to), gives=slugs, hand_version=0)
    received = events.GiftReceived(
        trade=str(trade), sender=str(giver.public_id), gives=slugs, hand_version=0, complete=False
    )
    return {
        **_rules(campaign_id),
        **keys.within(asked, campaign_id=campaign_id),
        "campaign": campaign_id,
        "giver": giver.pk,
        "receiver": to,
        "gives": gives,
        "trade": trade,
        "state": trading.after(trading.NONE, "give"),
        "sent": _payload(sent),
        "received": _payload(received),
    }


def proposal(asked: keys.Request, campaign_id: int, proposer: SignedIn, made: Proposal) -> dict[str, Any]:
    trade, kinds, audience = uuid4(), catalogue.of(campaign_id), made.audience
    proposed = events.TradeProposed(
        trade=str(trade),
        type=made.type,
        audience=audience.kind,
        proposer=str(proposer.public_id),
        gives=kinds.slugs(made.gives),
        takes=kinds.slugs(made.takes),
        expires_at="",
        has_note=bool(made.note),
    )
    return {
        **_limits(campaign_id),
        **keys.within(asked, campaign_id=campaign_id),
        "campaign": campaign_id,
        "proposer": proposer.pk,
        "type": made.type,
        "audience": audience.kind,
        "friends": list(audience.to) or None,
        "gives": made.gives,
        "takes": made.takes,
        "note": made.note,
        "code": invitations.fresh_code() if audience.link else None,
        "channel": audience.link,
        "trade": trade,
        "state": trading.after(trading.NONE, "propose"),
        "proposed": _payload(proposed),
    }


def acceptance(asked: keys.Request, known: dealing.Known, by: SignedIn, *, by_link: bool) -> dict[str, Any]:
    kinds, state = catalogue.of(known.campaign_id), trading.after("open", "accept")
    accepted = events.TradeAccepted(
        trade=str(known.public_id),
        type=known.type,
        proposer=str(known.proposer),
        by=str(by.public_id),
        gives=kinds.slugs(known.gives),
        takes=kinds.slugs(known.takes),
        hand_version=0,
        complete=False,
    )
    # Who was faster is nobody's business but the proposer's.
    closed = events.TradeClosed(trade=str(known.public_id), state=state, by=None, hand_version=None)
    return {
        **_rules(known.campaign_id),
        **keys.within(asked, campaign_id=known.campaign_id),
        "trade": known.id,
        "player": by.pk,
        "by_link": by_link,
        "state": state,
        "accepted": _payload(accepted),
        "closed": _payload(closed),
    }


def closure(asked: keys.Request, known: dealing.Known, by: SignedIn, *, state: str) -> dict[str, Any]:
    closed = events.TradeClosed(trade=str(known.public_id), state=state, by=str(by.public_id), hand_version=None)
    return {
        **keys.within(asked, campaign_id=known.campaign_id),
        "trade": known.id,
        "player": by.pk,
        "state": state,
        "closed": _payload(closed),
    }


def _rules(campaign_id: int) -> dict[str, Any]:
    """The rules of moving cards."""
    version = rulebooks.believed(campaign_id)
    rules = rulebooks.version(campaign_id, version)
    kinds = catalogue.of(campaign_id)
    return {
        "version": version,
        "barred": kinds.barred(rules),
        "full_set": kinds.full_set(rules),
        "wild": kinds.filler(rules),
        "received_per_day": rules.trading.received_per_day,
        "cooling_h": rules.trading.cooling_h,
    }


def _limits(campaign_id: int) -> dict[str, Any]:
    """The rules of proposing."""
    version = rulebooks.believed(campaign_id)
    rules = rulebooks.version(campaign_id, version)
    trading_rules = rules.trading
    return {
        "version": version,
        "barred": catalogue.of(campaign_id).barred(rules),
        "cooling_h": trading_rules.cooling_h,
        "lifetime_h": trading_rules.lifetime_h,
        "open_trades": trading_rules.open_trades,
        "open_links": trading_rules.open_links,
        "links_per_day": trading_rules.links_per_day,
        "proposals_per_day": trading_rules.proposals_per_day,
    }


def _payload(event: msgspec.Struct) -> str:
    return msgspec.json.encode(event).decode()
