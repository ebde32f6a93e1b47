"""Each invariant of the money finds the violation that is planted for it, and nothing in what the factories make."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F

from accounts.models import Player
from cards.models import Conversion, Hand
from fortunes import invariants, sql
from fortunes.models import Rulebook
from redpackets.actions import compensations, conversions
from redpackets.models import CompensationFund, Contender, LedgerEntry, Payout, Settlement, Wallet
from tests.factories import aftermaths, cards
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


def broken() -> set[str]:
    """The names of the invariants that don't hold, asked within the test's own transaction."""
    return {known.name.removeprefix("redpackets/") for known in invariants.every() if sql.fetch(known.query)}


@pytest.fixture
def run(clock: Clock) -> Settlement:
    """A settlement that is done: 3 of 4 players share 100 fen, one opened, all were credited."""
    run = make.SettlementFactory.create(winners=3, pool__amount_fen=100, pool__credit_after_s=None, chunk_hands=2)
    make.lose(run.pool.campaign, [PlayerFactory.create()])
    make.close(clock, run)
    run = make.split(run)
    make.reveal(clock, run)
    make.open_packet(run, winner(run))
    return run


def winner(run: Settlement) -> Player:
    return Player.objects.get(pk=min(make.payouts(run)))


def entry(run: Settlement, **given: object) -> None:
    fields = {
        "source_kind": "pool", "source_owner": run.pool_id, "destination_kind": "wallet",
        "destination_owner": max(make.payouts(run)), "amount_fen": 1, "business_key": "planted",
    }  # fmt: skip
    LedgerEntry.objects.create(**fields | given)


def test_factories_break_nothing(run: Settlement) -> None:
    make.SettlementFactory.create(winners=2)
    make.PoolFactory.create(funded=False)
    assert broken() == set()


def _settlement(**changes: object) -> Callable[[Settlement], object]:
    return lambda run: Settlement.objects.filter(pk=run.pk).update(**changes)


def _payout(amount_fen: int) -> Callable[[Settlement], object]:
    return lambda run: Payout.objects.create(pool=run.pool, player_id=1, amount_fen=amount_fen)


def _hands(counts: list[int]) -> Callable[[Settlement], object]:
    return lambda run: Hand.objects.filter(campaign=run.pool.campaign).update(counts=counts)


def _wild_card_of_the_loser(run: Settlement) -> None:
    """Which would have stood for the one that is missing."""
    losers = Hand.objects.filter(campaign=run.pool.campaign).exclude(player__in=make.payouts(run))
    assert losers.update(counts=[0, 2, 0, 0, 0]) == 1
    assert "winners_are_the_complete_hands" not in broken()
    _settlement(wild_kind=1)(run)


def _funded_again(run: Settlement) -> None:
    entry(run, source_kind="sponsor", destination_kind="pool", destination_owner=run.pool_id)


def _booked(run: Settlement, **given: object) -> None:
    """With its wallet, so that this adds up."""
    entry(run, **given)
    Wallet.objects.filter(player=max(make.payouts(run))).update(balance_fen=F("balance_fen") + 1)


def _set_aside_by(run: Settlement, sponsor: int) -> None:
    campaign = run.pool.campaign_id
    entry(run, source_kind="sponsor", source_owner=sponsor, destination_kind="goodwill", destination_owner=campaign)
    _set_aside(1, 0)(run)


def _funded_by_another(run: Settlement) -> None:
    """A pool that isn't open yet, and has all of its money: from the sponsor of another campaign."""
    pool = make.PoolFactory.create(funded=False)
    entry(
        run, source_kind="sponsor", source_owner=run.pool.campaign_id,
        destination_kind="pool", destination_owner=pool.pk, amount_fen=pool.amount_fen,
    )  # fmt: skip


def _set_aside(funded_fen: int, paid_fen: int) -> Callable[[Settlement], object]:
    return lambda run: CompensationFund.objects.create(
        campaign=run.pool.campaign, funded_fen=funded_fen, paid_fen=paid_fen
    )


def _ruled(run: Settlement, *, mode: str, minimum_fen: int, planted: int) -> None:
    """As if the rules had said so at the freeze, and one more winner had got `planted` fen; others have 33."""
    written = make.ONE_CARD | {"split": {"mode": mode, "minimum_fen": minimum_fen}}
    Rulebook.objects.create(campaign=run.pool.campaign, version=2, rules=written, reason="staff")
    _settlement(rulebook_version=2, minimum_fen=minimum_fen)(run)
    _payout(planted)(run)


PLANTED: list[tuple[str, Callable[[Settlement], object]]] = [
    ("payouts_and_return_make_the_pool", _settlement(returned_fen=1)),
    ("payouts_and_return_make_the_pool", _payout(0)),
    ("winners_are_the_complete_hands", _hands([0] * 5)),
    ("winners_are_the_complete_hands", _hands([1] * 5)),
    ("winners_are_the_complete_hands", lambda run: _wild_card_of_the_loser(run)),
    ("shares_follow_their_split", _payout(35)),
    ("shares_follow_their_split", lambda run: _ruled(run, mode="random", minimum_fen=33, planted=32)),
    ("shares_follow_their_split", lambda run: _ruled(run, mode="tiered", minimum_fen=0, planted=35)),
    ("shares_follow_their_split", lambda run: _ruled(run, mode="tiered", minimum_fen=0, planted=32)),
    ("shares_follow_their_split", lambda run: _ruled(run, mode="raffle", minimum_fen=0, planted=33)),
    ("wallets_equal_their_entries", lambda run: Wallet.objects.all().update(balance_fen=1)),
    ("wallets_equal_their_entries", entry),
    ("packets_move_their_payout", entry),
    ("packets_move_their_payout", lambda run: entry(run, destination_kind="sponsor")),
    ("pools_are_covered", lambda run: entry(run, amount_fen=101)),
    ("pools_are_covered", _funded_again),
    ("pools_are_covered", _settlement(returned_fen=1)),
    ("compensations_are_funded", _set_aside(1, 1)),
    ("compensations_are_funded", lambda run: entry(run, destination_kind="goodwill")),
    ("compensations_are_funded", lambda run: entry(run, source_kind="goodwill", destination_kind="sponsor")),
    ("entries_move_as_they_may", lambda run: _booked(run, source_kind="sponsor")),
    ("entries_move_as_they_may", lambda run: _booked(run, source_kind="goodwill")),
    ("entries_move_as_they_may", lambda run: entry(run, source_kind="wallet", destination_kind="sponsor")),
    ("entries_move_as_they_may", lambda run: _set_aside_by(run, run.pool.campaign_id + 1)),
    ("entries_move_as_they_may", _funded_by_another),
    ("chunks_add_up", _settlement(share_fen=99)),
    ("chunks_add_up", lambda run: run.chunks.update(low=1)),
    ("chunks_add_up", lambda run: run.chunks.update(prizes_fen=1)),
    ("chunks_add_up", lambda run: Contender.objects.create(settlement=run, j=1, player_id=1)),
    ("openings_have_their_settlement", _settlement(amount_fen=99)),
    ("openings_have_their_settlement", lambda run: _settlement(due_at=run.due_at - timedelta(seconds=1))(run)),
]


@pytest.mark.parametrize(("name", "plant"), PLANTED, ids=[f"{i}-{name}" for i, (name, _) in enumerate(PLANTED)])
def test_a_planted_violation_is_found(run: Settlement, name: str, plant: Callable[[Settlement], object]) -> None:
    assert broken() == set()
    plant(run)
    assert name in broken()


def test_a_key_used_twice_is_found(run: Settlement) -> None:
    """The unique constraint refuses it, so the query is asked about the entries twice over."""
    doubled = "(TABLE redpackets_ledgerentry UNION ALL TABLE redpackets_ledgerentry) AS doubled"
    query = sql.text("redpackets", "invariants/one_posting_per_key").replace("redpackets_ledgerentry", doubled)

    assert sql.fetch(query)


class TestConversions:
    """Money that a vote has promised for cards."""

    @pytest.fixture
    def paid(self) -> Conversion:
        """Two are owed, and one of them is paid."""
        season = aftermaths.season_with_steals()
        for player in PlayerFactory.create_batch(2):
            cards.deal(season, player, "steal")
        aftermaths.remove(season, "steal", promising=aftermaths.INTO_FEN)
        aftermaths.follow(season)
        compensations.fund(campaign_id=season.pk, amount_fen=100, business_key=f"fund:{season.slug}:money", by=None)
        conversions.pay_due()
        return Conversion.objects.get(campaign=season, paid_at__isnull=False)

    def plant(self, paid: Conversion, key: int, **given: object) -> None:
        fields = {
            "source_kind": "goodwill", "source_owner": paid.campaign_id, "destination_kind": "wallet",
            "destination_owner": paid.player_id, "amount_fen": 88, "business_key": f"conversion:{key}",
        }  # fmt: skip
        LedgerEntry.objects.create(**fields | given)

    def test_nothing_is_wrong(self, paid: Conversion) -> None:
        assert broken() == set()

    def test_one_that_was_not_promised(self, paid: Conversion) -> None:
        self.plant(paid, 0)
        assert "conversions_are_paid_once" in broken()

    def test_one_that_is_not_marked(self, paid: Conversion) -> None:
        self.plant(paid, Conversion.objects.get(campaign=paid.campaign_id, paid_at=None).pk)
        assert "conversions_are_paid_once" in broken()

    def test_one_that_is_marked_and_was_not_paid(self, paid: Conversion) -> None:
        Conversion.objects.filter(campaign=paid.campaign_id).update(paid_at=paid.paid_at)
        assert "conversions_are_paid_once" in broken()

    def test_one_that_was_paid_otherwise(self, paid: Conversion) -> None:
        other = Conversion.objects.get(campaign=paid.campaign_id, paid_at=None)
        self.plant(paid, other.pk, amount_fen=87)
        Conversion.objects.filter(pk=other.pk).update(paid_at=paid.paid_at)
        assert "conversions_are_paid_once" in broken()
