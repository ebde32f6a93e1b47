"""Ballots: cast, found again by their player, counted, and published.

The SQL function `fortunes_cast` judges and writes a list of them. What is here makes the receipts, which nobody but the
player is told, and answers of its rows.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction

from fortunes import answers, errors, gate, keys, sql, tally, voting
from fortunes.errors import DomainError
from fortunes.identity import SignedIn
from fortunes.models import Ballot, Campaign, Proposal

ROUTE = "ballots"
# Leaves that are in memory at once, and how long so many may take: nobody waits for the count.
LEAVES_AT_ONCE = 50_000
PATIENCE = "60s"

DONE = ("cast", "changed", "kept", "replayed")
REFUSALS: dict[str, type[DomainError]] = {
    **gate.REFUSALS,
    "key-reused": errors.IdempotencyKeyReused,
    "proposal-not-found": errors.ProposalNotFound,
    "option-not-found": errors.OptionNotFound,
    "vote-not-open": errors.VoteNotOpen,
    "not-eligible": errors.NotEligible,
    "ballot-already-cast": errors.BallotAlreadyCast,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One player's wish to vote for one option, by its number, under an idempotency key."""

    asked: keys.Request
    proposal: UUID
    option: int


Outcome = answers.BallotReceipt | DomainError


class BallotFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a ballot with its key."""

    proposal: UUID
    option: int
    receipt: str
    leaf: str
    at: datetime
    changed: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """A vote, counted from its rows: ballots by option, the hash of the leaves, and how many could have voted."""

    ballots: dict[int, int]
    cast: int
    digest: bytes
    eligible: int


@dataclass(frozen=True, slots=True)
class Look:
    """An opened proposal's tally at one moment; `is_over` once it changes no more."""

    campaign_id: int
    is_over: bool
    tally: answers.TallyChanged


def cast(
    *, asked: keys.Request, proposal_id: UUID, option: int, by: SignedIn, campaign: Campaign | None = None
) -> answers.BallotReceipt:
    """Cast a ballot, or change it where the vote allows that. The same key and body answer again what the first did.

    With a `campaign` only its own proposals are found. Refusals: those of REFUSALS.
    """
    if asked.player_id != by.pk:
        raise ValueError("a ballot is cast by whoever asks")
    campaign_id = _campaign_of(proposal_id)
    if campaign is not None and campaign.pk != campaign_id:
        raise errors.ProposalNotFound
    (outcome,) = cast_many(campaign_id=campaign_id, wanted=[Wanted(asked, proposal_id, option)])
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def cast_many(*, campaign_id: int, wanted: Sequence[Wanted]) -> list[Outcome]:
    """Cast ballots of one campaign, each for itself: the place in the answer has its receipt or its refusal.

    The ballots of one call share a transaction; those of one player follow each other.
    """
    outcomes: dict[int, Outcome] = {}
    waiting = dict(enumerate(wanted))
    while waiting:
        first: dict[int, int] = {}
        for place, item in waiting.items():
            first.setdefault(item.asked.player_id, place)
        places = list(first.values())
        rows = sql.fetch_alone(sql.text("fortunes", "cast"), _params(campaign_id, [waiting[place] for place in places]))
        for row in rows:
            place = places[row.place - 1]
            outcomes[place] = _outcome(row)
            del waiting[place]
    return [outcomes[place] for place in range(len(wanted))]


def _params(campaign_id: int, wanted: Sequence[Wanted]) -> dict[str, Any]:
    """The parallel arrays of the SQL function; each ballot has the receipt that it gets if it counts."""
    within = [keys.within(item.asked, campaign_id=campaign_id) for item in wanted]
    drawn = [(item, secrets.token_bytes(tally.RECEIPT_BYTES)) for item in wanted]
    return {
        "campaign": campaign_id,
        "route": within[0]["route"],
        "players": [item.asked.player_id for item in wanted],
        "keys": [item["key"] for item in within],
        "body_hashes": [item["body_hash"] for item in within],
        "proposals": [item.proposal for item in wanted],
        "options": [item.option for item in wanted],
        "receipts": [receipt for _, receipt in drawn],
        "leaves": [tally.leaf(item.proposal, receipt, item.option) for item, receipt in drawn],
    }


def _outcome(row: Any) -> Outcome:
    if row.status in DONE:
        facts = msgspec.json.decode(row.facts, type=BallotFacts)
        return answers.BallotReceipt(
            proposal=facts.proposal, option=facts.option, receipt=facts.receipt, leaf=facts.leaf,
            cast_at=answers.instant(facts.at), changed=facts.changed,
        )  # fmt: skip
    if row.status == "vote-not-open":
        return errors.VoteNotOpen(
            state=row.state, opens_at=answers.instant(row.opens_at), closes_at=answers.instant(row.closes_at)
        )
    if row.status == "ballot-already-cast":
        return errors.BallotAlreadyCast(option=row.option)
    return REFUSALS[row.status]()


@lru_cache(maxsize=1024)
def _campaign_of(proposal_id: UUID) -> int:
    """A proposal's campaign, which never changes. Raises ProposalNotFound."""
    found = Proposal.objects.filter(public_id=proposal_id).values_list("campaign_id", flat=True).first()
    if found is None:
        raise errors.ProposalNotFound
    return found


def mine(*, proposal_id: UUID, player_id: int) -> answers.BallotReceipt:
    """A player's own ballot with its receipt. Raises ProposalNotFound or BallotNotFound."""
    proposal = voting.shown(public_id=proposal_id)
    ballot = Ballot.objects.filter(proposal=proposal.pk, player=player_id).first()
    if ballot is None:
        raise errors.BallotNotFound
    return answers.BallotReceipt(
        proposal=proposal_id, option=ballot.option, receipt=bytes(ballot.receipt).hex(), leaf=bytes(ballot.leaf).hex(),
        cast_at=answers.instant(ballot.at), changed=False,
    )  # fmt: skip


def options_of(*, proposals: Collection[int], player_id: int) -> dict[int, int]:
    """What a player has voted for, by proposal; those without their ballot are missing."""
    return dict(Ballot.objects.filter(player=player_id, proposal__in=proposals).values_list("proposal_id", "option"))


def tallies(*, proposals: Collection[int]) -> dict[int, answers.Tally]:
    """The ballots of each proposal by option, exact at this moment."""
    return {row.id: _tally(row) for row in _tallies(ids=list(proposals))}


def looks(*, proposals: Collection[UUID]) -> dict[UUID, Look]:
    """The tallies of opened proposals, for those who watch; a draft or an unknown one is missing."""
    return {
        row.public_id: Look(
            campaign_id=row.campaign_id,
            is_over=row.state not in (Proposal.State.OPEN, Proposal.State.COUNTING),
            tally=_changed(row),
        )
        for row in _tallies(public_ids=list(proposals))
        if row.opened_at is not None
    }


def _tallies(*, ids: Sequence[int] = (), public_ids: Sequence[UUID] = ()) -> list[Any]:
    return sql.fetch_often(sql.text("fortunes", "tallies"), {"ids": list(ids), "public_ids": list(public_ids)})


def _tally(row: Any) -> answers.Tally:
    by_option = {str(option): count for option, count in zip(row.options, row.ballots, strict=True)}
    return answers.Tally(ballots=by_option, cast=sum(row.ballots), at=answers.instant(row.at))


def _changed(row: Any) -> answers.TallyChanged:
    counted = _tally(row)
    return answers.TallyChanged(proposal=row.public_id, ballots=counted.ballots, cast=counted.cast, at=counted.at)


def published(*, proposal_id: UUID, after: bytes, limit: int) -> list[answers.Leaf]:
    """The leaves that follow `after`, in ascending order. Raises ProposalNotFound or VoteNotClosed."""
    proposal = voting.shown(public_id=proposal_id)
    if proposal.state != Proposal.State.CLOSED:
        raise errors.VoteNotClosed(state=proposal.state, closes_at=answers.instant(proposal.closes_at))
    rows = Ballot.objects.filter(proposal=proposal.pk, leaf__gt=after).order_by("leaf")
    return [
        answers.Leaf(leaf=bytes(leaf).hex(), option=option)
        for leaf, option in rows.values_list("leaf", "option")[:limit]
    ]


def count(*, proposal: Proposal) -> Counted:
    """Count the rows of a vote that takes no more ballots, and hash their leaves: a transaction of its own.

    The SHA-256 is of all leaves in ascending order, end to end.
    """
    digest, by_option = hashlib.sha256(), Counter[int]()
    with transaction.atomic(durable=True):
        sql.execute(f"SET LOCAL statement_timeout = '{PATIENCE}'")
        after = b""
        while True:
            params = {"proposal": proposal.pk, "after": after, "most": LEAVES_AT_ONCE}
            (part,) = sql.fetch(sql.text("fortunes", "leaves"), params)
            if not part.ballots:
                break
            digest.update(part.leaves)
            by_option.update(part.options)
            # What a function max(bytea) would say, which PostgreSQL has since 18.
            after = part.leaves[-len(digest.digest()) :]
        params = {"proposal": proposal.pk, "campaign": proposal.campaign_id, "opens_at": proposal.opens_at}
        eligible = sql.fetch(sql.text("fortunes", "count_eligible"), params)[0].eligible
    return Counted(ballots=dict(by_option), cast=by_option.total(), digest=digest.digest(), eligible=eligible)
