"""What is published of the votes of a campaign, read. Drafts are the staff's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from fortunes import answers, clock, rulebooks, rules, voting
from fortunes.actions import ballots
from fortunes.models import Campaign, Option, Proposal, Rulebook


@dataclass(frozen=True, slots=True)
class _Version:
    number: int
    in_force_at: datetime
    proposal: int | None


def read(*, proposal_id: UUID, player_id: int | None) -> voting.VoteAnswer:
    """One that was opened. Raises ProposalNotFound."""
    row = voting.shown(public_id=proposal_id)
    return describe([row], campaign=row.campaign, player_id=player_id)[0]


def listed(*, campaign: Campaign) -> QuerySet[Proposal]:
    """All that were opened."""
    return Proposal.objects.filter(campaign=campaign, opened_at__isnull=False)


def describe(rows: Sequence[Proposal], *, campaign: Campaign, player_id: int | None) -> list[voting.VoteAnswer]:
    """Proposals of one campaign as a player sees them; None is somebody who isn't signed in."""
    ids, now = [row.pk for row in rows], clock.now()
    tallies = ballots.tallies(proposals=ids)
    mine = ballots.options_of(proposals=ids, player_id=player_id) if player_id is not None else {}
    versions = _versions(campaign)
    options = _options(ids)
    return [_answer(row, campaign, now, versions, options[row.pk], tallies[row.pk], mine.get(row.pk)) for row in rows]


def _options(ids: Sequence[int]) -> dict[int, list[Option]]:
    found: dict[int, list[Option]] = {pk: [] for pk in ids}
    for option in Option.objects.filter(proposal__in=ids).select_related("strikes").order_by("number"):
        found[option.proposal_id].append(option)
    return found


def _versions(campaign: Campaign) -> list[_Version]:
    rows = Rulebook.objects.filter(campaign=campaign).order_by("version")
    return [_Version(*row) for row in rows.values_list("version", "in_force_at", "proposal_id")]


def _answer(
    row: Proposal,
    campaign: Campaign,
    now: datetime,
    versions: Sequence[_Version],
    options: Sequence[Option],
    tally: answers.Tally,
    mine: int | None,
) -> voting.VoteAnswer:
    made = next((version.number for version in versions if version.proposal == row.pk), None)
    before = _before(row, campaign, now, versions, made)
    return voting.VoteAnswer(
        id=row.public_id,
        campaign=campaign.slug,
        question=answers.Name(zh=row.question_zh, en=row.question_en),
        state=voting.state(row, now),
        opens_at=answers.instant(row.opens_at),
        closes_at=answers.instant(row.closes_at),
        quorum=row.quorum,
        threshold_bp=row.threshold_bp,
        may_change=row.may_change,
        options=[voting.option(option, before, tally.ballots[str(option.number)]) for option in options],
        cast=tally.cast,
        mine=mine,
        result=voting.result(row, made),
        reason=answers.Name(zh=row.reason_zh, en=row.reason_en) if row.cancelled_at else None,
        server_time=tally.at,
    )


def _before(
    row: Proposal, campaign: Campaign, now: datetime, versions: Sequence[_Version], made: int | None
) -> rules.Rules:
    """The rules that its options would change, or would have: those in force at its end, or now."""
    at = row.closed_at or row.cancelled_at or now
    past = [version.number for version in versions if version.in_force_at <= at]
    return rulebooks.version(campaign.pk, made - 1 if made else past[-1])
