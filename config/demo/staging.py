"""What the play needs from behind the scenes: the campaign, its codes, and how far the feeds are."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings

from accounts.models import Player as Account
from cards import codes
from cards.actions import batches, presets, printing
from config.demo import season, voting
from config.demo.mischief import Props
from config.demo.player import Player, Vote, World
from fortunes import clock, rulebooks, secretkeys
from fortunes.actions import feeds, proposals
from fortunes.actions.judging import OptionPlan
from fortunes.models import Campaign, Proposal
from redpackets.actions import motions
from redpackets.models import Settlement

POOL_FEN = 888_888
SCANS = 12
UNTIL_REVEAL = timedelta(seconds=2.5)
# Fewer units than scans will wish for, so that the cap is felt, and a tranche of them every few seconds.
CAPPED, CAPPED_ODDS, CAPPED_SHARE, TRANCHE_S = "dedication", 0.05, 0.8, 5
SPECIAL_WEIGHTS = {"wild": 4, "steal": 4, "copy": 4}
# When ballots are taken, as shares of the season: players have joined by then, and what a vote changes is lived with.
VOTE = (0.25, 0.7)
ENDLESS = 10**9
CHUNKS = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """`seconds` are those from the announcement to the deadline; `seed` is for the players' dice."""

    players: int
    seconds: float
    seed: int | None = None

    @property
    def warm_up(self) -> timedelta:
        """Time for everybody to connect."""
        return timedelta(seconds=min(2 + self.players / 100, self.seconds / 4))


@dataclass(frozen=True, slots=True)
class Stage:
    """An announced season. `scans` is how many each player has."""

    campaign_id: int
    world: World
    props: Props
    scans: int = SCANS


def set_up(slug: str, plan: Plan, players: list[Player], loop_clock: Callable[[], float]) -> Stage:
    """Announce a season that closes in the plan's seconds."""
    units = max(1, round(plan.players * SCANS * CAPPED_ODDS * CAPPED_SHARE))
    tranches = min(units, max(1, round(plan.seconds / TRANCHE_S)))
    campaign = season.short(
        slug=slug,
        warm_up=plan.warm_up,
        live=timedelta(seconds=plan.seconds) - plan.warm_up,
        until_reveal=UNTIL_REVEAL,
        pool_fen=POOL_FEN,
        rulebook={
            "weights": presets.FIVE_FORTUNES_RULES["weights"] | SPECIAL_WEIGHTS,
            "specials": list(SPECIAL_WEIGHTS),
            # In a season of seconds nobody is protected for a day.
            "stealing": {"per_day": 5, "per_pair_per_day": 2, "protection_h": 0},
            "trading": {"received_per_day": 500},
            "caps": {CAPPED: {"units": units, "tranches": tranches}},
            "quotas": {"code": {"per_day": SCANS, "per_campaign": SCANS + 4}},
        },
    )
    # So small that the split of few hands has many steps too, and an accident falls in between them.
    Settlement.objects.filter(pool__campaign=campaign).update(chunk_hands=max(2, plan.players // CHUNKS))
    vote = _put_to_the_vote(campaign)
    return Stage(campaign.pk, _world(campaign, vote, loop_clock), _props(campaign, players))


def _put_to_the_vote(campaign: Campaign) -> Proposal:
    """Whether the steal card stays. If not, those that are held become wild cards."""
    live = campaign.closes_at - campaign.opens_at
    opens_at, closes_at = (campaign.opens_at + live * share for share in VOTE)
    proposal = proposals.draft(
        campaign_id=campaign.pk,
        by=None,
        question_zh="要不要取消顺手牵羊？",
        question_en="Shall the steal card go?",
        options=[
            OptionPlan(name_zh="保留", name_en="It stays"),
            OptionPlan(
                name_zh="取消，换成万能福",
                name_en="It goes; those that are held become wild cards",
                changes={
                    "specials": [role for role in SPECIAL_WEIGHTS if role != voting.SUBJECT],
                    "weights": {voting.SUBJECT: 0},
                },
                compensations={voting.SUBJECT: {"into": voting.INTO}},
            ),
        ],
        opens_at=opens_at,
        closes_at=closes_at,
    )
    return motions.open_(proposal_id=proposal.pk, by=None)


def _world(campaign: Campaign, vote: Proposal, loop_clock: Callable[[], float]) -> World:
    offset = loop_clock() - clock.now().timestamp()
    return World(
        slug=campaign.slug,
        complete_set=rulebooks.version(campaign.pk, 1).complete_set,
        codes=_codes(campaign, campaign.closes_at + timedelta(days=1)),
        opens=campaign.opens_at.timestamp() + offset,
        closes=campaign.closes_at.timestamp() + offset,
        reveals=campaign.reveal_at.timestamp() + offset,
        vote=Vote(
            proposal=str(vote.public_id),
            opens=vote.opens_at.timestamp() + offset,
            closes=vote.closes_at.timestamp() + offset,
        ),
    )


def _props(campaign: Campaign, players: list[Player]) -> Props:
    key_id, key = secretkeys.current(settings.SCAN_CODE_KEYS)
    foreign = codes.fresh(campaign_id=campaign.pk + 1, source=0, batch=1, expires_at=campaign.closes_at)
    return Props(
        forged=codes.encode(replace(foreign, campaign_id=campaign.pk), key_id=key_id, key=secrets.token_bytes(32)),
        expired=next(_codes(campaign, campaign.opens_at - timedelta(days=1))),
        foreign=codes.encode(foreign, key_id=key_id, key=key),
        players=players,
    )


def _codes(campaign: Campaign, expires_at: datetime) -> Iterator[str]:
    batch = batches.create(campaign_id=campaign.pk, source_slug="code", count=ENDLESS, expires_at=expires_at)
    return printing.codes(batch=batch)


def last_numbers(campaign_id: int, players: Sequence[str]) -> dict[str, tuple[int, int]]:
    """By public id: the newest numbers of a player's events and of the campaign's broadcasts."""
    broadcasts = feeds.campaign_positions(campaigns=[campaign_id])[campaign_id]
    ids = {pk: str(name) for pk, name in Account.objects.filter(public_id__in=players).values_list("pk", "public_id")}
    return {ids[pk]: (events, broadcasts) for pk, events in feeds.player_positions(players=ids).items()}
