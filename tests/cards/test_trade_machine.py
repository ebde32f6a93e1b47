"""The state machine of trades against the real database: every verb is tried in every state, and does what the table
says or nothing at all. One connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import Player
from cards import errors, trading
from cards.actions import trades
from cards.models import Aftermath, Hand, Trade, Transfer
from fortunes import sql
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

LIFETIME = timedelta(hours=24)
Fields = dict[str, Any]


@dataclass
class Table:
    """Two friends at a trade."""

    season: Campaign
    alice: Player
    bob: Player
    clock: Clock
    fields: Fields
    trade: UUID

    def propose(self) -> UUID:
        to = {} if self.fields.get("everyone") or self.fields.get("link") else {"to": [self.bob]}
        return play.propose(self.season, self.alice, **self.fields, **to, key="proposed").trade.id

    def give(self) -> UUID:
        return make.give(self.season, self.alice, self.bob, ["harmony"], key="given").trade.id

    def accept(self) -> Any:
        if not self.fields.get("link"):
            return play.accept(self.trade, self.bob)
        row = Trade.objects.get(public_id=self.trade)
        asked = make.asked(self.bob, "link-acceptance", str(self.trade))
        return trades.accept_by_link(asked=asked, trade_pk=row.pk, by=self.bob)

    def decline(self) -> Any:
        return play.decline(self.trade, self.bob)

    def cancel(self) -> Any:
        return play.cancel(self.trade, self.alice)

    def expire(self) -> None:
        self.clock.shift(LIFETIME)
        trades.expire_due(budget_s=30)

    def void(self) -> None:
        """As if the rules had removed every kind; each time another version does."""
        row = Aftermath.objects.create(
            campaign=self.season, version=2 + Aftermath.objects.count(), state=Aftermath.State.VOID
        )
        params = {
            "aftermath": row.pk, "kinds": list(range(8)), "state": trading.after("open", "void"), "next": "done",
            "most_hands": 100, "most_trades": 100,
        }  # fmt: skip
        assert sql.fetch_alone(sql.text("cards", "void"), params)[0].status == "moved"

    def state(self) -> str:
        return Trade.objects.get(public_id=self.trade).state

    def cards(self) -> list[Any]:
        hands = Hand.objects.order_by("player").values_list("player", "counts", "escrow", "version", "completed_at")
        return [*hands, Transfer.objects.count(), Trade.objects.count()]


PROPOSALS: dict[str, Fields] = {
    "request": {"type_": "request", "takes": ["prosperity"]},
    "request of all": {"type_": "request", "takes": ["prosperity"], "everyone": True},
    "request by link": {"type_": "request", "takes": ["prosperity"], "link": "qr"},
    "swap": {"type_": "swap", "gives": ["harmony"], "takes": ["prosperity"]},
    "gift by link": {"type_": "gift", "gives": ["harmony"], "link": "wechat"},
}
# What no player does.
WORKERS = ("expire", "void")
AFTERWARDS = [verb for verb in trading.VERBS if ("open", verb) in trading.TRANSITIONS]


@pytest.fixture
def table(clock: Clock) -> Table:
    alice, bob = PlayerFactory.create_batch(2)
    play.befriend(alice, bob)
    season = make.TradingSeasonFactory.create()
    make.deal(season, alice, "harmony", "harmony")
    make.deal(season, bob, "prosperity", "prosperity")
    return Table(season, alice, bob, clock, {}, uuid4())


def impossible(fields: Fields, verb: str) -> bool:
    """Nobody in particular is asked by a link, so nobody can decline."""
    return verb == "decline" and "link" in fields


def test_the_table_is_closed() -> None:
    """Whatever is reached is a state of the model; whatever is final leads nowhere."""
    assert set(trading.STATES) == set(Trade.State.values)
    assert {before for before, _ in trading.TRANSITIONS} == {trading.NONE, "open"}
    assert set(trading.AUDIENCES) == set(Trade.Type.values)
    assert {kind for kinds in trading.AUDIENCES.values() for kind in kinds} == set(Trade.Audience.values)


@pytest.mark.parametrize("verb", trading.VERBS)
def test_before_a_trade_is_proposed(table: Table, verb: str) -> None:
    table.fields = PROPOSALS["request"]
    then = trading.TRANSITIONS.get((trading.NONE, verb))
    do: Callable[[], Any] = getattr(table, verb)
    if then is not None:
        table.trade = do()
        assert table.state() == then
    elif verb in WORKERS:
        do()
        assert not Trade.objects.exists()
    else:
        with pytest.raises(errors.TradeNotFound):
            do()
        assert not Trade.objects.exists()


@pytest.mark.parametrize("verb", AFTERWARDS)
@pytest.mark.parametrize("name", PROPOSALS)
def test_an_open_trade(table: Table, name: str, verb: str) -> None:
    table.fields = PROPOSALS[name]
    table.trade = table.propose()
    before = table.cards()
    if impossible(table.fields, verb):
        with pytest.raises(errors.TradeNotFound):
            getattr(table, verb)()
        assert (table.state(), table.cards()) == ("open", before)
        return
    getattr(table, verb)()
    assert table.state() == trading.after("open", verb)
    assert (Transfer.objects.count() > 0) == (verb == "accept")


@pytest.mark.parametrize("verb", trading.VERBS)
@pytest.mark.parametrize("first", AFTERWARDS)
@pytest.mark.parametrize("name", ["request", "swap", "gift by link"])
def test_a_closed_trade_stays_as_it_is(table: Table, name: str, first: str, verb: str) -> None:
    table.fields = PROPOSALS[name]
    if impossible(table.fields, first):
        return
    table.trade = table.propose()
    getattr(table, first)()
    state = table.state()
    assert (state, verb) not in trading.TRANSITIONS
    if verb == "give":
        table.give()
        assert table.state() == state
        return
    before = table.cards()
    if verb in ("propose", *WORKERS):
        # The same proposal is the same trade, whatever became of it; a worker finds nothing to do.
        getattr(table, verb)()
    else:
        refusal = errors.TradeNotFound if impossible(table.fields, verb) else errors.TradeAlreadyClosed
        with pytest.raises(refusal) as refused:
            getattr(table, verb)()
        assert refused.value.facts == ({"state": state} if refusal is errors.TradeAlreadyClosed else {})
    assert (table.state(), table.cards()) == (state, before)
