"""Pools, settlements and packets. Money has a history, so everything here goes through the actions."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import factory

from accounts.models import Player
from cards import hands
from cards.actions import aftermaths, scans
from cards.answers import Redemption
from fortunes import clock as database_clock
from fortunes.models import Campaign
from redpackets.actions import openings, packets, pools, stages
from redpackets.answers import OpenedAnswer
from redpackets.models import Payout, Pool, Settlement
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

# One scan makes a complete set, so who wins is whoever scanned.
ONE_CARD: dict[str, Any] = {
    "weights": {"patriotism": 1},
    "complete_set": ["patriotism"],
    "caps": {},
    "quotas": make.PLENTY,
}
SCANS_AT_ONCE = 50


class DraftFactory(make.DraftSeasonFactory):
    """A draft campaign of one hour in which one scan makes a complete set."""

    rulebook = factory.LazyFunction(lambda: dict(ONE_CARD))
    closes_at = factory.LazyAttribute(lambda season: database_clock.now() + timedelta(hours=1))


class PoolFactory(factory.Factory[Pool]):
    """The pool of a draft campaign, funded unless told otherwise."""

    class Meta:
        model = Pool

    class Params:
        # How it is shared, as the rulebook's `split`: evenly unless told otherwise.
        split: dict[str, Any] = {}

    campaign = factory.SubFactory(
        DraftFactory, rulebook=factory.LazyAttribute(lambda draft: ONE_CARD | {"split": draft.factory_parent.split})
    )
    amount_fen = 100_000
    credit_after_s: int | None = None
    funded = True

    @classmethod
    def _create(cls, model_class: type[Pool], *args: Any, campaign: Campaign, funded: bool, **fields: Any) -> Pool:
        pool = pools.create(campaign_id=campaign.pk, **fields)
        if funded:
            fund(pool, pool.amount_fen)
        return pool


class SettlementFactory(factory.Factory[Settlement]):
    """The settlement of an opened campaign, due at its deadline. `winners` players have complete hands."""

    class Meta:
        model = Settlement

    pool = factory.SubFactory(PoolFactory)
    chunk_hands = 7
    winners = 0

    @classmethod
    def _create(
        cls, model_class: type[Settlement], *args: Any, pool: Pool, chunk_hands: int, winners: int
    ) -> Settlement:
        openings.open(campaign_id=pool.campaign_id)
        if winners:
            complete(pool.campaign, PlayerFactory.create_batch(winners))
        run = model_class.objects.get(pool=pool)
        run.chunk_hands = chunk_hands
        run.save(update_fields=["chunk_hands"])
        return run


# Splits of every kind, by name; `return` is the even one that gives back what doesn't divide.
SPLITS: dict[str, dict[str, Any]] = {
    "even": {},
    "return": {"remainder": "return"},
    "random": {"mode": "random", "minimum_fen": 3},
    "tiered": {"mode": "tiered", "jackpots": [{"count": 1, "prize_fen": 20}, {"count": 2, "prize_fen": 5}]},
}


def fund(pool: Pool, amount_fen: int) -> None:
    pools.fund(pool_id=pool.pk, amount_fen=amount_fen, business_key=f"fund:{secrets.token_hex(8)}")


def complete(campaign: Campaign, players: Sequence[Player]) -> None:
    """Give each player a complete hand: one scan under `ONE_CARD`."""
    for start in range(0, len(players), SCANS_AT_ONCE):
        batch = [make.scan(campaign, player) for player in players[start : start + SCANS_AT_ONCE]]
        for outcome in scans.redeem(campaign=campaign, scans=batch):
            if not isinstance(outcome, Redemption):
                raise outcome


def lose(campaign: Campaign, players: Sequence[Player]) -> None:
    """Let players take part without a card."""
    hands.ensure(campaign_id=campaign.pk, players=[player.pk for player in players])


def close(clock: Clock, run: Settlement) -> None:
    """Let the deadline pass."""
    clock.move_to(run.due_at + timedelta(seconds=1))


def reveal(clock: Clock, run: Settlement) -> None:
    """Let the minute of the reveal come."""
    clock.move_to(run.pool.campaign.reveal_at + timedelta(seconds=1))


def split(run: Settlement) -> Settlement:
    """Run the stages of one settlement whose deadline has passed up to the seal, once cards have done their part."""
    while aftermaths.step(campaign_id=run.pool.campaign_id):
        pass
    while Settlement.objects.values_list("state", flat=True).get(pk=run.pk) in Settlement.SPLITTING:
        stages.step(settlement_id=run.pk)
    return Settlement.objects.select_related("pool__campaign").get(pk=run.pk)


def payouts(run: Settlement) -> dict[int, int]:
    """Fen by player id."""
    return dict(Payout.objects.filter(pool=run.pool_id).values_list("player_id", "amount_fen"))


def open_packet(run: Settlement, player: Player, *, key: str | None = None) -> OpenedAnswer:
    campaign = run.pool.campaign
    asked = make.asked(player, "packet-opening", {"campaign": campaign.slug}, key)
    return packets.open(asked=asked, campaign_id=campaign.pk, by=player.pk)
