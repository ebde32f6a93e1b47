"""The split is exact for any pool, winners, chunking, order and rule: in Python, and in production's SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fortunes import rules, sql
from fortunes.models import Rulebook
from fortunes.rules import Jackpot, Split
from redpackets import splitting
from redpackets.actions import stages
from redpackets.models import POOL_LIMIT_FEN, Pool, Settlement
from tests.factories import redpackets as make
from tests.plugins.clock import Clock
from tests.redpackets import recomputing
from tests.redpackets.verifying import verify

pools_fen = st.integers(1, POOL_LIMIT_FEN - 1) | st.integers(1, 40)
# What one winner may weigh: 1 in even mode, up to 2²⁴ where weights are random.
winners = st.lists(st.lists(st.integers(1, 2**24) | st.just(1), max_size=12), max_size=8)
jackpots = st.lists(
    st.fixed_dictionaries({"count": st.integers(1, 5), "prize_fen": st.integers(1, 50) | st.integers(1, 2**36)}),
    min_size=1,
    max_size=4,
)
remainders = st.sampled_from(["share", "return"])
splits = st.one_of(
    st.fixed_dictionaries({"remainder": remainders}),
    st.fixed_dictionaries({"mode": st.just("random"), "minimum_fen": st.integers(0, 5) | st.integers(0, 2**33)}),
    st.fixed_dictionaries({"mode": st.just("tiered"), "remainder": remainders, "jackpots": jackpots}),
)
prizes = st.lists(st.builds(Jackpot, count=st.integers(1, 6), prize_fen=st.integers(1, 100)), max_size=4)
# Of one settlement, with numbers of their own: a version that was read once is remembered.
VERSIONS = count(2)


@given(
    amount_fen=pools_fen,
    chunks=winners,
    returns=st.booleans(),
    minimum_fen=st.integers(0, 3),
    prizes_fen=st.just(0) | st.integers(0, 100),
)
def test_any_split_is_exact(
    amount_fen: int, chunks: list[list[int]], returns: bool, minimum_fen: int, prizes_fen: int
) -> None:
    n, weights = sum(map(len, chunks)), [sum(chunk) for chunk in chunks]
    allot = partial(
        splitting.allot, minimum_fen=minimum_fen, prizes_fen=prizes_fen, winners=n, weights=weights,
        returns_remainder=returns,
    )  # fmt: skip
    if amount_fen < n * minimum_fen + prizes_fen:
        with pytest.raises(splitting.TooLittle, match="can't pay"):
            allot(amount_fen=amount_fen)
        return

    split = allot(amount_fen=amount_fen)

    assert n * minimum_fen + prizes_fen + split.share_fen + split.returned_fen == amount_fen
    assert sum(split.pots_fen) == split.share_fen
    assert split.returned_fen < max(1, sum(weights) if returns else 1) or n == 0
    for chunk, pot in zip(chunks, split.pots_fen, strict=True):
        bonus = pot - sum(split.share_fen * weight // sum(weights) for weight in chunk)
        assert 0 <= bonus <= len(chunk)


@given(amount_fen=pools_fen, sizes=st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_how_winners_are_cut_into_chunks_changes_no_sum(amount_fen: int, sizes: list[int]) -> None:
    def share(weights: list[int]) -> splitting.Allotment:
        return splitting.allot(
            amount_fen=amount_fen, minimum_fen=0, prizes_fen=0, winners=sum(weights), weights=weights,
            returns_remainder=True,
        )  # fmt: skip

    whole, parts = share([sum(sizes)]), share(sizes)

    assert (whole.share_fen, whole.returned_fen) == (parts.share_fen, parts.returned_fen)
    base = whole.share_fen // sum(sizes) if sum(sizes) else 0
    assert list(parts.pots_fen) == [size * base for size in sizes]


@given(
    drawn=prizes, players=st.lists(st.integers(1, 10**6), unique=True, max_size=30), cuts=st.sets(st.integers(0, 29))
)
def test_each_jackpot_is_drawn_by_the_next_in_line(drawn: list[Jackpot], players: list[int], cuts: set[int]) -> None:
    line = [splitting.Contender(j, player) for j, player in enumerate(players)]
    every = [jackpot.prize_fen for jackpot in drawn for _ in range(jackpot.count)][: len(players)]
    ordered = sorted(players)
    highs = sorted({ordered[cut] for cut in cuts if cut < len(ordered)} | {10**6})

    tiers = splitting.draw(drawn, line)
    chunks = splitting.prizes_by_chunk(drawn, line, highs=highs)

    assert [tier.prize_fen for tier in tiers for _ in range(tier.count)] == every
    assert [(int(tier.j), tier.player) for tier in tiers] == sorted((int(tier.j), tier.player) for tier in tiers)
    assert sum(chunks) == sum(every) == splitting.prizes_fen(drawn, winners=len(players))
    for low, high, fen in zip([0, *highs], highs, chunks, strict=False):
        mine = zip(players, every, strict=False)
        assert fen == sum(prize for player, prize in mine if low < player <= high)


@given(
    amount_fen=pools_fen,
    complete=st.integers(0, 2**31),
    drawn=prizes,
)
def test_about_each_is_the_lowest_even_share_and_the_average_of_a_random_one(
    amount_fen: int, complete: int, drawn: list[Jackpot]
) -> None:
    split = Split(mode="tiered", jackpots=tuple(drawn)) if drawn else Split()
    each = splitting.about_each(split, amount_fen=amount_fen, winners=complete)
    if complete == 0:
        assert each is None
        return
    shared = amount_fen - splitting.prizes_fen(split.jackpots, winners=complete)
    assert each == max(0, shared) // complete
    missing = splitting.missing_fen(split, amount_fen=amount_fen, winners=complete)
    assert missing == max(0, sum(one.count * one.prize_fen for one in split.jackpots) - amount_fen)


@given(amount_fen=pools_fen, minimum_fen=st.integers(1, 2**39 - 1), complete=st.integers(1, 10**6))
def test_a_pool_lacks_what_the_minimum_costs_beyond_it(amount_fen: int, minimum_fen: int, complete: int) -> None:
    split = Split(mode="random", minimum_fen=minimum_fen)
    missing = splitting.missing_fen(split, amount_fen=amount_fen, winners=complete)
    assert missing == max(0, minimum_fen * complete - amount_fen)


def test_the_merkle_root_is_that_of_rfc_6962() -> None:
    """Vectors of the RFC's reference implementation, certificate-transparency's merkletree tests."""
    leaves = [b"", b"\0", b"\x10", b"\x20\x21", b"\x30\x31", bytes.fromhex("40414243")]
    roots = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    }
    assert {size: splitting.merkle_root(leaves[:size]).hex() for size in roots} == roots


@contextmanager
def undone() -> Iterator[None]:
    """A savepoint that is rolled back: the hands dealt in it have no players, which its end would notice."""
    savepoint = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(savepoint)


def deal(run: Settlement, players: str, complete: str = "true") -> None:
    """Hands for the players of a query, set-based; `complete` is a condition on `player`."""
    sql.execute(
        f"""
        INSERT INTO cards_hand (campaign_id, player_id, counts, escrow, used_today, used, version)
        SELECT {run.pool.campaign_id}, player, ARRAY[({complete})::integer, 0, 0, 0, 0],
               '{{0,0,0,0,0}}', '{{0}}', '{{1}}', 1
          FROM ({players}) AS p (player)
        """
    )


def split(run: Settlement, *, amount_fen: int, how: dict[str, Any], chunk_hands: int) -> Settlement:
    """The settlement from its count on, as if the rulebook at the freeze had said `how`."""
    version = next(VERSIONS)
    written = rules.dump(rules.parse(make.ONE_CARD | {"split": how}))
    Rulebook.objects.create(
        campaign_id=run.pool.campaign_id, version=version, rules=written, reason=Rulebook.Reason.STAFF
    )
    Settlement.objects.filter(pk=run.pk).update(
        amount_fen=amount_fen, chunk_hands=chunk_hands, rulebook_version=version,
        minimum_fen=how.get("minimum_fen", 0),
    )  # fmt: skip
    Pool.objects.filter(pk=run.pool_id).update(amount_fen=amount_fen)
    return make.split(run)


@pytest.fixture
def closed(clock: Clock) -> Settlement:
    """The settlement of a campaign without hands whose deadline has passed."""
    run = make.SettlementFactory.create()
    make.close(clock, run)
    stages.freeze(settlement_id=run.pk)
    Settlement.objects.filter(pk=run.pk).update(last_player=2**62)
    return run


@pytest.mark.django_db
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amount_fen=pools_fen,
    players=st.sets(st.integers(1, 300) | st.integers(2**40, 2**62), max_size=40),
    losers=st.sets(st.integers(1, 300), max_size=10),
    chunk_hands=st.integers(1, 50),
    how=splits,
)
def test_the_same_sql_as_production_is_exact(
    closed: Settlement, amount_fen: int, players: set[int], losers: set[int], chunk_hands: int, how: dict[str, Any]
) -> None:
    """Every amount is what an independent computation makes of it; where it can't be paid, nobody is."""
    promised = sum(prizes_in_order(how)[: len(players)]) + how.get("minimum_fen", 0) * len(players)
    with undone():
        everybody = ", ".join(f"({player})" for player in players | losers)
        if everybody:
            deal(closed, f"VALUES {everybody}", f"player = ANY (ARRAY{sorted(players)}::bigint[])")
        if promised > amount_fen:
            with pytest.raises(stages.Mismatch, match="can't pay"):
                split(closed, amount_fen=amount_fen, how=how, chunk_hands=chunk_hands)
            assert make.payouts(closed) == {}
            return

        run = split(closed, amount_fen=amount_fen, how=how, chunk_hands=chunk_hands)

        paid = make.payouts(run)
        assert set(paid) == players
        assert sum(paid.values()) + (run.returned_fen or 0) == amount_fen
        due = recomputing.amounts(run, how, players)
        assert run.returned_fen == due.pop(0, 0)
        assert paid == due
        assert not run.contenders.exists()
        verify(run)


def prizes_in_order(how: dict[str, Any]) -> list[int]:
    """In the order in which the rules name them."""
    return [one["prize_fen"] for one in how.get("jackpots", ()) for _ in range(one["count"])]


GOLDEN = [
    ("share", {27_167: 691_770, 27_166: 99_635}, 0),
    ("return", {27_166: 791_405}, 691_770),
]


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize(("remainder", "amounts", "returned_fen"), GOLDEN)
def test_the_season_of_2016(closed: Settlement, remainder: str, amounts: dict[int, int], returned_fen: int) -> None:
    """215 million yuan for 791,405 winners, 271.66 yuan each, by the same stages and SQL as in production."""
    with undone():
        # More than a season asks of one transaction, and the looking at every payout comes on top.
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            sql.execute(f"SET LOCAL {limit} = '5min'")
        deal(closed, "SELECT generate_series(1, 791405)")

        run = split(closed, amount_fen=21_500_000_000, how={"remainder": remainder}, chunk_hands=50_000)

        paid = make.payouts(run)
        assert Counter(paid.values()) == amounts
        assert run.returned_fen == returned_fen
        assert sum(paid.values()) + returned_fen == 21_500_000_000
        verify(run)
