"""How a pool is shared out between chunks of winners. Pure: integers and hashes in, integers and hashes out.

    P′ = P − n·m                      what is shared by weight; with the rule `return` rounded down to a multiple of W
    A_k = ⌊P′·C_k / W⌋ − ⌊P′·C_{k−1} / W⌋       the pot of chunk k, with C the prefix sums of the chunks' weights
    amount = m + ⌊P′·w / W⌋ + [(h, player) ≤ τ_k]     what a winner of chunk k gets

The pots telescope to P′. Inside a chunk the bases sum to at most A_k and to at least A_k − n_k, so R_k = A_k − Σ base
winners, those with the smallest (h, player), get one fen more: the statement `post_chunk.sql` does that, for
thousands of winners at once. In even mode m = 0 and every w is 1. h is chance that nobody could choose:

    d = SHA-256(seed ‖ int64be(pool) ‖ int64be(player)),  h = int(d[3:11]) mod 2⁶³
    seed = SHA-256(secret ‖ public value)

The secret's SHA-256 is published before the opening. No public source is named so far, so the public value is empty
and the seed rests on the commitment alone; docs/money.md says what that proves and what it doesn't.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

PUBLIC_VALUE = b""


@dataclass(frozen=True, slots=True)
class Allotment:
    """What each chunk may pay, in the order of the chunks, and what nobody gets.

    Σ `pots_fen` = `share_fen`, and n·m + `share_fen` + `returned_fen` = P.
    """

    share_fen: int
    returned_fen: int
    weights_before: tuple[int, ...]
    pots_fen: tuple[int, ...]


def allot(
    *, amount_fen: int, minimum_fen: int, winners: int, weights: Sequence[int], returns_remainder: bool
) -> Allotment:
    """Share `amount_fen` between chunks of these weights. Raises ValueError if it can't pay the minimum."""
    total = sum(weights)
    share = amount_fen - winners * minimum_fen
    if share < 0:
        raise ValueError(f"{amount_fen} fen can't pay {winners} winners {minimum_fen} fen each")
    if total == 0:
        share = 0
    elif returns_remainder:
        share -= share % total
    prefix = list(accumulate(weights, initial=0))
    ends = [share * until // total if total else 0 for until in prefix]
    return Allotment(
        share_fen=share,
        returned_fen=amount_fen - winners * minimum_fen - share,
        weights_before=tuple(prefix[:-1]),
        pots_fen=tuple(end - start for start, end in pairwise(ends)),
    )


def seed(secret: bytes, public_value: bytes = PUBLIC_VALUE) -> bytes:
    """The 32 bytes that decide who gets one fen more."""
    return hashlib.sha256(secret + public_value).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root of a Merkle tree as in RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + merkle_root(leaves[:left]) + merkle_root(leaves[left:])).digest()
