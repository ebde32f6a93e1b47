"""Trades on their way back from the SQL functions that do them: `cards.asking` is the way there.

The functions judge and do everything. What is here finds a trade for whom it concerns, and makes answers and refusals
of their rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from accounts import errors as accounts
from cards import answers, catalogue, errors, hands
from fortunes import doorbell, gate, rulebooks, sql
from fortunes import errors as ground
from fortunes.answers import instant
from fortunes.errors import DomainError
from fortunes.models import Campaign

ATTEMPTS = 4

REFUSALS: dict[str, type[DomainError]] = {
    **gate.REFUSALS,
    "key-reused": ground.IdempotencyKeyReused,
    "rule-forbids": errors.RuleForbids,
    # Only a token that outlived its player can ask.
    "erased": accounts.TokenInvalid,
    "friend-not-found": errors.FriendNotFound,
    "account-too-new": errors.AccountTooNew,
    "card-not-held": errors.CardNotHeld,
    "offer-not-covered": errors.OfferNotCovered,
    "hand-full": errors.HandFull,
    "receiver-limit": errors.ReceiverLimitReached,
    "trade-limit": errors.TradeLimitReached,
    "link-limit": errors.LinkLimitReached,
    "trade-not-found": errors.TradeNotFound,
    "trade-closed": errors.TradeAlreadyClosed,
    "trade-expired": errors.TradeExpired,
}
# Those that have something to say, in `facts`.
TELLING = ("rule-forbids", "account-too-new", "trade-closed", "trade-limit", "link-limit")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored with its key of what was done to a trade; with the trade itself it makes the answer.

    `at` is when it was closed, null where it stays open. The last ones are there only where nobody knew them before.
    """

    trade: UUID
    at: datetime | None
    counts: list[int]
    escrow: list[int]
    version: int
    created_at: datetime | None = None
    expires_at: datetime | None = None
    code: str | None = None
    opens: int = 0

    @property
    def made_at(self) -> datetime:
        """When the trade was made, where this is what made it: what is given at once is made when it is closed."""
        made = self.created_at or self.at
        if made is None:
            raise ValueError("a trade was neither made nor closed")
        return made


class RefusalFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a refusal says besides its code."""

    until: datetime | None = None
    state: str | None = None
    limit: int | None = None
    kind: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a trade is, from its proposal on; of public ids and ordinals."""

    public_id: UUID
    type: str
    audience: str
    proposer: UUID
    gives: list[int]
    takes: list[int]
    note: str | None
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Terms):
    """A trade at a look without a lock, after which `state`, `recipient` and `asked` may change.

    `recipient` is who is asked alone, or who has accepted; `asked` says whether the player who looks is, or is one of
    several. `channel` and `code` are of its link.
    """

    id: int
    campaign_id: int
    state: str
    proposer_id: int
    recipient_id: int | None
    recipient: UUID | None
    asked: bool
    channel: str | None
    code: str | None


def find(*, public_id: UUID, player_id: int, campaign: Campaign | None) -> Known:
    """A trade that a player has proposed or is asked by, in this campaign or wherever it is.

    Raises TradeNotFound for everybody else.
    """
    known = _find(public_id=public_id, id=None, player_id=player_id)
    if known is None or not (known.asked or known.proposer_id == player_id):
        raise errors.TradeNotFound
    if campaign is not None and known.campaign_id != campaign.pk:
        raise errors.TradeNotFound
    return known


def find_by_id(*, trade_id: int, player_id: int) -> Known:
    """A trade that a player has come upon by its link. Raises LinkNotFound."""
    known = _find(public_id=None, id=trade_id, player_id=player_id)
    if known is None:
        raise errors.LinkNotFound
    return known


def _find(**params: Any) -> Known | None:
    rows = sql.fetch(sql.text("cards", "find_trade"), {"id": None, "public_id": None, **params})
    return Known(**rows[0]._asdict()) if rows else None


def deal(
    statement: str, params: Callable[[], dict[str, Any]], *, campaign_id: int, newcomer: Callable[[Any], int]
) -> Facts:
    """Do a verb by the SQL statement of its name, as a transaction of its own.

    `params` are made anew for each attempt, and `newcomer` says of a row whose hand is missing.
    """
    for _ in range(ATTEMPTS):
        row = sql.fetch_alone(sql.text("cards", statement), params())[0]
        if not is_again(row.status):
            return settled(row, campaign_id=campaign_id)
        prepare(row.status, campaign_id=campaign_id, newcomer=newcomer(row))
    raise ground.Busy(retry_after_s=1)


def is_again(status: str) -> bool:
    """Whether a verb has to be tried again, once it is prepared."""
    return status in ("stale-rulebook", "no-hand")


def prepare(status: str, *, campaign_id: int, newcomer: int) -> None:
    """Make ready what a verb missed, outside its transaction."""
    if status == "stale-rulebook":
        rulebooks.forget(campaign_id)
    else:
        # Only now, when all else is in order: what is refused makes no rows, and none for a stranger.
        hands.ensure(campaign_id=campaign_id, players=[newcomer])


def settled(row: Any, *, campaign_id: int) -> Facts:
    """What a verb did, now or before; rings for those who have news. Raises what it refused."""
    if row.status in REFUSALS:
        raise REFUSALS[row.status](**_said(row, campaign_id))
    if row.status != "replayed":
        doorbell.ring_after_commit(players=dict(zip(row.players, row.seqs, strict=True)))
    return msgspec.json.decode(row.facts, type=Facts)


def _said(row: Any, campaign_id: int) -> dict[str, Any]:
    if row.status not in TELLING:
        return {}
    facts = msgspec.json.decode(row.facts, type=RefusalFacts)
    if row.status == "rule-forbids" and facts.kind is not None:
        return {"role": catalogue.of(campaign_id).roles[facts.kind]}
    said = {"until": instant(facts.until) if facts.until else None, "state": facts.state, "limit": facts.limit}
    return {name: value for name, value in said.items() if value is not None}


def receipt(
    kinds: catalogue.Catalogue,
    terms: Terms,
    facts: Facts,
    *,
    player_id: int,
    state: str,
    recipient: UUID | None,
    link: answers.LinkShared | None = None,
) -> answers.TradeReceipt:
    """The answer to a player who did something to a trade, which is in `state` for them after it."""
    trade = answers.TradeAnswer(
        id=terms.public_id,
        type=terms.type,
        state=state,
        audience=terms.audience,
        proposer=terms.proposer,
        recipient=recipient,
        gives=kinds.slugs(terms.gives),
        takes=kinds.slugs(terms.takes),
        note=terms.note,
        link=link,
        created_at=instant(terms.created_at),
        expires_at=instant(terms.expires_at) if terms.expires_at else None,
        closed_at=instant(facts.at) if facts.at else None,
    )
    held = hands.Held(player_id, facts.counts, facts.escrow, facts.version)
    return answers.TradeReceipt(trade=trade, hand=answers.hand(kinds, held))
