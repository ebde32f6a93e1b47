"""Trades whose time has passed: a worker closes them chunk by chunk, and before that every verb is refused."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg
import pytest

from accounts.actions import erasure, friendships
from accounts.models import Player
from cards import errors, tasks
from cards.actions import trades
from cards.models import Hand, Trade
from fortunes import clock as clocks
from fortunes.models import Campaign, Event
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(season: Campaign) -> Player:
    alice = PlayerFactory.create()
    make.deal(season, alice, *["harmony"] * 3)
    return alice


@pytest.fixture
def bob(season: Campaign, alice: Player) -> Player:
    bob = PlayerFactory.create()
    play.befriend(alice, bob)
    make.deal(season, bob, "prosperity")
    return bob


def states() -> list[str]:
    return list(Trade.objects.order_by("pk").values_list("state", flat=True))


def closed(player: Player) -> list[dict]:
    return list(Event.objects.filter(player=player, type="trade.closed").order_by("seq").values_list("data", flat=True))


def test_a_trade_lasts_a_day(season: Campaign, alice: Player, bob: Player) -> None:
    asked = play.request(season, alice, "prosperity", to=[bob]).trade
    trade = Trade.objects.get(public_id=asked.id)
    assert trade.expires_at == trade.created_at + timedelta(hours=24)
    assert asked.expires_at == trade.expires_at.isoformat().replace("+00:00", "Z")


def test_a_rulebook_says_how_long(bob: Player) -> None:
    season = make.TradingSeasonFactory.create(rules={"trading": {"lifetime_h": 2}})
    alice = PlayerFactory.create()
    play.befriend(alice, bob)
    trade = Trade.objects.get(public_id=play.request(season, alice, "prosperity", to=[bob]).trade.id)
    assert trade.expires_at == trade.created_at + timedelta(hours=2)


def test_no_trade_outlives_the_season() -> None:
    season = make.TradingSeasonFactory.create(closes_at=clocks.now() + timedelta(hours=5))
    alice, bob = PlayerFactory.create_batch(2)
    play.befriend(alice, bob)
    trade = Trade.objects.get(public_id=play.request(season, alice, "prosperity", to=[bob]).trade.id)
    assert trade.expires_at == season.closes_at


def test_what_is_not_due_is_left_alone(season: Campaign, alice: Player, bob: Player, clock: Clock) -> None:
    play.request(season, alice, "prosperity", to=[bob])
    clock.shift(timedelta(hours=23, minutes=59))
    assert trades.expire_due() == 0
    assert states() == ["open"]


def test_a_gift_by_link_returns_and_its_giver_is_told(
    season: Campaign, alice: Player, bob: Player, clock: Clock
) -> None:
    one, other = (play.link_gift(season, alice, "harmony").trade for _ in range(2))
    play.request(season, alice, "prosperity", to=[bob])
    clock.shift(timedelta(hours=24))
    tasks.expire_trades()

    assert states() == ["expired"] * 3
    hand = Hand.objects.get(player=alice)
    assert make.held(season, alice) == {"harmony": 3} and set(hand.escrow) == {0}
    told = closed(alice)
    # Both gifts of one hand come back with one step of its version.
    versions = {data["trade"]: data["hand_version"] for data in told}
    assert versions.pop(str(one.id)) == versions.pop(str(other.id)) == hand.version
    assert list(versions.values()) == [None]
    assert {(data["state"], data["by"]) for data in told} == {("expired", None)}


def test_all_who_were_asked_and_have_not_declined_are_told(
    season: Campaign, alice: Player, bob: Player, clock: Clock
) -> None:
    charlie, dave = PlayerFactory.create_batch(2)
    play.befriend(alice, charlie)
    play.befriend(alice, dave)
    asked = play.request(season, alice, "prosperity", to=[bob, charlie]).trade
    play.decline(asked.id, charlie)
    clock.shift(timedelta(hours=24))
    assert trades.expire_due() == 1

    told = {"trade": str(asked.id), "state": "expired", "by": None, "hand_version": None}
    assert closed(bob) == closed(alice) == [told]
    assert [data["state"] for data in closed(charlie)] == ["declined"]
    assert closed(dave) == []
    assert trades.expire_due() == 0


def test_every_verb_comes_too_late_before_the_worker_does(
    season: Campaign, alice: Player, bob: Player, clock: Clock
) -> None:
    offered = play.offer(season, alice, ["harmony"], ["prosperity"], to=[bob]).trade
    gift = play.link_gift(season, alice, "harmony").trade
    clock.shift(timedelta(hours=24))

    for verb, trade, by in (
        (play.accept, offered, bob),
        (play.decline, offered, bob),
        (play.cancel, offered, alice),
        (play.cancel, gift, alice),
    ):
        with pytest.raises(errors.TradeExpired):
            verb(trade.id, by)
    assert gift.link is not None
    with pytest.raises(errors.TradeExpired):
        trades.accept_by_link(
            asked=make.asked(bob, "link-acceptance", {}), trade_pk=Trade.objects.get(public_id=gift.id).pk, by=bob
        )
    assert states() == ["open", "open"]


def test_an_overdue_trade_takes_no_place(alice: Player, bob: Player, clock: Clock) -> None:
    season = make.TradingSeasonFactory.create(rules={"trading": {"open_trades": 1}})
    play.request(season, alice, "prosperity", to=[bob])
    clock.shift(timedelta(hours=24))
    assert play.request(season, alice, "prosperity", to=[bob]).trade.state == "open"


def test_after_the_freeze_nothing_is_touched(season: Campaign, alice: Player, bob: Player, clock: Clock) -> None:
    play.link_gift(season, alice, "harmony")
    clock.shift(timedelta(days=15))

    assert trades.expire_due() == 0
    assert states() == ["open"]
    assert sum(Hand.objects.get(player=alice).escrow) == 1


def test_a_freeze_between_the_look_and_the_gate(
    season: Campaign, alice: Player, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A campaign that was live a moment ago: the function judges by itself."""
    play.link_gift(season, alice, "harmony")
    clock.shift(timedelta(days=15))
    monkeypatch.setattr(trades, "_live_with_due", lambda: [season.pk])
    assert trades.expire_due() == 0
    assert states() == ["open"]


def test_many_are_closed_chunk_by_chunk(
    season: Campaign, alice: Player, bob: Player, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trades, "MOST_EXPIRED", 2)
    for _ in range(5):
        play.request(season, alice, "prosperity", to=[bob])
    clock.shift(timedelta(hours=24))
    # Cut short, it has done one chunk; the next ring goes on.
    assert trades.expire_due(budget_s=0) == 2
    assert states().count("open") == 3
    assert trades.expire_due() == 3
    assert len(closed(bob)) == 5


def test_what_an_erased_or_former_friend_has_left_returns_all_the_same(
    season: Campaign, alice: Player, bob: Player, clock: Clock
) -> None:
    play.link_gift(season, alice, "harmony")
    play.request(season, bob, "harmony", to=[alice])
    friendships.end(by=alice.pk, player=bob.public_id)
    erasure.erase(player_id=alice.pk, by=alice.pk)
    clock.shift(timedelta(hours=24))
    trades.expire_due()

    assert "open" not in states()
    assert make.held(season, alice) == {"harmony": 3}


def test_instants_of_events_are_written_as_answers_write_them(owner_connection: psycopg.Connection) -> None:
    for text in ("2026-11-22T07:30:00Z", "2026-11-22T07:30:00.120000Z", "2026-11-22T07:30:00.000001Z"):
        at = datetime.fromisoformat(text)
        (written,) = owner_connection.execute("SELECT cards_instant(%s)", [at]).fetchone()
        assert written == text == at.isoformat().replace("+00:00", "Z")
