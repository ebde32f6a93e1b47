"""Proposals as staff write them, through the actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Player
from fortunes import clock, errors
from fortunes.actions import ballots, closing, proposals
from fortunes.actions.judging import OptionPlan
from fortunes.models import Amendment, Ballot, Broadcast, Campaign, Proposal
from tests.factories import votes as make
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import SeasonFactory
from tests.plugins.clock import Clock

KEEP = OptionPlan(name_zh="保留", name_en="Keep it")
NO_STEALS: dict[str, Any] = {"specials": ["wild", "copy"]}
INTO_WILD = {"steal": {"into": "wild"}}
LOOSER: dict[str, Any] = {"trading": {"cooling_h": 1}}


def change(changes: Mapping[str, Any], **more: Any) -> OptionPlan:
    return OptionPlan(name_zh="更改", name_en="Change it", changes=changes, **more)


def motion(*options: OptionPlan, **given: Any) -> dict[str, Any]:
    """A vote of an hour, from now on. Without options it asks for one more scan a day."""
    now = clock.now()
    return {
        "question_zh": "要改规则吗？",
        "question_en": "Shall the rules change?",
        "options": list(options or (KEEP, change(ONE_MORE))),
        "opens_at": now,
        "closes_at": now + timedelta(hours=1),
        **given,
    }


STEALS: dict[str, Any] = {"specials": ["wild", "copy", "steal"]}
ONE_MORE: dict[str, Any] = {"quotas": {"code": {"per_day": 9}}}


def drafted(campaign: Campaign, *options: OptionPlan, **given: Any) -> Proposal:
    return proposals.draft(campaign_id=campaign.pk, by=None, **motion(*options, **given))


def opened(campaign: Campaign, *options: OptionPlan, **given: Any) -> Proposal:
    return proposals.open_(proposal_id=drafted(campaign, *options, **given).pk, by=None)


def voted(proposal: Proposal, *votes: int) -> list[Player]:
    """A new player for each of these options' numbers, who votes for it."""
    players = PlayerFactory.create_batch(len(votes))
    make.enrol(proposal, *players)
    wanted = [make.wanted(player, proposal, option) for player, option in zip(players, votes, strict=True)]
    assert not [
        outcome
        for outcome in ballots.cast_many(campaign_id=proposal.campaign_id, wanted=wanted)
        if isinstance(outcome, Exception)
    ]
    return players


def close(clock: Clock, *due: Proposal) -> None:
    """Their time comes, and a worker."""
    clock.move_to(max(proposal.closes_at for proposal in due))
    closing.close_due()


def again(proposal: Proposal) -> Proposal:
    return Proposal.objects.select_related("campaign").get(pk=proposal.pk)


def leaves(proposal: Proposal) -> Sequence[bytes]:
    return [bytes(leaf) for leaf in Ballot.objects.filter(proposal=proposal).values_list("leaf", flat=True)]


def told(campaign: Campaign) -> list[str]:
    rows = Broadcast.objects.filter(campaign=campaign).exclude(type="campaign.opened").order_by("seq")
    return list(rows.values_list("type", flat=True))


def refuse(season: Campaign, option: OptionPlan, field: str, **given: Any) -> None:
    draft = drafted(season, KEEP, option, **given)
    with pytest.raises(errors.InvalidProposal) as refused:
        proposals.open_(proposal_id=draft.pk, by=None)
    assert refused.value.facts["field"] == field
    assert again(draft).state == Proposal.State.DRAFT


def announced(**changes: Any) -> tuple[Campaign, Amendment]:
    """A season in which stealing begins in a day."""
    season = SeasonFactory.create(specials=True, announced=[(timedelta(days=1), changes or STEALS)])
    return season, Amendment.objects.get(campaign=season)
