"""Wild cards that stand for missing ones at the freeze, where the rules say so."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db.models import QuerySet

from accounts.models import Player
from cards import catalogue, hands
from cards.models import Hand
from fortunes import invariants, rulebooks, sql
from fortunes.models import Campaign, DatabaseNow
from redpackets.actions import shares, showing
from redpackets.models import LiveShare, Settlement
from tests.factories import cards as make
from tests.factories import redpackets as money
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory
from tests.factories.fortunes import change_rules
from tests.plugins.clock import Clock
from tests.redpackets.verifying import verify

pytestmark = pytest.mark.django_db

ALL = ("patriotism", "prosperity", "harmony", "friendliness", "dedication")
# What each player holds, and whether they win where wild cards fill in and where they don't.
HELD: dict[str, tuple[tuple[str, ...], bool, bool]] = {
    "all": (ALL, True, True),
    "all and a wild card": ((*ALL, "wild"), True, True),
    "one missing, a wild card": ((*ALL[1:], "wild"), True, False),
    "one missing, two wild cards": ((*ALL[:4], "wild", "wild"), True, False),
    "two missing, two wild cards": ((*ALL[2:], "wild", "wild"), True, False),
    "two missing, a wild card": ((*ALL[2:], "wild"), False, False),
    "one missing, doubles": ((*ALL[1:], *ALL[1:]), False, False),
    "one missing, other special cards": ((*ALL[1:], "steal", "copy"), False, False),
    "wild cards only": (("wild",) * 5, True, False),
    "too few wild cards": (("wild",) * 4, False, False),
    "nothing": ((), False, False),
}


def season_with(**rules: Any) -> Campaign:
    return make.TradingSeasonFactory.create(rules=rules)


def dealt(season: Campaign) -> dict[str, Player]:
    players = {name: PlayerFactory.create() for name in HELD}
    for name, player in players.items():
        make.deal(season, player, *HELD[name][0])
    return players


def run_of(season: Campaign) -> Settlement:
    run = Settlement.objects.select_related("pool__campaign").get(pool__campaign=season)
    run.chunk_hands = 4
    run.save(update_fields=["chunk_hands"])
    return run


def settled(season: Campaign, clock: Clock) -> Settlement:
    run = run_of(season)
    money.close(clock, run)
    return money.split(run)


def live_count(season: Campaign) -> int | None:
    LiveShare.objects.filter(pk=season.pk).update(due_at=DatabaseNow())
    shares.count_due()
    return showing.share(campaign_id=season.pk).complete


def everything(season: Campaign) -> list[Any]:
    rows: QuerySet[Any, Any] = Hand.objects.filter(campaign=season).order_by("pk").values_list()
    return list(rows)


@pytest.mark.parametrize(("fills", "column"), [(True, 1), (False, 2)])
def test_who_wins(clock: Clock, fills: bool, column: int) -> None:
    season = season_with(wilds_fill=fills)
    players = dealt(season)
    before = everything(season)
    expected = {players[name].pk for name, row in HELD.items() if row[column]}
    assert live_count(season) == len(expected)

    run = settled(season, clock)

    assert set(money.payouts(run)) == expected
    assert run.winners == len(expected)
    # Nobody's cards are touched: the payout is the record.
    assert everything(season) == before
    known = catalogue.of(season.pk)
    assert run.wild_kind == (known.kinds.index("wild") if fills else None)
    assert run.manifest is not None
    assert (run.manifest["complete_set"], run.manifest["wild"]) == (list(ALL), "wild" if fills else None)
    verify(run)
    assert not [found.name for found in invariants.every() if sql.fetch(found.query)]


def test_what_a_player_is_told_is_who_wins(clock: Clock) -> None:
    season = season_with(wilds_fill=True)
    players = dealt(season)
    rules, known = rulebooks.version(season.pk, 1), catalogue.of(season.pk)
    told = {
        player.pk
        for player in players.values()
        for hand in Hand.objects.filter(player=player)
        if known.complete(rules, hand.counts, hand.escrow)
    }
    dated = set(Hand.objects.filter(campaign=season, completed_at__isnull=False).values_list("player", flat=True))

    assert told == dated == set(money.payouts(settled(season, clock)))


def test_a_wild_card_in_escrow_still_counts_for_its_giver(clock: Clock) -> None:
    season, giver = season_with(wilds_fill=True), PlayerFactory.create()
    make.deal(season, giver, *ALL[1:], "wild")
    play.link_gift(season, giver, "wild")
    play.link_gift(season, giver, "dedication")

    assert live_count(season) == 1
    run = settled(season, clock)
    assert list(money.payouts(run)) == [giver.pk]
    verify(run)


def test_the_rule_in_force_at_the_freeze_decides(clock: Clock) -> None:
    season, player = season_with(wilds_fill=True), PlayerFactory.create()
    make.deal(season, player, *ALL[1:], "wild")
    assert live_count(season) == 1
    change_rules(season, wilds_fill=False)
    assert live_count(season) == 0

    run = settled(season, clock)
    assert (run.rulebook_version, run.wild_kind, run.winners) == (2, None, 0)


def test_where_there_is_no_wild_card_nothing_fills_in(clock: Clock) -> None:
    season = make.SeasonFactory.create(rulebook={"wilds_fill": True})
    hands.ensure(campaign_id=season.pk, players=[PlayerFactory.create().pk])

    assert live_count(season) == 0
    run = settled(season, clock)
    assert (run.wild_kind, run.winners) == (None, 0)


@pytest.mark.parametrize("full_set", [[0, 1, 2, 3, 4], [1, 3], [4], [0, 1, 2, 3, 4, 5, 6, 7]])
def test_all_who_say_when_a_set_is_complete_agree(full_set: list[int]) -> None:
    """The settlement, the function for one hand, Python and the invariant, over hands of all sorts."""
    season = season_with()
    dice = random.Random(str(full_set))
    players = PlayerFactory.create_batch(150)
    hands.ensure(campaign_id=season.pk, players=[player.pk for player in players])
    rows = list(Hand.objects.filter(campaign=season))
    for row in rows:
        row.counts = [dice.choice([0, 1, 1, 2]) for _ in range(8)]
        row.escrow = [dice.choice([0, 0, 0, 1]) for _ in range(8)]
        row.counts[5] = dice.choice([0, 0, 1, 2, 3])
    Hand.objects.bulk_update(rows, ["counts", "escrow"])
    known = catalogue.of(season.pk)
    slugs = known.slugs(full_set)

    for wild in (None, 5):
        rules = rulebooks.version(season.pk, 1)
        changed = rules.__class__(
            weights=dict.fromkeys(known.kinds, 1), complete_set=tuple(slugs), quotas=rules.quotas,
            wilds_fill=wild is not None,
        )  # fmt: skip
        params = {"campaign": season.pk, "kinds": full_set, "wild": wild, "high": 2**62}
        winners = sql.fetch(
            "SELECT * FROM redpackets_winners(%(campaign)s, 0, %(high)s, %(kinds)s::smallint[], %(wild)s::smallint,"
            " fortunes_clock())",
            params,
        )
        one_by_one = sql.fetch(
            "SELECT player_id FROM cards_hand WHERE campaign_id = %(campaign)s"
            " AND cards_is_complete(counts, escrow, %(kinds)s::smallint[], %(wild)s::smallint)",
            params,
        )
        in_python = {row.player_id for row in rows if known.complete(changed, row.counts, row.escrow)}
        assert 0 < len(in_python) < len(rows)
        assert {row.player_id for row in winners} == {row.player_id for row in one_by_one} == in_python
