"""A thousand random trades of all kinds among eight players at 64 parallel, while time passes and friendships end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db.models import Q

from accounts import errors as accounts
from accounts.actions import friendships
from accounts.models import Player
from cards import errors
from cards.actions import trades as verbs
from cards.models import Draw, Hand, Play, ShareLink, Trade, Transfer
from fortunes.errors import DomainError
from fortunes.models import Campaign
from tests.concurrency.together import patiently, together, until
from tests.concurrency.trading import violations
from tests.factories import cards as make
from tests.factories import trades
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.committed

THREADS, ACTS = 64, 16
# In so many strides time passes, whatever the machine makes of a second.
STRIDES = 40
KINDS = ("patriotism", "prosperity", "harmony", "friendliness", "dedication")
RULES = {
    "specials": ["wild", "steal", "copy"],
    "stealing": {"per_day": 20, "per_pair_per_day": 4, "protection_h": 0, "spares_last": True},
    "trading": {
        "open_trades": 12,
        "open_links": 6,
        "links_per_day": 60,
        "proposals_per_day": 999,
        "lifetime_h": 1,
        "received_per_day": 150,
    },
}
# What each may be refused for, in this world; anything else is a fault.
REFUSALS = {
    errors.CardNotHeld, errors.OfferNotCovered, errors.FriendNotFound, errors.TradeNotFound, errors.TradeAlreadyClosed,
    errors.TradeExpired, errors.TradeLimitReached, errors.LinkLimitReached, errors.ReceiverLimitReached,
    errors.TradeWithOneself, errors.StealLimitReached, errors.FriendLacksCard, errors.LastCardSpared, errors.NoDoubles,
    errors.KindHeld, accounts.FriendshipNotFound, accounts.FriendshipNotAsked,
}  # fmt: skip


class Crowd:
    """Eight players, and what they may do at random."""

    def __init__(self, season: Campaign, players: list[Player]) -> None:
        self.season, self.players = season, players

    def some_act(self, dice: random.Random) -> Callable[[], Any]:
        me, friend, other = dice.sample(self.players, 3)
        kind, wanted = dice.sample(KINDS, 2)
        season = self.season
        several: dict[str, Any] = dice.choice([{"to": [friend]}, {"to": [friend, other]}, {"everyone": True}])
        acts: list[tuple[int, Callable[[], Any]]] = [
            (4, partial(make.give, season, me, friend, [kind])),
            (4, partial(trades.request, season, me, kind, **several)),
            (4, partial(trades.offer, season, me, [kind], [wanted], **several)),
            (2, partial(trades.link_gift, season, me, kind)),
            (1, partial(trades.request, season, me, kind, link="qr")),
            (10, partial(self.answer, trades.accept, dice.random(), me)),
            (4, partial(self.answer, trades.decline, dice.random(), me)),
            (3, partial(self.withdraw, dice.random(), me)),
            (3, partial(self.follow, dice.random(), me)),
            (2, partial(trades.steal, season, me, friend, dice.choice([kind, None]))),
            (2, partial(trades.turn, season, me, kind)),
            (1, partial(trades.copy, season, me, friend, kind)),
            (1, partial(self.fall_out, me, friend)),
        ]
        weights = [weight for weight, _ in acts]
        act: Callable[[], Any] = dice.choices([act for _, act in acts], weights)[0]
        return act

    def answer(self, verb: Callable[..., Any], luck: float, me: Player) -> Any:
        """Accept or decline one of the newest trades: mostly one that they are asked by."""
        newest = Trade.objects.filter(campaign=self.season, expires_at__isnull=False)
        if luck < 0.9:
            newest = newest.filter(Q(recipient=me) | Q(addressees__player=me))
        found = newest.order_by("-id").values_list("public_id", flat=True)[:8]
        return verb(found[int(luck * 1000) % len(found)], me) if found else None

    def withdraw(self, luck: float, me: Player) -> Any:
        mine = Trade.objects.filter(campaign=self.season, proposer=me, expires_at__isnull=False).order_by("-id")
        found = mine.values_list("public_id", flat=True)[:6]
        return trades.cancel(found[int(luck * len(found))], me) if found else None

    def follow(self, luck: float, me: Player) -> Any:
        codes = ShareLink.objects.filter(campaign=self.season).order_by("-trade").values_list("code", flat=True)[:8]
        return trades.follow(codes[int(luck * len(codes))], me) if codes else None

    def fall_out(self, me: Player, friend: Player) -> None:
        """For a moment they are no friends."""
        friendships.end(by=me.pk, player=friend.public_id)
        friendships.ask(by=me.pk, player=friend.public_id)
        friendships.accept(by=friend.pk, player=me.public_id)


def test_a_thousand_random_trades_among_8_players_at_64_parallel(clock: Clock) -> None:
    season = make.TradingSeasonFactory.create(rules=RULES)
    players: list[Player] = PlayerFactory.create_batch(8)
    trades.befriend(*players)
    for number, player in enumerate(players):
        lacking = {KINDS[number % 5], KINDS[(number + 1) % 5]}
        make.deal(season, player, *[kind for kind in KINDS if kind not in lacking] * 6, *["wild", "steal", "copy"] * 4)
    crowd = Crowd(season, players)
    done: list[int] = []
    unexpected: list[Any] = []

    def acting(seed: int) -> Counter[str]:
        dice, came = random.Random(seed), Counter[str]()
        for _ in range(ACTS):
            try:
                came[type(patiently(crowd.some_act(dice))).__name__] += 1
            except DomainError as refusal:
                came[refusal.code] += 1
                if type(refusal) not in REFUSALS:
                    unexpected.append(refusal)
            done.append(seed)
        return came

    def passing() -> None:
        """Time, a stride for so many acts, and workers who close what is over."""
        for stride in range(1, STRIDES):
            until(lambda stride=stride: len(done) * STRIDES >= stride * THREADS * ACTS)
            clock.shift(timedelta(minutes=9))
            patiently(verbs.expire_due)

    *outcomes, passed = together(*(partial(acting, seed) for seed in range(THREADS)), passing)
    assert unexpected == []
    assert [outcome for outcome in (*outcomes, passed or Counter()) if not isinstance(outcome, Counter)] == []
    assert sum(outcomes, Counter[str]()).total() == THREADS * ACTS
    assert violations() == set()
    assert held(season) == dealt(season)
    # Enough has happened for all this to mean something.
    ends = Counter(Trade.objects.filter(campaign=season).values_list("state", flat=True))
    assert {"accepted", "declined", "cancelled", "expired"} <= set(ends)
    assert ends["accepted"] > 100
    assert set(Play.objects.filter(campaign=season).values_list("type", flat=True)) == {"steal", "wild", "copy"}


def held(season: Campaign) -> int:
    return sum(sum(hand.counts) + sum(hand.escrow) for hand in Hand.objects.filter(campaign=season))


def dealt(season: Campaign) -> int:
    """All cards there ever were, less those that were spent."""
    moved = Transfer.objects.filter(campaign=season)
    minted = Draw.objects.filter(campaign=season).count() + moved.filter(giver=None).count()
    return minted - moved.filter(receiver=None).count()
