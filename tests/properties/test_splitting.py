"""The split is exact for any pool, winners, chunking, order and remainder rule: in Python, and in production's SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fortunes import sql
from redpackets import splitting
from redpackets.actions import stages
from redpackets.models import POOL_LIMIT_FEN, Pool, Settlement
from tests.factories import redpackets as make
from tests.plugins.clock import Clock
from tests.redpackets.verifying import verify

pools_fen = st.integers(1, POOL_LIMIT_FEN - 1) | st.integers(1, 40)
remainders = st.sampled_from(Pool.Remainder.values)
# What one winner may weigh: 1 in even mode, up to 2²⁴ where weights are random.
winners = st.lists(st.lists(st.integers(1, 2**24) | st.just(1), max_size=12), max_size=8)


@given(amount_fen=pools_fen, chunks=winners, returns=st.booleans(), minimum_fen=st.integers(0, 3))
def test_any_split_is_exact(amount_fen: int, chunks: list[list[int]], returns: bool, minimum_fen: int) -> None:
    n, weights = sum(map(len, chunks)), [sum(chunk) for chunk in chunks]
    allot = partial(splitting.allot, minimum_fen=minimum_fen, winners=n, weights=weights, returns_remainder=returns)
    if amount_fen < n * minimum_fen:
        with pytest.raises(ValueError, match="can't pay"):
            allot(amount_fen=amount_fen)
        return

    split = allot(amount_fen=amount_fen)

    assert n * minimum_fen + split.share_fen + split.returned_fen == amount_fen
    assert sum(split.pots_fen) == split.share_fen
    assert split.returned_fen < max(1, sum(weights) if returns else 1) or n == 0
    for chunk, pot in zip(chunks, split.pots_fen, strict=True):
        bonus = pot - sum(split.share_fen * weight // sum(weights) for weight in chunk)
        assert 0 <= bonus <= len(chunk)


@given(amount_fen=pools_fen, sizes=st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_how_winners_are_cut_into_chunks_changes_no_sum(amount_fen: int, sizes: list[int]) -> None:
    def share(weights: list[int]) -> splitting.Allotment:
        return splitting.allot(
            amount_fen=amount_fen, minimum_fen=0, winners=sum(weights), weights=weights, returns_remainder=True
        )

    whole, parts = share([sum(sizes)]), share(sizes)

    assert (whole.share_fen, whole.returned_fen) == (parts.share_fen, parts.returned_fen)
    base = whole.share_fen // sum(sizes) if sum(sizes) else 0
    assert list(parts.pots_fen) == [size * base for size in sizes]


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


def split(run: Settlement, *, amount_fen: int, remainder: str, chunk_hands: int) -> Settlement:
    Settlement.objects.filter(pk=run.pk).update(amount_fen=amount_fen, chunk_hands=chunk_hands)
    Pool.objects.filter(pk=run.pool_id).update(amount_fen=amount_fen, remainder=remainder)
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
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amount_fen=pools_fen,
    players=st.sets(st.integers(1, 300) | st.integers(2**40, 2**62), max_size=40),
    losers=st.sets(st.integers(1, 300), max_size=10),
    chunk_hands=st.integers(1, 50),
    remainder=remainders,
)
def test_the_same_sql_as_production_is_exact(
    closed: Settlement, amount_fen: int, players: set[int], losers: set[int], chunk_hands: int, remainder: str
) -> None:
    with undone():
        everybody = ", ".join(f"({player})" for player in players | losers)
        if everybody:
            deal(closed, f"VALUES {everybody}", f"player = ANY (ARRAY{sorted(players)}::bigint[])")

        run = split(closed, amount_fen=amount_fen, remainder=remainder, chunk_hands=chunk_hands)

        paid = make.payouts(run)
        assert set(paid) == players
        assert sum(paid.values()) + (run.returned_fen or 0) == amount_fen
        assert max(paid.values(), default=0) - min(paid.values(), default=0) <= (remainder == "share")
        verify(run)


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

        run = split(closed, amount_fen=21_500_000_000, remainder=remainder, chunk_hands=50_000)

        paid = make.payouts(run)
        assert Counter(paid.values()) == amounts
        assert run.returned_fen == returned_fen
        assert sum(paid.values()) + returned_fen == 21_500_000_000
        verify(run)
