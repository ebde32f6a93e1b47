"""What the database says about the season's vote and what came of it. Players and proposals are public ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cards import catalogue
from cards.models import Aftermath, Conversion, Trade
from fortunes import rulebooks, rules
from fortunes.models import Ballot, BallotCount, Membership, Option, Proposal, Rulebook


@dataclass(frozen=True, slots=True)
class BallotFact:
    """One row; receipt and leaf in hexadecimal."""

    player: str
    option: int
    receipt: str
    leaf: str
    at: datetime


@dataclass(frozen=True, slots=True)
class VoteFacts:
    """A proposal that was put to the vote. `shards` are sums that were kept with each ballot, `counts` the result."""

    proposal: str
    opens_at: datetime
    closes_at: datetime
    quorum: int
    threshold_bp: int
    outcome: str | None
    winner: int | None
    eligible: int | None
    cast: int | None
    digest: str
    counts: dict[int, int | None]
    shards: dict[int, int]
    ballots: list[BallotFact]


@dataclass(frozen=True, slots=True)
class VersionFact:
    """A version of the rules; `proposal` is the vote that made it."""

    number: int
    reason: str
    in_force_at: datetime
    rules: rules.Rules
    proposal: str | None


@dataclass(frozen=True, slots=True)
class ConversionFact:
    """What became of somebody's cards of a kind that the rules had removed."""

    player: str
    version: int
    kind: str
    cards: int
    into: tuple[str, ...]


def read_vote(campaign_id: int, names: Mapping[int, str]) -> VoteFacts:
    """The campaign's only one."""
    proposal = Proposal.objects.get(campaign_id=campaign_id)
    shards: Counter[int] = Counter()
    for option, ballots in BallotCount.objects.filter(proposal=proposal).values_list("option", "ballots"):
        shards[option] += ballots
    options = Option.objects.filter(proposal=proposal).order_by("number").values_list("number", "ballots")
    rows = Ballot.objects.filter(proposal=proposal).values_list("player_id", "option", "receipt", "leaf", "at")
    return VoteFacts(
        proposal=str(proposal.public_id),
        opens_at=proposal.opens_at,
        closes_at=proposal.closes_at,
        quorum=proposal.quorum,
        threshold_bp=proposal.threshold_bp,
        outcome=proposal.outcome,
        winner=proposal.winner,
        eligible=proposal.eligible,
        cast=proposal.cast,
        digest=bytes(proposal.ballots_hash or b"").hex(),
        counts=dict(options),
        shards=dict(shards),
        ballots=[
            BallotFact(names.get(player, f"player {player}"), option, bytes(receipt).hex(), bytes(leaf).hex(), at)
            for player, option, receipt, leaf, at in rows
        ],
    )


def read_versions(campaign_id: int) -> list[VersionFact]:
    rows = Rulebook.objects.filter(campaign_id=campaign_id).order_by("version")
    return [
        VersionFact(number, reason, at, rulebooks.version(campaign_id, number), str(vote) if vote else None)
        for number, reason, at, vote in rows.values_list("version", "reason", "in_force_at", "proposal__public_id")
    ]


def read_joined(campaign_id: int, names: Mapping[int, str]) -> dict[str, datetime]:
    """Since when players belong to the season."""
    rows = Membership.objects.filter(campaign_id=campaign_id).values_list("player_id", "joined_at")
    return {names.get(player, f"player {player}"): at for player, at in rows}


def read_conversions(
    campaign_id: int, known: catalogue.Catalogue, names: Mapping[int, str]
) -> dict[str, ConversionFact]:
    rows = Conversion.objects.filter(campaign_id=campaign_id).select_related("aftermath")
    return {
        str(row.public_id): ConversionFact(
            player=names.get(row.player_id, f"player {row.player_id}"),
            version=row.aftermath.version,
            kind=known.kinds[row.kind],
            cards=row.cards,
            into=tuple(sorted(known.slugs(row.into))),
        )
        for row in rows
    }


def read_loose_ends(campaign_id: int, known: catalogue.Catalogue, kinds: frozenset[str]) -> list[str]:
    """What is still open of what a change of the rules has ended: trades of these kinds, and unfinished work."""
    trades = Trade.objects.filter(campaign_id=campaign_id, state=Trade.State.OPEN)
    found = [f"trade {row.public_id}" for row in trades if kinds & {*known.slugs(row.gives), *known.slugs(row.takes)}]
    works = Aftermath.objects.filter(campaign_id=campaign_id).exclude(state=Aftermath.State.DONE)
    return found + [f"what follows from version {work.version} of the rules ({work.state})" for work in works]
