"""Steals, one connection."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.actions import friendships
from accounts.models import Player
from cards import catalogue, draws, errors
from cards.models import Hand, Play, Transfer
from fortunes import errors as ground
from fortunes import invariants, sql
from fortunes.actions import campaigns
from fortunes.models import Campaign, Event, IdempotencyKey
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.factories.fortunes import change_rules
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db

ALLOWED: dict[str, Any] = {"specials": ["steal"], "stealing": {"per_day": 3, "per_pair_per_day": 2, "protection_h": 0}}


def season_with(**changes: Any) -> Campaign:
    return make.TradingSeasonFactory.create(rules=ALLOWED | changes)


def limited(**limits: Any) -> Campaign:
    return season_with(stealing=ALLOWED["stealing"] | limits)


@pytest.fixture
def season() -> Campaign:
    return season_with()


def told(player: Player, type_: str) -> dict[str, Any]:
    data: dict[str, Any] = Event.objects.get(player=player, type=type_).data
    return data


def violations() -> set[str]:
    return {known.name for known in invariants.every() if sql.fetch(known.query)}


def test_a_steal_takes_a_card_and_costs_one_and_tells_both_at_once(
    season: Campaign, alice: Player, bob: Player
) -> None:
    make.deal(season, alice, "steal")
    make.deal(season, bob, "harmony", "harmony")
    before = Event.objects.filter(player=bob).count()
    receipt = play.steal(season, alice, bob, "harmony")

    assert (make.held(season, alice), make.held(season, bob)) == ({"harmony": 1}, {"harmony": 1})
    assert (receipt.play.type, receipt.play.kind, receipt.play.friend) == ("steal", "harmony", bob.public_id)
    assert (receipt.play.chance, receipt.hand.counts["harmony"], receipt.hand.version) == (None, 1, 2)
    stolen, taken = told(bob, "card.stolen"), told(alice, "card.taken")
    assert stolen["play"] == taken["play"] == str(receipt.play.id)
    assert (stolen["by"], stolen["kind"], stolen["hand_version"]) == (str(alice.public_id), "harmony", 3)
    assert (taken["friend"], taken["kind"], taken["hand_version"]) == (str(bob.public_id), "harmony", 2)
    assert Event.objects.filter(player=bob).count() == before + 1


def test_what_is_written_of_it(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "steal")
    make.deal(season, bob, "harmony", "harmony")
    play.steal(season, alice, bob, "harmony")

    known = catalogue.of(season.pk)
    harmony, special = known.kinds.index("harmony"), known.kinds.index("steal")
    row = Play.objects.get(player=alice)
    assert (row.friend_id, row.kind, row.number, row.among, row.rulebook_version) == (bob.pk, harmony, 1, None, 1)
    moved: list[Any] = list(row.transfers.order_by("position").values_list("kind", "giver", "receiver", "trade"))
    assert moved == [(special, alice.pk, None, None), (harmony, bob.pk, alice.pk, None)]
    assert Hand.objects.get(player=bob).robbed_at == row.at
    assert violations() == set()


def test_a_stolen_card_may_complete_a_set_and_break_another(season: Campaign, alice: Player, bob: Player) -> None:
    season = limited(spares_last=False)
    *others, last = [slug for slug in catalogue.of(season.pk).kinds if slug not in ("wild", "steal", "copy")]
    make.deal(season, alice, "steal", *others)
    make.deal(season, bob, last, *others)
    assert Hand.objects.get(player=bob).completed_at is not None
    play.steal(season, alice, bob, last)

    assert (told(alice, "card.taken")["complete"], told(bob, "card.stolen")["complete"]) == (True, False)
    assert Hand.objects.get(player=alice).completed_at == Play.objects.get(player=alice).at
    assert Hand.objects.get(player=bob).completed_at is None


def test_without_a_kind_chance_takes_one_of_the_doubles(season: Campaign, alice: Player, bob: Player) -> None:
    season = limited(per_day=100, per_pair_per_day=100)
    doubles = ["patriotism", "harmony", "dedication"]
    make.deal(season, bob, "friendliness", "wild", "wild", *doubles * 14)
    make.deal(season, alice, *["steal"] * 12)
    receipts = [play.steal(season, alice, bob) for _ in range(12)]

    secret = campaigns.draw_secret(season)
    for number, receipt in enumerate(receipts, start=1):
        chance = receipt.play.chance
        assert chance is not None
        assert (chance.number, chance.among) == (number, doubles)
        # As a stranger would replay it from the published secret.
        key = draws.steal_key(campaign_id=chance.campaign, number=chance.number)
        place = draws.choose([1] * len(chance.among), draws.roll(secret, key, chance.player)[0:8])
        assert chance.among[place] == receipt.play.kind
    assert violations() == set()


def test_chosen_steals_count_among_those_of_chance(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "steal", "steal")
    make.deal(season, bob, "harmony", "harmony", "harmony")
    play.steal(season, alice, bob, "harmony")
    chance = play.steal(season, alice, bob).play.chance

    assert chance is not None
    assert (chance.number, chance.among) == (2, ["harmony"])
    assert list(Play.objects.filter(player=alice).order_by("number").values_list("number", flat=True)) == [1, 2]


def test_the_last_card_of_a_kind_is_spared(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "steal")
    make.deal(season, bob, "harmony")

    with pytest.raises(errors.LastCardSpared):
        play.steal(season, alice, bob, "harmony")
    with pytest.raises(errors.NoDoubles):
        play.steal(season, alice, bob)
    assert make.held(season, bob) == {"harmony": 1}


def test_unless_the_rules_say_otherwise(alice: Player, bob: Player) -> None:
    season = limited(spares_last=False)
    make.deal(season, alice, "steal")
    make.deal(season, bob, "harmony")

    with pytest.raises(errors.NoDoubles):
        play.steal(season, alice, bob)
    assert play.steal(season, alice, bob, "harmony").hand.counts["harmony"] == 1
    assert make.held(season, bob) == {}


def test_what_is_in_escrow_is_promised_and_saves_no_last_card(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "steal")
    make.deal(season, bob, "harmony", "harmony", "dedication")
    play.link_gift(season, bob, "harmony")
    play.link_gift(season, bob, "dedication")

    with pytest.raises(errors.LastCardSpared):
        play.steal(season, alice, bob, "harmony")
    with pytest.raises(errors.FriendLacksCard):
        play.steal(season, alice, bob, "dedication")
    with pytest.raises(errors.NoDoubles):
        play.steal(season, alice, bob)


def test_a_card_that_the_friend_does_not_hold(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "steal")

    # bob has no hand at all yet, and gets none by this.
    for kind, refusal in (("harmony", errors.FriendLacksCard), (None, errors.NoDoubles)):
        with pytest.raises(refusal):
            play.steal(season, alice, bob, kind)
    assert not Hand.objects.filter(player=bob).exists()


def test_special_cards_are_not_stolen(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "steal")
    make.deal(season, bob, "wild", "wild")

    with pytest.raises(errors.NotAFortune):
        play.steal(season, alice, bob, "wild")
    with pytest.raises(errors.NoDoubles):
        play.steal(season, alice, bob)
    with pytest.raises(errors.KindUnknown):
        play.steal(season, alice, bob, "happiness")


def test_without_a_steal_card(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, bob, "harmony", "harmony")
    with pytest.raises(errors.CardNotHeld):
        play.steal(season, alice, bob, "harmony")
    make.deal(season, alice, "wild", "copy")
    with pytest.raises(errors.CardNotHeld):
        play.steal(season, alice, bob, "harmony")


def test_strangers_the_unknown_the_blocked_and_oneself_look_the_same(
    season: Campaign, alice: Player, bob: Player
) -> None:
    make.deal(season, alice, "steal")
    stranger, unknown = PlayerFactory.create(), PlayerFactory.build(public_id=uuid.uuid4())
    make.deal(season, stranger, "harmony", "harmony")
    friendships.block(by=bob.pk, player=alice.public_id)

    for other in (stranger, unknown, bob, alice):
        with pytest.raises(errors.FriendNotFound) as refused:
            play.steal(season, alice, other, "harmony")
        assert refused.value.facts == {}
    assert make.held(season, alice) == {"steal": 1}


class TestRules:
    def test_stealing_is_off_by_default(self, alice: Player, bob: Player) -> None:
        season = make.TradingSeasonFactory.create()
        make.deal(season, alice, "steal")
        make.deal(season, bob, "harmony", "harmony")

        with pytest.raises(errors.RuleForbids) as refused:
            play.steal(season, alice, bob, "harmony")
        assert refused.value.facts == {"role": "steal"}

    def test_a_campaign_without_such_a_card(self, alice: Player, bob: Player) -> None:
        season = make.SeasonFactory.create(rulebook=ALLOWED)
        with pytest.raises(errors.RuleForbids):
            play.steal(season, alice, bob, "harmony")

    def test_a_rule_that_is_changed_holds_at_once_either_way(
        self, season: Campaign, alice: Player, bob: Player
    ) -> None:
        make.deal(season, alice, "steal", "steal")
        make.deal(season, bob, *["harmony"] * 3)
        play.steal(season, alice, bob, "harmony")
        # This process still believes in the former version.
        change_rules(season, specials=[])
        with pytest.raises(errors.RuleForbids):
            play.steal(season, alice, bob, "harmony")
        change_rules(season, specials=["steal"])

        assert play.steal(season, alice, bob, "harmony").hand.counts["harmony"] == 2
        assert Play.objects.filter(player=alice).latest("pk").rulebook_version == 3

    def test_who_retries_what_was_done_before_the_change_gets_the_answer(
        self, season: Campaign, alice: Player, bob: Player
    ) -> None:
        make.deal(season, alice, "steal")
        make.deal(season, bob, "harmony", "harmony")
        first = play.steal(season, alice, bob, key="k1")
        change_rules(season, specials=[])

        assert play.steal(season, alice, bob, key="k1") == first


class TestLimits:
    def test_of_a_day_by_the_campaigns_clock(self, alice: Player, clock: Clock) -> None:
        season = limited(per_day=2, per_pair_per_day=9)
        clock.move_to(datetime.fromisoformat(f"{season.opens_at.date() + timedelta(days=1)}T15:30:00+00:00"))
        friends = PlayerFactory.create_batch(3)
        play.befriend(alice, *friends)
        make.deal(season, alice, *["steal"] * 4)
        for friend in friends:
            make.deal(season, friend, *["harmony"] * 3)
        play.steal(season, alice, friends[0], "harmony")
        play.steal(season, alice, friends[1], "harmony")
        with pytest.raises(errors.StealLimitReached) as refused:
            play.steal(season, alice, friends[2], "harmony")

        midnight = f"{season.opens_at.date() + timedelta(days=1)}T16:00:00Z"
        assert refused.value.facts == {"per": "day", "limit": 2, "next_at": midnight}
        # In Shanghai the next day begins at 16:00 UTC.
        clock.shift(timedelta(minutes=31))
        play.steal(season, alice, friends[2], "harmony")
        # A clock that is set back gives nothing back.
        clock.shift(timedelta(minutes=-31))
        with pytest.raises(errors.StealLimitReached):
            play.steal(season, alice, friends[2], "harmony")

    def test_from_one_friend(self, alice: Player, bob: Player) -> None:
        season = limited(per_pair_per_day=1)
        carol = PlayerFactory.create()
        play.befriend(alice, carol)
        make.deal(season, alice, *["steal"] * 3)
        for friend in (bob, carol):
            make.deal(season, friend, *["harmony"] * 3)
        play.steal(season, alice, bob, "harmony")
        with pytest.raises(errors.StealLimitReached) as refused:
            play.steal(season, alice, bob, "harmony")

        assert (refused.value.facts["per"], refused.value.facts["limit"]) == ("friend", 1)
        play.steal(season, alice, carol, "harmony")

    def test_who_was_robbed_is_protected_from_everybody(self, alice: Player, bob: Player, clock: Clock) -> None:
        season = limited(protection_h=2)
        carol = PlayerFactory.create()
        play.befriend(bob, carol)
        make.deal(season, bob, *["harmony"] * 4)
        for thief in (alice, carol):
            make.deal(season, thief, "steal", "steal")
        first = play.steal(season, alice, bob, "harmony")
        until = datetime.fromisoformat(first.play.played_at) + timedelta(hours=2)
        for thief in (alice, carol):
            with pytest.raises(errors.PlayerProtected) as refused:
                play.steal(season, thief, bob, "harmony")
            assert datetime.fromisoformat(refused.value.facts["until"]) == until

        clock.shift(timedelta(hours=2))
        play.steal(season, carol, bob, "harmony")

    def test_accounts_that_are_too_new_are_protected(self, alice: Player, bob: Player, clock: Clock) -> None:
        """Who robs them would carry their cards to an older account, which they may not do themselves."""
        season = season_with(trading={"cooling_h": 1})
        make.deal(season, alice, "steal")
        make.deal(season, bob, "harmony", "harmony")
        with pytest.raises(errors.PlayerProtected):
            play.steal(season, alice, bob, "harmony")

        clock.shift(timedelta(hours=1))
        play.steal(season, alice, bob, "harmony")

    def test_a_hand_that_is_full(self, season: Campaign, alice: Player, bob: Player) -> None:
        make.deal(season, alice, "steal")
        make.deal(season, bob, "harmony", "harmony")
        counts = Hand.objects.get(player=alice).counts
        counts[catalogue.of(season.pk).kinds.index("harmony")] = 32_767
        Hand.objects.filter(player=alice).update(counts=counts)

        with pytest.raises(errors.HandFull):
            play.steal(season, alice, bob, "harmony")


class TestRetries:
    def test_the_same_key_answers_again_and_takes_nothing(self, season: Campaign, alice: Player, bob: Player) -> None:
        make.deal(season, alice, "steal", "steal")
        make.deal(season, bob, *["harmony", "dedication"] * 3)
        first = play.steal(season, alice, bob, key="k1")

        assert play.steal(season, alice, bob, key="k1") == first
        assert Play.objects.filter(player=alice).count() == 1

    def test_the_same_key_for_another_steal_is_refused(self, season: Campaign, alice: Player, bob: Player) -> None:
        make.deal(season, alice, "steal", "steal")
        make.deal(season, bob, *["harmony"] * 3)
        play.steal(season, alice, bob, key="k1")

        with pytest.raises(ground.IdempotencyKeyReused):
            play.steal(season, alice, bob, "harmony", key="k1")

    def test_the_same_key_of_another_player_is_another_steal(
        self, season: Campaign, alice: Player, bob: Player
    ) -> None:
        for player in (alice, bob):
            make.deal(season, player, "steal", *["harmony"] * 3)
        first = play.steal(season, alice, bob, "harmony", key="k1")

        assert play.steal(season, bob, alice, "harmony", key="k1").play.id != first.play.id

    def test_a_refusal_is_not_stored(self, season: Campaign, alice: Player, bob: Player) -> None:
        make.deal(season, bob, "harmony", "harmony")
        with pytest.raises(errors.CardNotHeld):
            play.steal(season, alice, bob, "harmony", key="k1")
        assert not IdempotencyKey.objects.filter(player=alice).exists()
        make.deal(season, alice, "steal")

        assert play.steal(season, alice, bob, "harmony", key="k1").play.kind == "harmony"


def test_nothing_is_stolen_after_the_deadline(season: Campaign, alice: Player, bob: Player, clock: Clock) -> None:
    make.deal(season, alice, "steal", "steal")
    make.deal(season, bob, *["harmony"] * 3)
    first = play.steal(season, alice, bob, key="k1")
    clock.shift(timedelta(days=15))

    with pytest.raises(ground.CampaignFrozen):
        play.steal(season, alice, bob, "harmony")
    assert play.steal(season, alice, bob, key="k1") == first
    assert Transfer.objects.filter(giver=bob).count() == 1
