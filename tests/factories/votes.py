"""Votes. Their rows are made as the opening of a proposal leaves them; ballots go through the action.

A vote that opened in the past has no way through the actions, since voters must have joined before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import factory
from django.db import transaction

from accounts.models import Player
from cards import hands
from fortunes import answers, clock, keys, tally
from fortunes.actions import ballots
from fortunes.models import Campaign, Membership, Option, Proposal
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import SeasonFactory, asked


class DraftProposalFactory(factory.Factory[Proposal]):
    """A draft with options that change nothing, or what `options` says: the changes of each, in order.

    `strikes` and `compensations` are those of single options, by number.
    """

    class Meta:
        model = Proposal

    campaign = factory.SubFactory(SeasonFactory)
    question_zh = "保留顺手牵羊卡吗？"
    question_en = "Shall the steal card stay?"
    opens_at = factory.LazyFunction(lambda: clock.now() - timedelta(seconds=1))
    closes_at = factory.LazyAttribute(lambda vote: vote.opens_at + timedelta(hours=1))
    quorum = 1
    threshold_bp = 5_000
    may_change = False
    state = Proposal.State.DRAFT
    options: Sequence[Mapping[str, Any]] = ({}, {})
    strikes: Mapping[int, Any] = {}
    compensations: Mapping[int, Any] = {}

    @classmethod
    def _create(
        cls,
        model_class: type[Proposal],
        *args: Any,
        options: Sequence[Mapping[str, Any]],
        strikes: Mapping[int, Any],
        compensations: Mapping[int, Any],
        **fields: Any,
    ) -> Proposal:
        with transaction.atomic():
            proposal = model_class.objects.create(**fields)
            Option.objects.bulk_create(
                Option(
                    proposal=proposal, number=number, changes=changes, strikes=strikes.get(number),
                    compensations=compensations.get(number, {}), name_zh=f"选项{number}", name_en=f"Option {number}",
                )
                for number, changes in enumerate(options, 1)
            )  # fmt: skip
        return proposal


class OpenProposalFactory(DraftProposalFactory):
    """One that takes ballots: open since a second ago, for an hour. Voters must have joined: see `enrol`."""

    state = Proposal.State.OPEN
    opened_at = factory.SelfAttribute("opens_at")


class EndedProposalFactory(OpenProposalFactory):
    """One that is over an hour after its opening, two hours ago. Its result is nobody's: not what was counted."""

    state = Proposal.State.COUNTING
    opens_at = factory.LazyFunction(lambda: clock.now() - timedelta(hours=2))
    counting_at = factory.LazyAttribute(lambda vote: None if vote.state == Proposal.State.CANCELLED else vote.closes_at)
    closed_at = factory.LazyAttribute(lambda vote: vote.closes_at if vote.state == Proposal.State.CLOSED else None)
    cancelled_at = factory.LazyAttribute(
        lambda vote: vote.closes_at if vote.state == Proposal.State.CANCELLED else None
    )
    outcome = factory.LazyAttribute(
        lambda vote: Proposal.Outcome.NO_QUORUM if vote.state == Proposal.State.CLOSED else None
    )
    eligible = cast = 0
    ballots_hash = factory.LazyFunction(lambda: hashlib.sha256().digest())


class VoterFactory(factory.Factory[Player]):
    """A player who may vote on `proposal`."""

    class Meta:
        model = Player

    proposal = factory.SubFactory(OpenProposalFactory)

    @classmethod
    def _create(cls, model_class: type[Player], *args: Any, proposal: Proposal) -> Player:
        player: Player = PlayerFactory.create()
        enrol(proposal, player)
        return player


def enrol(proposal: Proposal, *players: Player) -> None:
    """Let players have joined the campaign a minute before the vote opened."""
    hands.ensure(campaign_id=proposal.campaign_id, players=[player.pk for player in players])
    joined = Membership.objects.filter(campaign=proposal.campaign_id, player__in=players)
    joined.update(joined_at=proposal.opens_at - timedelta(minutes=1))


def end(proposal: Proposal, **fields: Any) -> None:
    """Close a vote as of now, with what was counted and no consequences."""
    counted = ballots.count(proposal=proposal)
    result = tally.decide(counted.ballots, quorum=proposal.quorum, threshold_bp=proposal.threshold_bp)
    now = clock.now()
    Proposal.objects.filter(pk=proposal.pk).update(
        state=Proposal.State.CLOSED, closes_at=now, counting_at=now, closed_at=now, outcome=result.outcome,
        winner=result.winner, cast=counted.cast, eligible=counted.eligible, ballots_hash=counted.digest, **fields,
    )  # fmt: skip
    for option in Option.objects.filter(proposal=proposal):
        option.ballots = counted.ballots.get(option.number, 0)
        option.save(update_fields=["ballots"])
    proposal.refresh_from_db()


def wanted(player: Player, proposal: Proposal, option: int = 1, *, key: str | None = None) -> ballots.Wanted:
    """A ballot that the player is about to cast, under a fresh key."""
    return ballots.Wanted(_asked(player, proposal, option, key), proposal.public_id, option)


def cast(player: Player, proposal: Proposal, option: int = 1, *, key: str | None = None) -> answers.BallotReceipt:
    """A ballot of a player, under a fresh key."""
    return ballots.cast(
        asked=_asked(player, proposal, option, key), proposal_id=proposal.public_id, option=option, by=player
    )


def _asked(player: Player, proposal: Proposal, option: int, key: str | None) -> keys.Request:
    return asked(player, ballots.ROUTE, {"proposal": proposal.public_id, "option": option}, key)


def campaign_of_votes(**fields: Any) -> Campaign:
    """A live season with the special kinds, for votes about them."""
    campaign: Campaign = SeasonFactory.create(specials=True, **fields)
    return campaign
