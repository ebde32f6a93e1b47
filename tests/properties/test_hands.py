"""A stateful model of hands: a dictionary of counts in Python against the real database, step by step."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from accounts.models import Player
from cards import catalogue, errors
from cards.answers import Redemption
from cards.models import Hand
from fortunes.models import Event
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory

PER_CAMPAIGN = 6
people = st.integers(0, 2)
kinds = st.integers(0, 4)


class Hands(RuleBasedStateMachine):
    """alice, bob and charlie; alice is friends with both, bob and charlie are strangers."""

    @initialize()
    def begin(self) -> None:
        quotas = {"code": {"per_day": PER_CAMPAIGN, "per_campaign": PER_CAMPAIGN}}
        self.season = make.SeasonFactory.create(rulebook={"quotas": quotas})
        self.players: list[Player] = PlayerFactory.create_batch(3)
        FriendshipFactory.create(player=self.players[0], friend=self.players[1])
        FriendshipFactory.create(player=self.players[0], friend=self.players[2])
        self.slugs = catalogue.of(self.season.pk).kinds
        self.held: list[Counter[str]] = [Counter(), Counter(), Counter()]
        self.scans = [0, 0, 0]
        self.told: list[list[str]] = [[], [], []]
        self.done: list[tuple[int, str, str, Any]] = []

    @rule(who=people)
    def scan(self, who: int) -> None:
        text, key = make.code(self.season), f"k{len(self.done)}"
        outcome = make.redeem(self.season, self.players[who], text=text, key=key)
        if self.scans[who] == PER_CAMPAIGN:
            assert isinstance(outcome, errors.CampaignLimitReached)
            return
        assert isinstance(outcome, Redemption)
        self.scans[who] += 1
        self.held[who][outcome.draw.kind] += 1
        self.done.append((who, text, key, outcome))
        assert outcome.quota.left == PER_CAMPAIGN - self.scans[who]
        assert outcome.complete == all(self.held[who][slug] for slug in self.slugs)

    @rule(data=st.data())
    def scan_again(self, data: st.DataObject) -> None:
        if self.done:
            who, text, key, first = data.draw(st.sampled_from(self.done))
            assert make.redeem(self.season, self.players[who], text=text, key=key) == first

    @rule(who=people, to=people, kind=kinds, cards=st.integers(1, 2))
    def give(self, who: int, to: int, kind: int, cards: int) -> None:
        slug = self.slugs[kind]
        refusal = self.refusal(who, to, slug, cards)
        if refusal is not None:
            with pytest.raises(refusal):
                make.give(self.season, self.players[who], self.players[to], [slug] * cards)
            return
        make.give(self.season, self.players[who], self.players[to], [slug] * cards)
        self.held[who][slug] -= cards
        self.held[to][slug] += cards
        self.told[who].append("gift.sent")
        self.told[to].append("gift.received")

    def refusal(self, who: int, to: int, slug: str, cards: int) -> type[Exception] | None:
        if who == to:
            return errors.TradeWithOneself
        if 0 not in (who, to):
            return errors.FriendNotFound
        return errors.CardNotHeld if self.held[who][slug] < cards else None

    @invariant()
    def hands_are_as_the_model_says(self) -> None:
        rows = dict(Hand.objects.filter(campaign=self.season).values_list("player", "counts"))
        for player, held in zip(self.players, self.held, strict=True):
            counts = rows.get(player.pk, [0] * 5)
            assert dict(zip(self.slugs, counts, strict=True)) == {slug: held[slug] for slug in self.slugs}

    @invariant()
    def everybody_was_told_in_order(self) -> None:
        for player, told in zip(self.players, self.told, strict=True):
            rows = Event.objects.filter(player=player).order_by("seq").values_list("seq", "type")
            assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
            assert [name for _, name in rows if name.startswith("gift.")] == told


@pytest.mark.committed
def test_hands_follow_their_model() -> None:
    suppressed = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Hands,
        settings=settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=suppressed),
    )
