"""What follows for cards when a version of the rules takes force: one connection, in order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Player
from cards import catalogue, draws, errors, tasks
from cards.actions import aftermaths
from cards.models import Aftermath, Conversion, Hand, StockTranche, Trade, Transfer
from fortunes import clock as clocks
from fortunes import invariants, rulebooks, sql
from fortunes.actions import campaigns
from fortunes.models import Campaign, Event, Rulebook
from redpackets.actions import openings, pools
from tests.factories import aftermaths as rules
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.factories.fortunes import change_rules
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def season() -> Campaign:
    return rules.season_with_steals()


def heard(player: Player, event: str) -> list[dict[str, Any]]:
    return list(Event.objects.filter(player=player, type=event).order_by("seq").values_list("data", flat=True))


def broken() -> dict[str, Any]:
    found = {known.name: sql.fetch(known.query) for known in invariants.every()}
    return {name: rows for name, rows in found.items() if rows}


def states(campaign: Campaign) -> list[str]:
    return list(Aftermath.objects.filter(campaign=campaign).order_by("version").values_list("state", flat=True))


class TestConverting:
    def test_steal_cards_become_wild_cards(self, season: Campaign, alice: Player, bob: Player) -> None:
        make.deal(season, alice, "steal", "steal", "harmony")
        make.deal(season, bob, "harmony")
        rules.remove(season, "steal", promising=rules.INTO_WILD)
        rules.follow(season)

        assert make.held(season, alice) == {"harmony": 1, "wild": 2}
        assert make.held(season, bob) == {"harmony": 1}
        row = Conversion.objects.get(campaign=season)
        kinds = catalogue.of(season.pk).kinds
        wild = kinds.index("wild")
        assert (row.player_id, row.kind, row.cards, row.into) == (alice.pk, kinds.index("steal"), 2, [wild, wild])
        assert (row.fen, row.paid_at, row.by_chance, row.aftermath.version) == (0, None, False, 2)
        assert heard(alice, "card.converted") == [
            {
                "conversion": str(row.public_id), "kind": "steal", "cards": 2, "into": ["wild", "wild"], "fen": 0,
                "hand_version": 4, "complete": False,
            }
        ]  # fmt: skip
        moved = list(row.transfers.order_by("position").values_list("kind", "giver", "receiver"))
        steal = (kinds.index("steal"), alice.pk, None)
        assert moved == [steal, steal, (wild, None, alice.pk), (wild, None, alice.pk)]
        assert Hand.objects.get(player=alice).version == 4
        assert heard(bob, "card.converted") == []
        assert states(season) == ["done"]
        assert not broken()

    def test_steal_cards_become_random_fortunes(self, season: Campaign, alice: Player) -> None:
        make.deal(season, alice, *["steal"] * 12)
        rulebook = rules.remove(season, "steal", promising=rules.INTO_FORTUNE)
        rules.follow(season)

        row, known = Conversion.objects.get(campaign=season), catalogue.of(season.pk)
        secret = campaigns.draw_secret(season)
        weights = [25, 25, 23, 22, 5, 0, 0, 0]
        assert known.fortune_weights(rulebooks.version(season.pk, rulebook.version)) == weights
        expected = []
        for place in range(12):
            key = draws.conversion_key(campaign_id=season.pk, version=2, kind=row.kind, place=place)
            expected.append(draws.choose(weights, draws.roll(secret, key, alice.pk)[:8]))
        assert row.into == expected and row.by_chance
        assert sum(make.held(season, alice).values()) == 12
        assert "steal" not in make.held(season, alice)
        assert heard(alice, "card.converted")[0]["into"] == known.slugs(expected)
        assert not broken()

    def test_capped_fortunes_are_never_made_of_them(self, alice: Player) -> None:
        capped = {"dedication": {"units": 10, "tranches": 1}, "harmony": {"units": 10, "tranches": 1}}
        weights = {"patriotism": 1, "prosperity": 1, "harmony": 1_000, "friendliness": 1, "dedication": 1_000}
        season = rules.season_with_steals(caps=capped, weights=weights)
        make.deal(season, alice, *["steal"] * 40)
        rules.remove(season, "steal", promising=rules.INTO_FORTUNE)
        rules.follow(season)
        assert set(make.held(season, alice)) == {"patriotism", "prosperity", "friendliness"}

    def test_steal_cards_become_money_that_is_owed(self, season: Campaign, alice: Player) -> None:
        make.deal(season, alice, "steal", "steal", "steal")
        rules.remove(season, "steal", promising=rules.INTO_FEN)
        rules.follow(season)

        row = Conversion.objects.get(campaign=season)
        assert (row.cards, row.into, row.fen, row.paid_at) == (3, [], 264, None)
        assert make.held(season, alice) == {}
        assert heard(alice, "card.converted")[0]["fen"] == 264
        assert Transfer.objects.filter(conversion=row, giver=alice, receiver=None).count() == 3
        assert not broken()

    def test_two_roles_at_once(self, season: Campaign, alice: Player) -> None:
        make.deal(season, alice, "steal", "copy", "copy", "wild")
        rules.remove(season, "steal", "copy", promising=rules.INTO_WILD | {"copy": {"into": "fen", "amount_fen": 1}})
        rules.follow(season)
        assert make.held(season, alice) == {"wild": 2}
        assert sorted(Conversion.objects.values_list("cards", "fen")) == [(1, 0), (2, 2)]
        assert [news["hand_version"] for news in heard(alice, "card.converted")] == [5, 5]
        assert not broken()

    def test_a_set_may_be_complete_by_it(self, alice: Player) -> None:
        season = rules.season_with_steals(wilds_fill=True)
        make.deal(season, alice, "patriotism", "prosperity", "harmony", "friendliness", "steal")
        assert Hand.objects.get(player=alice).completed_at is None
        rules.remove(season, "steal", promising=rules.INTO_WILD)
        rules.follow(season)
        assert heard(alice, "card.converted")[0]["complete"] is True
        assert Hand.objects.get(player=alice).completed_at == Conversion.objects.get().at
        assert not broken()

    def test_nothing_was_promised(self, season: Campaign, alice: Player) -> None:
        """They are held, and of no use."""
        make.deal(season, alice, "steal")
        rules.remove(season, "steal")
        rules.follow(season)
        assert make.held(season, alice) == {"steal": 1}
        assert not Conversion.objects.exists()
        assert states(season) == ["done"]

    def test_a_promise_that_became_impossible_changes_nothing(self, season: Campaign, alice: Player) -> None:
        """Another version has taken the wild card away, and the vote on the steal card didn't know."""
        make.deal(season, alice, "steal")
        rules.remove(season, "wild")
        rules.remove(season, "steal", "wild", promising=rules.INTO_WILD)
        rules.follow(season)
        assert make.held(season, alice) == {"steal": 1}
        assert states(season) == ["done", "done"]

    def test_what_does_not_fit_stays(self, season: Campaign, alice: Player, bob: Player) -> None:
        for player in (alice, bob):
            make.deal(season, player, "steal", "steal", "steal")
        wild = catalogue.of(season.pk).kinds.index("wild")
        for player, full in ((alice, 32_766), (bob, 32_767)):
            hand = Hand.objects.get(player=player)
            hand.counts[wild] = full
            hand.save()
        rules.remove(season, "steal", promising=rules.INTO_WILD)
        rules.follow(season)
        assert make.held(season, alice) == {"steal": 2, "wild": 32_767}
        assert make.held(season, bob) == {"steal": 3, "wild": 32_767}
        assert states(season) == ["done"]

    def test_money_needs_no_room(self, season: Campaign, alice: Player) -> None:
        make.deal(season, alice, "steal")
        hand = Hand.objects.get(player=alice)
        hand.counts[0] = 32_767
        hand.save()
        rules.remove(season, "steal", promising=rules.INTO_FEN)
        rules.follow(season)
        assert make.held(season, alice) == {"patriotism": 32_767}


class TestVoiding:
    def test_open_trades_of_the_kind_are_void(self, season: Campaign, alice: Player, bob: Player) -> None:
        make.deal(season, alice, "steal", "steal", "harmony", "harmony")
        asked = play.request(season, bob, "steal", to=[alice]).trade.id
        several = play.offer(season, alice, ["harmony"], ["steal"], everyone=True).trade.id
        link = play.link_gift(season, alice, "steal", "harmony").trade
        other = play.request(season, alice, "dedication", to=[bob]).trade.id
        rules.remove(season, "steal")
        rules.follow(season)

        state = dict(Trade.objects.values_list("public_id", "state"))
        assert [state[one] for one in (asked, several, link.id, other)] == ["voided", "voided", "voided", "open"]
        assert make.held(season, alice) == {"steal": 2, "harmony": 2}
        assert Hand.objects.get(player=alice).escrow == [0] * 8
        version = Hand.objects.get(player=alice).version
        told = {"state": "voided", "by": None}
        assert sorted(heard(alice, "trade.closed"), key=str) == sorted(
            [
                {"trade": str(asked), "hand_version": None, **told},
                {"trade": str(several), "hand_version": None, **told},
                {"trade": str(link.id), "hand_version": version, **told},
            ],
            key=str,
        )
        assert [news["trade"] for news in heard(bob, "trade.closed")] == [str(asked), str(several)]
        assert link.link
        with pytest.raises(errors.TradeAlreadyClosed):
            play.follow(link.link.code, PlayerFactory.create())
        assert not broken()

    def test_who_has_declined_is_told_nothing_more(self, season: Campaign, alice: Player, bob: Player) -> None:
        carol = PlayerFactory.create()
        play.befriend(alice, carol)
        asked = play.request(season, alice, "steal", to=[bob, carol]).trade.id
        play.decline(asked, bob)
        rules.remove(season, "steal")
        rules.follow(season)
        assert [len(heard(player, "trade.closed")) for player in (alice, bob, carol)] == [1, 1, 1]
        assert not broken()

    def test_a_card_in_escrow_is_converted_too(self, season: Campaign, alice: Player) -> None:
        make.deal(season, alice, "steal", "steal")
        play.link_gift(season, alice, "steal")
        rules.remove(season, "steal", promising=rules.INTO_WILD)
        rules.follow(season)
        assert make.held(season, alice) == {"wild": 2}
        assert not broken()

    def test_more_than_one_chunk(
        self, season: Campaign, alice: Player, bob: Player, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(aftermaths, "MOST_TRADES", 2)
        monkeypatch.setattr(aftermaths, "MOST_HANDS", 1)
        for player in (alice, bob):
            make.deal(season, player, *["steal"] * 5)
            for _ in range(5):
                play.link_gift(season, player, "steal")
        rules.remove(season, "steal")
        assert rules.follow(season) > 6
        assert set(Trade.objects.values_list("state", flat=True)) == {"voided"}
        assert make.held(season, alice) == make.held(season, bob) == {"steal": 5}
        assert not broken()

    def test_a_trade_whose_time_is_over_is_voided_if_nobody_has_noted_it(
        self, season: Campaign, alice: Player, clock: Clock
    ) -> None:
        make.deal(season, alice, "steal")
        play.link_gift(season, alice, "steal")
        clock.shift(timedelta(days=2))
        rules.remove(season, "steal", promising=rules.INTO_WILD)
        rules.follow(season)
        assert Trade.objects.get().state == "voided"
        assert make.held(season, alice) == {"wild": 1}
        assert not broken()


class TestCompleting:
    FOUR = ("patriotism", "prosperity", "harmony", "friendliness")

    def test_wild_cards_begin_to_count(self, season: Campaign, alice: Player, bob: Player) -> None:
        make.deal(season, alice, *self.FOUR, "wild")
        make.deal(season, bob, *self.FOUR)
        rulebook = change_rules(season, wilds_fill=True)
        assert rules.follow(season) == 2
        assert Hand.objects.get(player=alice).completed_at == rulebook.in_force_at
        assert Hand.objects.get(player=bob).completed_at is None
        assert not broken()

    def test_and_cease_to(self, season: Campaign, alice: Player, bob: Player) -> None:
        change_rules(season, wilds_fill=True)
        rules.follow(season)
        make.deal(season, alice, *self.FOUR, "wild")
        make.deal(season, bob, *self.FOUR, "dedication")
        since = Hand.objects.get(player=bob).completed_at
        change_rules(season, wilds_fill=False)
        rules.follow(season)
        assert Hand.objects.get(player=alice).completed_at is None
        assert Hand.objects.get(player=bob).completed_at == since
        assert not broken()

    def test_what_is_in_force_decides(self, season: Campaign, alice: Player) -> None:
        """Both versions came before anybody looked."""
        make.deal(season, alice, *self.FOUR, "wild")
        change_rules(season, wilds_fill=True)
        change_rules(season, wilds_fill=False)
        rules.follow(season)
        assert Hand.objects.get(player=alice).completed_at is None
        assert states(season) == ["done", "done"]

    def test_a_version_that_this_process_has_not_heard_of(self, season: Campaign, alice: Player) -> None:
        make.deal(season, alice, *self.FOUR, "wild", "steal")
        rules.remove(season, "steal", promising=rules.INTO_WILD, wilds_fill=True)
        rulebooks.believed(season.pk)
        rules.remove(season, "steal", wilds_fill=False)
        rules.follow(season)
        assert Hand.objects.get(player=alice).completed_at is None
        assert make.held(season, alice)["wild"] == 2
        assert not broken()


class TestStock:
    def test_a_raised_cap_is_stocked(self, alice: Player, clock: Clock) -> None:
        season = make.SeasonFactory.create(rulebook={"caps": {"dedication": {"units": 10, "tranches": 2}}})
        rulebook = change_rules(season, caps={"dedication": {"units": 15, "tranches": 2}})
        rules.follow(season)
        rows = list(StockTranche.objects.filter(campaign=season).order_by("number"))
        assert [(row.number, row.first_serial, row.units) for row in rows] == [
            (0, 1, 5), (1, 6, 5), (2, 11, 2), (3, 13, 3)
        ]  # fmt: skip
        assert rows[2].available_at == rulebook.in_force_at
        assert rows[2].available_at < rows[3].available_at < season.closes_at
        assert states(season) == ["done"]

        change_rules(season, trading={"open_trades": 30})
        rules.follow(season)
        assert StockTranche.objects.filter(campaign=season).count() == 4
        assert states(season) == ["done", "done"]


class TestWhen:
    def test_a_season_without_a_change(self, season: Campaign) -> None:
        assert aftermaths.step(campaign_id=season.pk) is False
        assert aftermaths.unfinished(campaign_id=season.pk) is False

    def test_a_worker_does_it(self, season: Campaign, alice: Player) -> None:
        make.deal(season, alice, "steal")
        rules.remove(season, "steal", promising=rules.INTO_WILD)
        assert aftermaths.unfinished(campaign_id=season.pk) is True
        tasks.follow_rules()
        assert aftermaths.unfinished(campaign_id=season.pk) is False
        assert make.held(season, alice) == {"wild": 1}

    def test_no_longer_than_it_may(self, season: Campaign, alice: Player) -> None:
        make.deal(season, alice, "steal")
        rules.remove(season, "steal", promising=rules.INTO_WILD)
        assert aftermaths.follow_due(budget_s=0) == 1
        assert states(season) == ["void"]
        aftermaths.follow_due()
        assert states(season) == ["done"]

    def test_after_the_deadline_and_before_the_freeze(self, season: Campaign, alice: Player, clock: Clock) -> None:
        make.deal(season, alice, "steal", "steal")
        play.link_gift(season, alice, "steal")
        rules.remove(season, "steal", promising=rules.INTO_WILD)
        clock.shift(season.closes_at - clocks.now() + timedelta(seconds=1))
        rules.follow(season)
        assert make.held(season, alice) == {"wild": 2}
        assert not broken()
        campaigns.freeze(campaign_id=season.pk)
        assert not broken()

    @pytest.mark.parametrize("steps", [0, 1, 2])
    def test_nothing_after_the_freeze(self, season: Campaign, alice: Player, clock: Clock, steps: int) -> None:
        """Nobody freezes a season with something unfinished, but if somebody did, it would stay as it is."""
        make.deal(season, alice, "steal")
        rules.remove(season, "steal", promising=rules.INTO_WILD, wilds_fill=True)
        for _ in range(steps):
            aftermaths.step(campaign_id=season.pk)
        clock.shift(season.closes_at - clocks.now() + timedelta(seconds=1))
        assert campaigns.freeze(campaign_id=season.pk)
        assert aftermaths.step(campaign_id=season.pk) is False
        assert make.held(season, alice) == {"steal": 1}

    def test_versions_follow_each_other(self, season: Campaign, alice: Player) -> None:
        """What the first gives the second takes."""
        make.deal(season, alice, "steal", "wild")
        rules.remove(season, "steal", promising=rules.INTO_WILD)
        rules.remove(season, "steal", "wild", promising={"wild": {"into": "fen", "amount_fen": 5}})
        rules.follow(season)
        assert make.held(season, alice) == {}
        assert sorted(Conversion.objects.values_list("aftermath__version", "cards", "fen")) == [(2, 1, 0), (3, 2, 10)]
        assert not broken()

    def test_a_draft_has_none(self) -> None:
        draft = make.DraftSeasonFactory.create()
        change_rules(draft, trading={"open_trades": 30})
        assert Rulebook.objects.filter(campaign=draft).count() == 2
        assert aftermaths.step(campaign_id=draft.pk) is False

    def test_and_leaves_none_to_the_season_that_it_becomes(self) -> None:
        """The stock was planned by its last version: what former ones said of caps is neither stocked nor missed."""
        capped = {"dedication": {"units": 10, "tranches": 2}, "harmony": {"units": 10, "tranches": 2}}
        season = make.DraftSeasonFactory.create(rulebook={"caps": capped})
        change_rules(season, caps={"dedication": {"units": 30}, "harmony": None})
        change_rules(season, caps={"dedication": {"units": 20}})
        pool = pools.create(campaign_id=season.pk, amount_fen=100)
        pools.fund(pool_id=pool.pk, amount_fen=100, business_key=f"fund:{season.slug}")
        openings.open(campaign_id=season.pk)
        planned = StockTranche.objects.filter(campaign=season).order_by("number").values_list("units", flat=True)

        assert aftermaths.unfinished(campaign_id=season.pk) is False
        assert rules.follow(season) == 0
        assert list(planned.all()) == [10, 10]

        change_rules(season, caps={"dedication": {"units": 26}})
        assert aftermaths.unfinished(campaign_id=season.pk) is True
        rules.follow(season)
        assert list(planned.all()) == [10, 10, 3, 3]
        assert aftermaths.unfinished(campaign_id=season.pk) is False
        assert not broken()
