"""A stateful model of two to six players who trade at random, against the real database, step by step.

After every step hands, escrow, trades and all that each player was told are exactly what the model says, and no card is
lost or doubled. `TRADING_EXAMPLES` asks for a longer run than the suite's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.actions import friendships
from accounts.models import Player
from cards import catalogue
from cards.actions import trades as verbs
from cards.models import Hand, Trade
from fortunes.errors import DomainError
from fortunes.models import Event, Rulebook
from tests.concurrency.trading import violations
from tests.factories import cards as make
from tests.factories import trades
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock
from tests.properties import trade_model as model

EXAMPLES = int(os.environ.get("TRADING_EXAMPLES", "12"))
STEPS = 40
# Never a whole day nor a lifetime after anything: the minutes that a slow machine takes decide nothing.
STRIDE_H = 9

RULES: dict[str, Any] = {
    "specials": ["wild", "copy"],
    "trading": {
        "open_trades": model.OPEN_TRADES, "open_links": model.OPEN_LINKS, "links_per_day": model.LINKS_PER_DAY,
        "lifetime_h": model.LIFETIME_H, "received_per_day": model.RECEIVED_PER_DAY,
    },
    "stealing": {
        "per_day": model.STEALS_PER_DAY, "per_pair_per_day": model.STEALS_PER_PAIR,
        "protection_h": model.PROTECTION_H, "spares_last": True,
    },
}  # fmt: skip

people = st.integers(0, 5)
fortunes = st.sampled_from(model.FORTUNES)
kinds = st.sampled_from((*model.FORTUNES, *model.SPECIALS))
some_kinds = st.lists(kinds, min_size=1, max_size=2)
luck = st.integers(0, 99)
TOLD = ("gift.", "trade.", "card.")


class Trading(RuleBasedStateMachine):
    clock: ClassVar[Clock]

    @initialize(players=st.integers(2, 6), hands=st.lists(st.lists(kinds, max_size=9), min_size=6, max_size=6))
    def begin(self, players: int, hands: list[list[str]]) -> None:
        now = self.clock.now().astimezone(ZoneInfo("Asia/Shanghai"))
        noon = now.replace(hour=12, minute=30, second=0, microsecond=0) + timedelta(days=1)
        self.clock.move_to(noon)
        self.season = make.TradingSeasonFactory.create(opens_at=noon, rules=RULES)
        self.players: list[Player] = PlayerFactory.create_batch(players)
        trades.befriend(*self.players)
        self.numbers = {player.pk: number for number, player in enumerate(self.players)}
        self.world = model.World([str(player.public_id) for player in self.players], RULES["specials"])
        self.codes: dict[str, str] = {}
        self.read = [0] * players
        for number, dealt in enumerate(hands[:players]):
            make.deal(self.season, self.players[number], *dealt)
            for kind in dealt:
                self.world.deal(number, kind)

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                assert violations() == set()
        finally:
            self.clock.restore()

    def do(self, refusal: str | None, verb: Callable[[], Any]) -> Any:
        """The verb's answer, or None where the model knows why it is refused."""
        if refusal is None:
            return verb()
        with pytest.raises(DomainError) as refused:
            verb()
        assert refused.value.code == refusal
        return None

    def who(self, number: int) -> int:
        return number % len(self.players)

    # --- gifts and proposals

    @rule(giver=people, to=people, cards=some_kinds)
    def give(self, giver: int, to: int, cards: list[str]) -> None:
        giver, to = self.who(giver), self.who(to)
        refusal = self.world.why_not_give(giver, to, cards)
        answer = self.do(refusal, lambda: make.give(self.season, self.players[giver], self.players[to], cards))
        if answer:
            self.world.give(giver, to, cards, str(answer.trade.id))

    @rule(
        by=people, type_=st.sampled_from(["request", "swap", "gift"]),
        to=st.one_of(st.none(), st.lists(people, min_size=1, max_size=3), st.just([])),
        gives=some_kinds, takes=some_kinds, note=st.sampled_from(["", "please"]),
    )  # fmt: skip
    def propose(self, by: int, type_: str, to: list[int] | None, gives: list[str], takes: list[str], note: str) -> None:
        by = self.who(by)
        friends = None if to is None else list(dict.fromkeys(self.who(friend) for friend in to))
        if type_ == "gift":
            friends = []
        elif type_ == "swap" and friends == []:
            friends = None
        audience = "link" if friends == [] else "one" if friends and len(friends) == 1 else "some"
        gives, takes = ([] if type_ == "request" else gives), ([] if type_ == "gift" else takes)
        given: dict[str, Any] = {"everyone": True} if friends is None else {"to": [self.players[p] for p in friends]}
        given = {"link": "wechat"} if audience == "link" else given
        answer = self.do(
            self.world.why_not_propose(by, audience, friends, gives),
            lambda: trades.propose(self.season, self.players[by], type_, gives=gives, takes=takes, note=note, **given),
        )
        if answer:
            trade = str(answer.trade.id)
            self.world.propose(by, type_, audience, friends, gives, takes, trade, has_note=bool(note))
            if answer.trade.link:
                self.codes[trade] = answer.trade.link.code

    # --- answers

    def some_trade(self, luck: int, *, link: bool | None = None) -> model.Trade | None:
        """One of the newest that were proposed."""
        known = [trade for trade in self.world.trades if link is None or (trade.audience == "link") is link]
        return known[-1 - luck % min(len(known), 6)] if known else None

    def answering(self, trade: model.Trade, by: int) -> int:
        """Mostly one of those who are asked."""
        return trade.asked[by % len(trade.asked)] if trade.asked and by < 5 else self.who(by)

    @rule(luck=luck, by=people)
    def accept(self, luck: int, by: int) -> None:
        if trade := self.some_trade(luck):
            by = self.answering(trade, by)
            refusal = self.world.why_not_accept(trade, by)
            if self.do(refusal, lambda: trades.accept(trade.id, self.players[by])):  # type: ignore[arg-type]
                self.world.accept(trade, by)

    @rule(luck=luck, by=people)
    def follow(self, luck: int, by: int) -> None:
        if trade := self.some_trade(luck, link=True):
            by = self.who(by)
            refusal = self.world.why_not_follow(trade, by)
            if self.do(refusal, lambda: trades.follow(self.codes[trade.id], self.players[by])):
                self.world.accept(trade, by)

    @rule(luck=luck, by=people)
    def decline(self, luck: int, by: int) -> None:
        if trade := self.some_trade(luck):
            by = self.answering(trade, by)
            refusal = self.world.why_not_decline(trade, by)
            if self.do(refusal, lambda: trades.decline(trade.id, self.players[by])):  # type: ignore[arg-type]
                self.world.decline(trade, by)

    @rule(luck=luck, by=people)
    def cancel(self, luck: int, by: int) -> None:
        if trade := self.some_trade(luck):
            by = trade.proposer if by < 4 else self.who(by)
            refusal = self.world.why_not_cancel(trade, by)
            if self.do(refusal, lambda: trades.cancel(trade.id, self.players[by])):  # type: ignore[arg-type]
                self.world.cancel(trade)

    # --- special cards

    @rule(by=people, friend=people, kind=st.one_of(st.none(), fortunes))
    def steal(self, by: int, friend: int, kind: str | None) -> None:
        by, friend = self.who(by), self.who(friend)
        doubles = self.world.doubles(friend)
        answer = self.do(
            self.world.why_not_play("steal", by, friend, kind),
            lambda: trades.steal(self.season, self.players[by], self.players[friend], kind),
        )
        if answer:
            assert answer.play.kind in (doubles if kind is None else [kind])
            self.world.play("steal", by, friend, answer.play.kind, str(answer.play.id))

    @rule(by=people, kind=fortunes)
    def turn(self, by: int, kind: str) -> None:
        by = self.who(by)
        refusal = self.world.why_not_play("wild", by, None, kind)
        if answer := self.do(refusal, lambda: trades.turn(self.season, self.players[by], kind)):
            self.world.play("wild", by, None, kind, str(answer.play.id))

    @rule(by=people, friend=people, kind=fortunes)
    def copy(self, by: int, friend: int, kind: str) -> None:
        by, friend = self.who(by), self.who(friend)
        refusal = self.world.why_not_play("copy", by, friend, kind)
        answer = self.do(refusal, lambda: trades.copy(self.season, self.players[by], self.players[friend], kind))
        if answer:
            self.world.play("copy", by, friend, kind, str(answer.play.id))

    # --- the world around

    @precondition(lambda self: not self.world.frozen)
    @rule(to=people, kind=kinds)
    def deal(self, to: int, kind: str) -> None:
        make.deal(self.season, self.players[self.who(to)], kind)
        self.world.deal(self.who(to), kind)

    @rule()
    def pass_time(self) -> None:
        self.clock.shift(timedelta(hours=STRIDE_H))
        self.world.pass_time(STRIDE_H)

    @rule()
    def sweep(self) -> None:
        verbs.expire_due()
        self.world.sweep()

    @precondition(lambda self: len(self.world.trades) > 8)
    @rule(luck=luck)
    def freeze(self, luck: int) -> None:
        """Rarely, since nothing moves after it."""
        if luck == 0:
            days = timedelta(days=14)
            self.clock.shift(days)
            self.world.pass_time(14 * 24)

    @rule(by=people, friend=people)
    def fall_out_or_make_up(self, by: int, friend: int) -> None:
        by, friend = self.who(by), self.who(friend)
        pair = frozenset((by, friend))
        if by == friend or {(by, friend), (friend, by)} & self.world.blocks:
            return
        me, other = self.players[by], self.players[friend]
        if pair in self.world.friends:
            friendships.end(by=me.pk, player=other.public_id)
            self.world.friends.remove(pair)
        else:
            friendships.ask(by=me.pk, player=other.public_id)
            friendships.accept(by=other.pk, player=me.public_id)
            self.world.friends.add(pair)

    @rule(by=people, friend=people)
    def block_or_unblock(self, by: int, friend: int) -> None:
        by, friend = self.who(by), self.who(friend)
        if by == friend:
            return
        me, other = self.players[by], self.players[friend]
        if (by, friend) in self.world.blocks:
            friendships.unblock(by=me.pk, player=other.public_id)
            self.world.blocks.remove((by, friend))
        else:
            friendships.block(by=me.pk, player=other.public_id)
            self.world.blocks.add((by, friend))
            self.world.friends.discard(frozenset((by, friend)))

    @rule(specials=st.sets(st.sampled_from(model.SPECIALS)), wilds_fill=st.booleans())
    def change_rules(self, specials: set[str], wilds_fill: bool) -> None:
        latest = Rulebook.objects.filter(campaign=self.season).order_by("-version")[0]
        rules = latest.rules | {"specials": sorted(specials), "wilds_fill": wilds_fill}
        Rulebook.objects.create(
            campaign=self.season, version=latest.version + 1, rules=rules, reason=Rulebook.Reason.VOTE
        )
        self.world.specials, self.world.wilds_fill = specials, wilds_fill

    # --- what has to be true after every step

    @invariant()
    def hands_are_as_the_model_says(self) -> None:
        slugs = catalogue.of(self.season.pk).kinds
        rows = {self.numbers[hand.player_id]: hand for hand in Hand.objects.filter(campaign=self.season)}
        for number, known in enumerate(self.world.hands):
            row = rows.get(number)
            if row is None:
                assert known.version == 0
                continue
            assert dict(zip(slugs, row.counts, strict=True)) == {slug: known.cards[slug] for slug in slugs}
            assert dict(zip(slugs, row.escrow, strict=True)) == {slug: known.escrow[slug] for slug in slugs}
            assert (row.version, row.fed_today) == (known.version, known.fed)
            assert (row.completed_at is not None) == known.complete

    @invariant()
    def no_card_is_lost_or_doubled(self) -> None:
        rows = Hand.objects.filter(campaign=self.season).values_list("counts", "escrow")
        held = sum(sum(counts) + sum(escrow) for counts, escrow in rows)
        assert held == self.world.total() == self.world.minted - self.world.spent

    @invariant()
    def trades_are_as_the_model_says(self) -> None:
        rows = Trade.objects.filter(campaign=self.season).order_by("id")
        known = [(trade.id, trade.state, trade.recipient) for trade in self.world.trades]
        assert known == [
            (str(trade.public_id), trade.state, self.numbers.get(trade.recipient_id or 0)) for trade in rows
        ]

    @invariant()
    def everybody_was_told_exactly_this(self) -> None:
        for number, told in enumerate(self.world.told):
            rows = Event.objects.filter(player=self.players[number], seq__gt=self.read[number]).order_by("seq")
            news = [(row.type, {key: row.data[key] for key in row.data if key != "expires_at"}) for row in rows]
            assert [item for item in news if item[0].startswith(TOLD)] == told
            assert [row.seq for row in rows] == list(range(self.read[number] + 1, self.read[number] + len(rows) + 1))
            self.read[number] += len(rows)
            told.clear()


@pytest.mark.committed
def test_trades_follow_their_model(clock: Clock) -> None:
    Trading.clock = clock
    suppressed = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Trading,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=suppressed
        ),
    )
