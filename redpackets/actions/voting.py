"""What staff watch of votes: the ballots so far, what they would decide, and what a decided one leaves to be done.

Nothing here changes anything, and nothing is counted further than `REACH` rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Prefetch, QuerySet, Sum

from accounts.models import Player
from cards.models import Aftermath, Conversion
from fortunes import tally
from fortunes.actions import ballots
from fortunes.errors import ProposalNotFound
from fortunes.models import DatabaseNow, Option, Proposal

State = Proposal.State
MOST_VOTES = 10
# Conversions are counted that far: those of a large season are many, and somebody looks every few seconds.
REACH = 10_000


@dataclass(frozen=True, slots=True)
class Vote:
    """A proposal with its options, and the ballots for each of them by its number, at one instant."""

    proposal: Proposal
    options: Sequence[Option]
    ballots: dict[int, int]
    now: datetime

    @property
    def cast(self) -> int:
        return sum(self.ballots.values())

    @property
    def if_closed_now(self) -> tally.Result:
        """What the ballots so far would decide."""
        return tally.decide(self.ballots, quorum=self.proposal.quorum, threshold_bp=self.proposal.threshold_bp)

    @property
    def takes_ballots(self) -> bool:
        found = self.proposal
        return found.state == State.OPEN and found.opens_at <= self.now < found.closes_at


@dataclass(frozen=True, slots=True)
class Following:
    """The aftermath of a version of the rules that is being done, or the last one that was.

    `reach` is the share of the players that its step has got to. `converted` hands have changed so far, and `unpaid`
    conversions of the campaign, of `unpaid_fen` in all, wait for their money; each is REACH + 1 where there are more.
    """

    aftermath: Aftermath
    reach: float
    converted: int
    unpaid: int
    unpaid_fen: int


def vote(*, proposal_id: int) -> Vote:
    """One vote, in whatever state. Raises ProposalNotFound."""
    found = _proposals().filter(pk=proposal_id).first()
    if found is None:
        raise ProposalNotFound
    return _with_ballots([found])[0]


def undecided(*, campaign_id: int) -> list[Vote]:
    """The votes of a campaign that are open or being counted, in the order in which they close."""
    found = _proposals().filter(campaign=campaign_id, state__in=(State.OPEN, State.COUNTING))
    return _with_ballots(list(found.order_by("closes_at", "pk")[:MOST_VOTES]))


def following(*, campaign_id: int) -> Following | None:
    """What is being done to cards and money after a change of the rules; None if nothing ever was."""
    unfinished_first = (F("done_at").desc(nulls_first=True), "version")
    row = Aftermath.objects.filter(campaign=campaign_id).order_by(*unfinished_first).first()
    if row is None:
        return None
    last = Player.objects.aggregate(pk=Max("pk"))["pk"] or 1
    reach = 1.0 if row.state == Aftermath.State.DONE else min(1.0, row.last_player / last)
    converted = Conversion.objects.filter(aftermath=row)[: REACH + 1].count()
    unpaid = Conversion.objects.filter(campaign=campaign_id, fen__gt=0, paid_at=None)[: REACH + 1]
    waiting = unpaid.aggregate(count=Count("pk"), fen=Sum("fen", default=0))
    return Following(row, reach, converted, waiting["count"], waiting["fen"])


def _proposals() -> QuerySet[Any]:
    options = Prefetch("options", Option.objects.select_related("strikes").order_by("number"))
    return Proposal.objects.select_related("campaign").prefetch_related(options).annotate(now=DatabaseNow())


def _with_ballots(found: Sequence[Any]) -> list[Vote]:
    counted = ballots.tallies(proposals=[proposal.pk for proposal in found]) if found else {}
    return [
        Vote(
            proposal,
            proposal.options.all(),
            {int(number): count for number, count in counted[proposal.pk].ballots.items()},
            proposal.now,
        )
        for proposal in found
    ]
