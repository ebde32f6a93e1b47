"""The limits of trades: open ones, links, what one player is given in a day, new accounts. One connection."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Player
from cards import errors
from cards.actions import trades
from cards.models import Hand, Trade
from fortunes.answers import instant
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


def season(**trading: int) -> Campaign:
    return make.TradingSeasonFactory.create(rules={"trading": trading})


def claim(trade: Any, by: Player) -> Any:
    asked = make.asked(by, "link-acceptance", {"trade": str(trade.id)})
    return trades.accept_by_link(asked=asked, trade_pk=Trade.objects.get(public_id=trade.id).pk, by=by)


class TestOpenTrades:
    def test_so_many_are_open_at_a_time(self, alice: Player, bob: Player) -> None:
        game = season(open_trades=2)
        make.deal(game, alice, "harmony", "harmony")
        one = play.request(game, alice, "prosperity", to=[bob]).trade
        play.link_gift(game, alice, "harmony")
        for propose in (
            lambda: play.request(game, alice, "prosperity", everyone=True),
            lambda: play.link_gift(game, alice, "harmony"),
            lambda: play.offer(game, alice, ["harmony"], ["prosperity"], to=[bob]),
        ):
            with pytest.raises(errors.TradeLimitReached) as refused:
                propose()
            assert refused.value.facts == {"limit": 2}
        assert Hand.objects.get(player=alice).counts[2] == 1

        play.cancel(one.id, alice)
        play.offer(game, alice, ["harmony"], ["prosperity"], to=[bob])

    def test_so_many_are_proposed_in_a_day_whatever_became_of_them(
        self, alice: Player, bob: Player, clock: Clock
    ) -> None:
        """Each proposal and each end of one is an event for all who are asked."""
        game = season(proposals_per_day=3)
        make.deal(game, alice, "harmony", "harmony")
        for _ in range(2):
            play.cancel(play.request(game, alice, "prosperity", everyone=True).trade.id, alice)
        play.decline(play.offer(game, alice, ["harmony"], ["prosperity"], to=[bob]).trade.id, bob)
        make.give(game, alice, bob, ["harmony"])
        for propose in (
            lambda: play.request(game, alice, "prosperity", everyone=True),
            lambda: play.link_gift(game, alice, "harmony"),
        ):
            with pytest.raises(errors.TradeLimitReached) as refused:
                propose()
            assert refused.value.facts == {"limit": 3}
        make.give(game, alice, bob, ["harmony"])

        clock.shift(timedelta(hours=24))
        play.request(game, alice, "prosperity", everyone=True)

    def test_gifts_to_friends_are_never_open(self, alice: Player, bob: Player) -> None:
        game = season(open_trades=0)
        make.deal(game, alice, "harmony")
        make.give(game, alice, bob, ["harmony"])

    def test_what_others_have_open_is_theirs(self, alice: Player, bob: Player) -> None:
        game = season(open_trades=1)
        play.request(game, alice, "prosperity", to=[bob])
        play.request(game, bob, "prosperity", to=[alice])

    def test_each_campaign_has_its_own(self, alice: Player, bob: Player) -> None:
        for game in (season(open_trades=1), season(open_trades=1)):
            play.request(game, alice, "prosperity", to=[bob])


class TestLinks:
    def test_so_many_are_open_at_a_time(self, alice: Player, bob: Player) -> None:
        game = season(open_links=1)
        link = play.request(game, alice, "prosperity", link="qr").trade
        with pytest.raises(errors.LinkLimitReached) as refused:
            play.request(game, alice, "prosperity", link="weibo")
        assert refused.value.facts == {"limit": 1}
        play.request(game, alice, "prosperity", to=[bob])
        play.cancel(link.id, alice)
        play.request(game, alice, "prosperity", link="weibo")

    def test_so_many_are_made_in_a_day_whatever_became_of_them(self, alice: Player, clock: Clock) -> None:
        game = season(links_per_day=2)
        for _ in range(2):
            play.cancel(play.request(game, alice, "prosperity", link="qr").trade.id, alice)
        with pytest.raises(errors.LinkLimitReached) as refused:
            play.request(game, alice, "prosperity", link="qr")
        assert refused.value.facts == {"limit": 2}

        clock.shift(timedelta(hours=24))
        play.request(game, alice, "prosperity", link="qr")


class TestReceived:
    def test_so_many_cards_are_given_to_one_player_in_a_day(self, alice: Player, bob: Player, clock: Clock) -> None:
        """By gift, by link, and in answer to a request, from whomever."""
        game = season(received_per_day=3)
        charlie = PlayerFactory.create()
        play.befriend(alice, charlie)
        for giver in (bob, charlie):
            make.deal(game, giver, *["harmony"] * 4)
        make.give(game, bob, alice, ["harmony"])
        claim(play.link_gift(game, charlie, "harmony").trade, alice)
        asked = play.request(game, alice, "harmony", "harmony", to=[bob]).trade
        with pytest.raises(errors.ReceiverLimitReached):
            play.accept(asked.id, bob)
        play.accept(play.request(game, alice, "harmony", to=[bob]).trade.id, bob)

        last = play.link_gift(game, charlie, "harmony").trade
        for receive in (
            lambda: make.give(game, bob, alice, ["harmony"]),
            lambda: claim(last, alice),
            lambda: play.accept(asked.id, bob),
        ):
            with pytest.raises(errors.ReceiverLimitReached):
                receive()
        assert make.held(game, alice) == {"harmony": 3}
        hand = Hand.objects.get(campaign=game, player=alice)
        assert hand.fed_today == 3

        clock.shift(timedelta(hours=24))
        make.give(game, bob, alice, ["harmony"])
        hand.refresh_from_db()
        assert hand.fed_today == 1

    def test_what_is_swapped_counts(self, alice: Player, bob: Player) -> None:
        """On both sides: else a farm would swap its cards for worthless ones, ten for one."""
        game = season(received_per_day=2)
        make.deal(game, alice, *["harmony"] * 4)
        make.deal(game, bob, *["prosperity"] * 4)
        play.accept(play.offer(game, alice, ["harmony"], ["prosperity"] * 2, to=[bob]).trade.id, bob)
        fed = Hand.objects.filter(campaign=game).values_list("player", "fed_today")
        assert dict(fed) == {alice.pk: 2, bob.pk: 1}
        for offer in (
            lambda: play.offer(game, alice, ["harmony"], ["prosperity"], to=[bob]),
            lambda: play.offer(game, alice, ["harmony"] * 2, ["prosperity"], to=[bob]),
        ):
            with pytest.raises(errors.ReceiverLimitReached):
                play.accept(offer().trade.id, bob)
        assert make.held(game, alice) == {"harmony": 3, "prosperity": 2}

    def test_the_day_of_a_hand_never_goes_back(self, alice: Player, bob: Player, clock: Clock) -> None:
        game = season(received_per_day=2)
        make.deal(game, bob, *["harmony"] * 3)
        clock.shift(timedelta(hours=24))
        make.give(game, bob, alice, ["harmony"])
        day = Hand.objects.get(campaign=game, player=alice).fed_day
        clock.shift(timedelta(hours=-24))
        make.give(game, bob, alice, ["harmony"])

        hand = Hand.objects.get(campaign=game, player=alice)
        assert (hand.fed_day, hand.fed_today) == (day, 2)
        with pytest.raises(errors.ReceiverLimitReached):
            make.give(game, bob, alice, ["harmony"])


class TestCooling:
    def test_no_card_leaves_a_new_account(self, alice: Player, bob: Player, clock: Clock) -> None:
        game = season(cooling_h=2)
        for player in (alice, bob):
            make.deal(game, player, "harmony", "harmony", "prosperity")
        ends = instant(alice.joined_at + timedelta(hours=2))
        by_link = play.request(game, PlayerFactory.create(), "harmony", link="qr").trade
        asked = play.request(game, bob, "harmony", to=[alice]).trade
        for give in (
            lambda: make.give(game, alice, bob, ["harmony"]),
            lambda: play.link_gift(game, alice, "harmony"),
            lambda: play.offer(game, alice, ["harmony"], ["prosperity"], to=[bob]),
            lambda: play.accept(asked.id, alice),
            lambda: claim(by_link, alice),
        ):
            with pytest.raises(errors.AccountTooNew) as refused:
                give()
            assert refused.value.facts == {"until": ends}

        clock.shift(timedelta(hours=2))
        make.give(game, alice, bob, ["harmony"])
        assert play.accept(asked.id, alice).trade.state == "accepted"

    def test_a_new_account_is_given_cards_and_asks_for_them(self, alice: Player, bob: Player) -> None:
        game = season(cooling_h=2)
        old = PlayerFactory.create()
        Player.objects.filter(pk=old.pk).update(joined_at=alice.joined_at - timedelta(hours=3))
        play.befriend(alice, old)
        make.deal(game, old, *["harmony"] * 3)
        make.give(game, old, alice, ["harmony"])
        claim(play.link_gift(game, old, "harmony").trade, alice)
        play.accept(play.request(game, alice, "harmony", everyone=True).trade.id, old)
        assert make.held(game, alice) == {"harmony": 3}
