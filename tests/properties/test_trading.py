"""A stateful model of two to six players who trade at random, against the real database, step by step.

After every step hands, escrow, trades and all that each player was told are exactly what the model says, and no card is
lost or doubled. `TRADING_EXAMPLES` asks for a longer run than the suite's.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings
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
from cards.actions import aftermaths as following
from cards.actions import trades as verbs
from cards.models import Hand, Trade
from fortunes.errors import DomainError
from fortunes.models import Event
from tests.concurrency.trading import violations
from tests.factories import aftermaths, trades
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock
from tests.properties import rule_model
from tests.properties import trade_model as model

EXAMPLES = int(os.environ.get("TRADING_EXAMPLES", "20"))
STEPS = 40
# Never a whole day nor a lifetime after anything: the minutes that a slow machine takes decide nothing.
STRIDE_H = 9

RULES: dict[str, Any] = {
    "specials": ["wild", "steal", "copy"],
    "trading": {
        "open_trades": model.OPEN_TRADES, "open_links": model.OPEN_LINKS, "links_per_day": model.LINKS_PER_DAY,
        "lifetime_h": model.LIFETIME_H, "received_per_day": model.RECEIVED_PER_DAY,
    },
    "stealing": {
        "per_day": model.STEALS_PER_DAY, "per_pair_per_day": model.STEALS_PER_PAIR,
        "protection_h": model.PROTECTION_H, "spares_last": True,
    },
}  # fmt: skip

KINDS = (*model.FORTUNES, *model.SPECIALS)
people = st.integers(0, 5)
fortunes = st.sampled_from(model.FORTUNES)
kinds = st.sampled_from(KINDS)
# What a rule makes its choices with, where they depend on how the world is.
numbers = st.integers(0, 9_999)
hands_of_six = st.lists(st.lists(kinds, min_size=4, max_size=10), min_size=6, max_size=6)
TOLD = ("gift.", "trade.", "card.")
# What the model doesn't know.
UNTOLD = ("expires_at", "conversion")


class Trading(RuleBasedStateMachine):
    clock: ClassVar[Clock]
    came: ClassVar[Counter[str]] = Counter()

    @initialize(players=st.integers(2, 6), hands=hands_of_six)
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
        self.came[refusal or "done"] += 1
        if refusal is None:
            return verb()
        with pytest.raises(DomainError) as refused:
            verb()
        assert refused.value.code == refusal
        return None

    def who(self, number: int) -> int:
        return number % len(self.players)

    def friend_of(self, by: int, number: int) -> int:
        """Mostly a friend; sometimes a stranger or oneself."""
        friends = self.world.friends_of(by)
        return friends[number % len(friends)] if friends and number % 7 else self.who(number // 7)

    def cards_of(self, player: int, number: int, count: int) -> list[str]:
        """Mostly cards that the player holds."""
        held = sorted(self.world.hands[player].cards.elements())
        if len(held) < count or number % 7 == 0:
            held = list(KINDS)
        return [held[(number // 7 + place) % len(held)] for place in range(count)]

    # --- gifts and proposals

    @rule(giver=people, number=numbers, count=st.integers(1, 2))
    def give(self, giver: int, number: int, count: int) -> None:
        giver = self.who(giver)
        to, cards = self.friend_of(giver, number), self.cards_of(giver, number, count)
        refusal = self.world.why_not_give(giver, to, cards)
        answer = self.do(refusal, lambda: make.give(self.season, self.players[giver], self.players[to], cards))
        if answer:
            self.world.give(giver, to, cards, str(answer.trade.id))

    @rule(
        by=people, type_=st.sampled_from(["request", "swap"]), audience=st.sampled_from(["one", "several", "all"]),
        number=numbers, counts=st.tuples(st.integers(1, 2), st.integers(1, 2)), note=st.sampled_from(["", "please"]),
    )  # fmt: skip
    def ask(self, by: int, type_: str, audience: str, number: int, counts: tuple[int, int], note: str) -> None:
        by = self.who(by)
        friend = self.friend_of(by, number)
        gives = self.cards_of(by, number, counts[0]) if type_ == "swap" else []
        takes = self.cards_of(friend, number, counts[1])
        others = [self.friend_of(by, number + 1), self.friend_of(by, number + 2)] if audience == "several" else []
        to = None if audience == "all" else list(dict.fromkeys([friend, *others]))
        self.propose(by, type_, to, gives, takes, note)

    @rule(by=people, type_=st.sampled_from(["gift", "gift", "request"]), number=numbers)
    def spread(self, by: int, type_: str, number: int) -> None:
        by = self.who(by)
        cards = self.cards_of(by, number, 1)
        self.propose(by, type_, [], cards if type_ == "gift" else [], [] if type_ == "gift" else cards, "")

    def propose(self, by: int, type_: str, to: list[int] | None, gives: list[str], takes: list[str], note: str) -> None:
        """To these friends, to all (None), or by a link (nobody)."""
        audience = "link" if to == [] else "one" if to and len(to) == 1 else "some"
        given: dict[str, Any] = {"everyone": True} if to is None else {"to": [self.players[p] for p in to]}
        given = {"link": "wechat"} if audience == "link" else given
        answer = self.do(
            self.world.why_not_propose(by, audience, to, gives, takes),
            lambda: trades.propose(self.season, self.players[by], type_, gives=gives, takes=takes, note=note, **given),
        )
        if answer:
            trade = str(answer.trade.id)
            self.world.propose(by, type_, audience, to, gives, takes, trade, has_note=bool(note))
            if answer.trade.link:
                self.codes[trade] = answer.trade.link.code

    # --- answers

    def some_trade(self, number: int, *, link: bool = False) -> model.Trade | None:
        """One of the newest that were proposed, mostly an open one."""
        known = [trade for trade in self.world.trades if (trade.audience == "link") is link]
        still_open = [trade for trade in known if trade.state == "open"]
        known = still_open if still_open and number % 7 else known
        return known[-1 - number // 7 % min(len(known), 8)] if known else None

    def answering(self, trade: model.Trade, number: int) -> int:
        """Mostly one of those who are asked."""
        return trade.asked[number % len(trade.asked)] if trade.asked and number % 5 else self.who(number)

    @rule(number=numbers, link=st.sampled_from([False, False, False, True]))
    def accept(self, number: int, link: bool) -> None:
        if trade := self.some_trade(number, link=link):
            by = self.answering(trade, number)
            refusal = self.world.why_not_accept(trade, by)
            if self.do(refusal, lambda: trades.accept(UUID(trade.id), self.players[by])):
                self.world.accept(trade, by)

    @rule(number=numbers)
    def follow(self, number: int) -> None:
        if trade := self.some_trade(number, link=True):
            by = self.who(number // 7)
            refusal = self.world.why_not_follow(trade, by)
            if self.do(refusal, lambda: trades.follow(self.codes[trade.id], self.players[by])):
                self.world.accept(trade, by)

    @rule(number=numbers, link=st.sampled_from([False, False, False, True]))
    def decline(self, number: int, link: bool) -> None:
        if trade := self.some_trade(number, link=link):
            by = self.answering(trade, number)
            refusal = self.world.why_not_decline(trade, by)
            if self.do(refusal, lambda: trades.decline(UUID(trade.id), self.players[by])):
                self.world.decline(trade, by)

    @rule(number=numbers, link=st.booleans())
    def cancel(self, number: int, link: bool) -> None:
        if trade := self.some_trade(number, link=link):
            by = trade.proposer if number % 5 else self.who(number)
            refusal = self.world.why_not_cancel(trade, by)
            if self.do(refusal, lambda: trades.cancel(UUID(trade.id), self.players[by])):
                self.world.cancel(trade)

    # --- special cards

    @rule(by=people, number=numbers, chosen=st.booleans())
    def steal(self, by: int, number: int, chosen: bool) -> None:
        by = self.who(by)
        friend = self.friend_of(by, number)
        doubles = self.world.doubles(friend)
        kind = model.FORTUNES[number % 5] if chosen else None
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

    @rule(by=people, number=numbers, kind=fortunes)
    def copy(self, by: int, number: int, kind: str) -> None:
        by = self.who(by)
        friend = self.friend_of(by, number)
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
    @rule(number=numbers)
    def freeze(self, number: int) -> None:
        """Rarely, since nothing moves after it."""
        if number % 20 == 0:
            self.clock.shift(timedelta(hours=model.SEASON_H))
            self.world.pass_time(model.SEASON_H)

    @rule(by=people, number=numbers)
    def fall_out(self, by: int, number: int) -> None:
        """Two are friends no more, or one blocks the other; or that is over."""
        by, friend = self.who(by), self.who(number)
        if by == friend or number % 3:
            return
        me, other = self.players[by], self.players[friend]
        pair = frozenset((by, friend))
        if (by, friend) in self.world.blocks:
            friendships.unblock(by=me.pk, player=other.public_id)
            self.world.blocks.remove((by, friend))
        elif number % 2:
            friendships.block(by=me.pk, player=other.public_id)
            self.world.blocks.add((by, friend))
            self.world.friends.discard(pair)
        elif pair in self.world.friends:
            friendships.end(by=me.pk, player=other.public_id)
            self.world.friends.remove(pair)
        elif (friend, by) not in self.world.blocks:
            friendships.ask(by=me.pk, player=other.public_id)
            friendships.accept(by=other.pk, player=me.public_id)
            self.world.friends.add(pair)

    @rule(specials=st.sets(st.sampled_from(model.SPECIALS), min_size=1), wilds_fill=st.booleans())
    def change_rules(self, specials: set[str], wilds_fill: bool) -> None:
        promising = {
            role: {"into": into, "amount_fen": rule_model.FEN if into == "fen" else None}
            for role, into in rule_model.change(self.world, specials, wilds_fill=wilds_fill).items()
        }
        aftermaths.change(self.season, {"specials": sorted(specials), "wilds_fill": wilds_fill}, promising)

    @rule()
    def follow_rules(self) -> None:
        """After the deadline too: nobody has frozen the season."""
        aftermaths.follow(self.season)
        rule_model.follow(self.world)

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
            news = [(row.type, {key: row.data[key] for key in row.data if key not in UNTOLD}) for row in rows]
            assert [item for item in news if item[0].startswith(TOLD)] == told
            assert [row.seq for row in rows] == list(range(self.read[number] + 1, self.read[number] + len(rows) + 1))
            self.read[number] += len(rows)
            told.clear()


@pytest.mark.committed
def test_trades_follow_their_model(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    Trading.clock = clock
    # All in one transaction, so that everybody hears of them in their order.
    monkeypatch.setattr(following, "MOST_TRADES", 1_000)
    asked = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        phases=[Phase.generate],
    )
    # Else the model could agree with a database in which nothing ever happens. Some runs are short, or mostly refusals.
    while Trading.came["done"] <= EXAMPLES * STEPS / 10:
        before = Trading.came["done"]
        run_state_machine_as_test(Trading, settings=asked)
        assert Trading.came["done"] > before
