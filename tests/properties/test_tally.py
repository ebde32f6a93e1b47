"""How a vote is decided: by the counts alone, whatever the order, at the edges of quorum and threshold."""

from __future__ import annotations

import hashlib
from collections import Counter
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fortunes import tally

OPTIONS = st.integers(1, tally.MOST_OPTIONS)
COUNTS = st.dictionaries(OPTIONS, st.integers(0, 10**9), max_size=8)
QUORUMS = st.integers(0, 10**9)
THRESHOLDS = st.integers(0, tally.BASIS_POINTS - 1)


def decide(ballots: dict[int, int], quorum: int = 1, threshold_bp: int = 5_000) -> tally.Result:
    return tally.decide(ballots, quorum=quorum, threshold_bp=threshold_bp)


@given(st.lists(OPTIONS, max_size=60).flatmap(lambda votes: st.tuples(st.just(votes), st.permutations(votes))), QUORUMS)
def test_the_order_of_ballots_does_not_matter(votes: tuple[list[int], list[int]], quorum: int) -> None:
    one, other = votes
    assert decide(Counter(one), quorum) == decide(Counter(other), quorum)


@given(COUNTS, QUORUMS, THRESHOLDS, st.randoms())
def test_the_order_of_options_does_not_matter(ballots: dict[int, int], quorum: int, threshold: int, dice) -> None:
    options = list(ballots.items())
    dice.shuffle(options)
    assert decide(ballots, quorum, threshold) == decide(dict(options), quorum, threshold)


@given(COUNTS, QUORUMS, THRESHOLDS)
def test_every_ballot_counts_once(ballots: dict[int, int], quorum: int, threshold: int) -> None:
    assert decide(ballots, quorum, threshold).cast == sum(ballots.values())


@given(COUNTS, OPTIONS, QUORUMS, THRESHOLDS)
def test_an_option_without_a_ballot_changes_nothing(
    ballots: dict[int, int], option: int, quorum: int, threshold: int
) -> None:
    assert decide({option: 0} | ballots, quorum, threshold) == decide(ballots, quorum, threshold)


@given(COUNTS, QUORUMS, THRESHOLDS)
@example({1: 1, 2: 1}, 1, 0)
@example({1: 2, 2: 1, 3: 1}, 4, 5_000)
def test_the_outcome_is_what_the_rules_say_in_other_words(ballots: dict[int, int], quorum: int, threshold: int) -> None:
    """Recomputed with fractions instead of products, and with a sort instead of a search for the most."""
    cast = sum(ballots.values())
    ranked = sorted(((count, option) for option, count in ballots.items() if count), reverse=True)
    result = decide(ballots, quorum, threshold)

    if not ranked or cast < quorum:
        assert result.outcome == "no-quorum"
    elif len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
        assert result.outcome == "tie"
    elif Fraction(ranked[0][0], cast) > Fraction(threshold, tally.BASIS_POINTS):
        assert result == tally.Result("adopted", ranked[0][1], cast)
    else:
        assert result.outcome == "below-threshold"
    assert (result.winner is not None) == (result.outcome == "adopted")


@given(st.integers(1, 10**9))
def test_the_quorum_is_reached_by_as_many_ballots_and_by_no_fewer(quorum: int) -> None:
    assert decide({1: quorum}, quorum).outcome == "adopted"
    assert decide({1: quorum - 1}, quorum).outcome == "no-quorum"


def test_without_a_ballot_there_is_no_quorum_whatever_it_is() -> None:
    assert decide({}, 0) == decide({1: 0, 2: 0}, 0) == tally.Result("no-quorum", None, 0)


@given(st.integers(2, 10**6), st.integers(1, 10**6))
def test_half_is_not_more_than_half(half: int, scattered: int) -> None:
    """One option against many that nobody shares the first place with."""
    others = {2: half - half // 2, 3: half // 2}
    assert decide({1: half, **others}).outcome == "below-threshold"
    assert decide({1: half + scattered, **others}) == tally.Result("adopted", 1, 2 * half + scattered)


@given(st.integers(tally.BASIS_POINTS // 2 + 1, tally.BASIS_POINTS - 1))
def test_the_threshold_itself_does_not_suffice(threshold: int) -> None:
    """Ten thousand ballots: each is one hundredth of a percent."""
    rest = tally.BASIS_POINTS - threshold
    assert decide({1: threshold, 2: rest}, 1, threshold).outcome == "below-threshold"
    assert decide({1: threshold + 1, 2: rest - 1}, 1, threshold).outcome == "adopted"


@given(st.integers(1, 10**9), st.integers(2, 8), THRESHOLDS)
def test_a_shared_first_place_changes_nothing(most: int, leaders: int, threshold: int) -> None:
    ballots = dict.fromkeys(range(1, leaders + 1), most)
    assert decide(ballots, 1, threshold).outcome == "tie"
    assert decide(ballots | {99: most - 1}, 1, threshold).outcome == "tie"
    assert decide(ballots | {1: most + 1}, 1, 0).winner == 1


@given(st.integers(1, 2**40))
def test_a_tie_at_the_top_is_no_tie_below_it(most: int) -> None:
    assert decide({1: 2 * most + 1, 2: most, 3: most}, 1, 5_000).winner == 1


def test_fewer_than_no_ballots_are_impossible() -> None:
    with pytest.raises(ValueError, match="fewer"):
        decide({1: 3, 2: -1})


@given(st.uuids(), st.binary(min_size=16, max_size=16), OPTIONS)
def test_a_leaf_is_the_hash_of_proposal_receipt_and_option(proposal: UUID, receipt: bytes, option: int) -> None:
    told = bytes.fromhex(proposal.hex) + receipt + bytes([option])
    assert len(told) == 33
    assert tally.leaf(proposal, receipt, option) == hashlib.sha256(told).digest()


@given(st.uuids(), st.binary(min_size=16, max_size=16), st.lists(OPTIONS, min_size=2, max_size=2, unique=True))
def test_one_receipt_proves_one_option(proposal: UUID, receipt: bytes, options: list[int]) -> None:
    one, other = options
    assert tally.leaf(proposal, receipt, one) != tally.leaf(proposal, receipt, other)


@given(st.binary(max_size=40).filter(lambda receipt: len(receipt) != 16))
def test_a_receipt_has_sixteen_bytes(receipt: bytes) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        tally.leaf(UUID(int=0), receipt, 1)
