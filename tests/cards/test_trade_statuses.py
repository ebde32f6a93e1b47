"""What the SQL functions of trades answer where a season isn't there or not as it was remembered, and to whom it comes
that no view would let through. One connection."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.actions import erasure
from accounts.errors import TokenInvalid
from accounts.models import Player
from cards import asking, dealing, errors, trading
from cards.actions import trades
from cards.models import Trade
from fortunes import errors as ground
from fortunes import rulebooks, sql
from fortunes.models import Campaign, DatabaseNow, Rulebook
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

NOWHERE = 10**9


def change_rules(season: Campaign) -> None:
    """A second version is in force; this process still believes in the first."""
    assert rulebooks.believed(season.pk) == 1
    first = Rulebook.objects.get(campaign=season, version=1)
    Rulebook.objects.create(campaign=season, version=2, rules=first.rules, in_force_at=DatabaseNow())


def known(trade: Any, player: Player) -> dealing.Known:
    return dealing.find(public_id=trade.id, player_id=player.pk, campaign=None)


def status(statement: str, params: dict[str, Any]) -> str:
    said: str = sql.fetch_alone(sql.text("cards", statement), params)[0].status
    return said


def test_what_is_proposed_and_accepted_by_the_rules_of_yesterday_is_judged_by_those_of_today(
    season: Campaign, alice: Player, bob: Player
) -> None:
    make.deal(season, bob, "harmony")
    change_rules(season)
    asked = play.request(season, alice, "harmony", to=[bob]).trade
    assert Trade.objects.get(public_id=asked.id).rulebook_version == 2

    rulebooks._believed[season.pk] = 1
    assert play.accept(asked.id, bob).trade.state == "accepted"
    assert rulebooks.believed(season.pk) == 2


def test_before_the_opening(season: Campaign, alice: Player, bob: Player, clock: Clock) -> None:
    """Only the clock can be there again."""
    make.deal(season, alice, "harmony")
    asked = play.request(season, alice, "harmony", to=[bob]).trade
    gift = play.link_gift(season, alice, "harmony").trade
    clock.shift(timedelta(days=-1))
    for early in (
        lambda: play.request(season, alice, "harmony", to=[bob]),
        lambda: play.accept(asked.id, bob),
        lambda: play.decline(asked.id, bob),
        lambda: play.cancel(asked.id, alice),
        lambda: play.follow(gift.link.code, bob),
    ):
        with pytest.raises(ground.CampaignNotLive):
            early()


def test_a_link_after_the_deadline(season: Campaign, alice: Player, clock: Clock) -> None:
    stranger = PlayerFactory.create()
    asked = play.request(season, alice, "harmony", link="qr").trade
    clock.shift(timedelta(days=15))
    row = Trade.objects.get(public_id=asked.id)
    with pytest.raises(ground.CampaignFrozen):
        trades.accept_by_link(asked=make.asked(stranger, "link-acceptance", {}), trade_pk=row.pk, by=stranger)


def test_a_season_that_is_not_there(season: Campaign, alice: Player, bob: Player) -> None:
    key = make.asked(bob, "trades", {})
    audience = trading.Audience(to=(bob.public_id,))
    made = asking.Proposal(type="request", audience=audience, gives=[], takes=[0], note="")
    proposal = asking.proposal(key, season.pk, alice, made) | {"campaign": season.pk + NOWHERE}
    with pytest.raises(ground.CampaignNotFound):
        dealing.deal("propose", lambda: proposal, campaign_id=season.pk, newcomer=lambda _: alice.pk)


def test_a_trade_that_is_not_there(season: Campaign, alice: Player, bob: Player) -> None:
    asked = known(play.request(season, alice, "harmony", to=[bob]).trade, bob)
    key = make.asked(bob, "trades", {})
    acceptance = asking.acceptance(key, asked, bob, by_link=False) | {"trade": NOWHERE}
    closure = asking.closure(key, asked, bob, state="declined") | {"trade": NOWHERE}
    assert status("accept", acceptance) == "missing"
    assert status("lock_trade", acceptance) == "missing"
    assert status("decline", closure) == "missing"
    assert status("cancel", closure) == "missing"


def test_whoever_was_not_asked(season: Campaign, alice: Player, bob: Player) -> None:
    """The look without a lock has let them through: they were asked when it was made."""
    charlie, other = PlayerFactory.create_batch(2)
    play.befriend(alice, charlie)
    play.befriend(alice, other)
    make.deal(season, alice, "harmony")
    make.deal(season, charlie, "harmony")
    for trade in (
        play.request(season, alice, "harmony", to=[bob]).trade,
        play.request(season, alice, "harmony", to=[bob, other]).trade,
        play.link_gift(season, alice, "harmony").trade,
    ):
        row = known(trade, alice)
        key = make.asked(charlie, "trades", {})
        assert status("accept", asking.acceptance(key, row, charlie, by_link=False)) == "trade-not-found"
        assert status("decline", asking.closure(key, row, charlie, state="declined")) == "trade-not-found"
    assert make.held(season, charlie) == {"harmony": 1}


def test_a_claim_without_the_lock_that_comes_before_it(season: Campaign, alice: Player) -> None:
    """Whoever has no hand yet can't keep a key under it."""
    stranger = PlayerFactory.create()
    make.deal(season, alice, "harmony")
    gift = known(play.link_gift(season, alice, "harmony").trade, alice)
    key = make.asked(stranger, "link-acceptance", {})
    assert status("accept", asking.acceptance(key, gift, stranger, by_link=True)) == "no-hand"


def test_who_is_asked_to_try_again_every_time_comes_back_later(
    season: Campaign, alice: Player, bob: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts are counted, and used up at once here."""
    make.deal(season, alice, "harmony")
    gift = play.link_gift(season, alice, "harmony").trade
    row = Trade.objects.get(public_id=gift.id)
    monkeypatch.setattr(dealing, "ATTEMPTS", 0)
    with pytest.raises(ground.Busy):
        play.request(season, alice, "harmony", to=[bob])
    with pytest.raises(ground.Busy):
        trades.accept_by_link(asked=make.asked(bob, "link-acceptance", {}), trade_pk=row.pk, by=bob)


def test_facts_that_can_not_be_are_noticed() -> None:
    with pytest.raises(ValueError, match="neither made nor closed"):
        _ = dealing.Facts(trade=None, at=None, counts=[], escrow=[], version=0).made_at  # type: ignore[arg-type]


def test_an_expired_link_is_told_under_the_lock(season: Campaign, alice: Player, bob: Player, clock: Clock) -> None:
    asked = play.request(season, alice, "harmony", link="qr").trade
    row = Trade.objects.get(public_id=asked.id)
    clock.shift(timedelta(hours=24))
    with pytest.raises(errors.TradeExpired):
        trades.accept_by_link(asked=make.asked(bob, "link-acceptance", {}), trade_pk=row.pk, by=bob)


def test_a_player_who_was_erased_proposes_nothing(season: Campaign, alice: Player) -> None:
    """Their token is good for some minutes more."""
    make.deal(season, alice, "harmony")
    erasure.erase(player_id=alice.pk, by=alice.pk)
    with pytest.raises(TokenInvalid):
        play.link_gift(season, alice, "harmony")
