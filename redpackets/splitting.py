"""How a pool is shared out between chunks of winners. Pure: integers and hashes in, integers and hashes out.

    P′ = P − n·m − Σ prizes           what is shared by weight; with the rule `return` rounded down to a multiple of W
    A_k = ⌊P′·C_k / W⌋ − ⌊P′·C_{k−1} / W⌋       the pot of chunk k, with C the prefix sums of the chunks' weights
    amount = m + ⌊P′·w / W⌋ + [(h, player) ≤ τ_k] + prize     what a winner of chunk k gets

The pots telescope to P′. Inside a chunk the bases sum to at most A_k and to at least A_k − n_k, so R_k = A_k − Σ base
winners, those with the smallest (h, player), get one fen more: the statement `post_chunk.sql` does that, for
thousands of winners at once. The rest is chance that nobody could choose, three numbers of each winner:

    d = SHA-256(seed ‖ int64be(pool) ‖ int64be(player)),  seed = SHA-256(secret ‖ public value)
    w = int(d[0:3]) + 1 in random mode, else 1;  h = int(d[3:11]) mod 2⁶³;  j = int(d[11:19]) mod 2⁶³

In tiered mode the winners with the smallest (j, player) have the jackpots, in the order in which the rules name them.
Where there are fewer winners than jackpots, the prizes that nobody draws stay in P′. m = 0 except in random mode.

The secret's SHA-256 is published before the opening. No public source is named so far, so the public value is empty
and the seed rests on the commitment alone; docs/money.md says what that proves and what it doesn't.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise

import msgspec

from fortunes.rules import Jackpot, Split

PUBLIC_VALUE = b""


class TooLittle(ValueError):
    """The pool can't pay what was promised to so many winners."""


@dataclass(frozen=True, slots=True)
class Allotment:
    """What each chunk may pay, in the order of the chunks, and what nobody gets.

    Σ `pots_fen` = `share_fen`, and n·m + Σ prizes + `share_fen` + `returned_fen` = P.
    """

    share_fen: int
    returned_fen: int
    weights_before: tuple[int, ...]
    pots_fen: tuple[int, ...]


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """A jackpot as it was drawn: so many winners have this prize, the last of them with (`j`, `player`).

    Their (j, player) are above those of the tier before. `j` is a decimal string: JSON numbers above 2⁵³ are rounded by
    many readers.
    """

    count: int
    prize_fen: int
    j: str
    player: int


@dataclass(frozen=True, slots=True)
class Contender:
    """A winner who may have drawn a jackpot, with their j."""

    j: int
    player: int


def prizes_fen(jackpots: Sequence[Jackpot], *, winners: int) -> int:
    """What the jackpots cost that so many winners draw."""
    return sum(islice(_prizes(jackpots), winners))


def _prizes(jackpots: Sequence[Jackpot]) -> Iterator[int]:
    for jackpot in jackpots:
        yield from [jackpot.prize_fen] * jackpot.count


def missing_fen(split: Split, *, amount_fen: int, winners: int) -> int:
    """How much a pool lacks to pay so many winners their minimum and all jackpots; 0 if it can."""
    promised = winners * split.minimum_fen + sum(jackpot.count * jackpot.prize_fen for jackpot in split.jackpots)
    return max(0, promised - amount_fen)


def about_each(split: Split, *, amount_fen: int, winners: int) -> int | None:
    """What each of so many gets, jackpots apart: at least that in an even split, on average in a random one.

    None if there is nobody.
    """
    if winners == 0:
        return None
    return max(0, amount_fen - prizes_fen(split.jackpots, winners=winners)) // winners


def draw(jackpots: Sequence[Jackpot], contenders: Sequence[Contender]) -> list[Tier]:
    """The tiers that are drawn, in the order of the rules; `contenders` come in ascending order of (j, player)."""
    tiers, drawn = [], 0
    for jackpot in jackpots:
        lucky = contenders[drawn : drawn + jackpot.count]
        if lucky:
            last = lucky[-1]
            tiers.append(Tier(count=len(lucky), prize_fen=jackpot.prize_fen, j=str(last.j), player=last.player))
        drawn += len(lucky)
    return tiers


def prizes_by_chunk(jackpots: Sequence[Jackpot], contenders: Sequence[Contender], *, highs: Sequence[int]) -> list[int]:
    """What the jackpots of each chunk cost; `highs` are the chunks' last players, ascending."""
    fen = [0] * len(highs)
    for contender, prize in zip(contenders, _prizes(jackpots), strict=False):
        fen[bisect_left(highs, contender.player)] += prize
    return fen


def allot(
    *,
    amount_fen: int,
    minimum_fen: int,
    prizes_fen: int,
    winners: int,
    weights: Sequence[int],
    returns_remainder: bool,
) -> Allotment:
    """Share `amount_fen` between chunks of these weights. Raises TooLittle if it can't pay minimum and prizes."""
    total = sum(weights)
    left = amount_fen - winners * minimum_fen - prizes_fen
    if left < 0:
        raise TooLittle(
            f"{amount_fen} fen can't pay {winners} winners {minimum_fen} fen each, and {prizes_fen} fen of jackpots"
        )
    share = left if total else 0
    if total and returns_remainder:
        share -= share % total
    prefix = list(accumulate(weights, initial=0))
    ends = [share * until // total if total else 0 for until in prefix]
    return Allotment(
        share_fen=share,
        returned_fen=left - share,
        weights_before=tuple(prefix[:-1]),
        pots_fen=tuple(end - start for start, end in pairwise(ends)),
    )


def seed(secret: bytes, public_value: bytes = PUBLIC_VALUE) -> bytes:
    """The 32 bytes that decide all that is left to chance."""
    return hashlib.sha256(secret + public_value).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root of a Merkle tree as in RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + merkle_root(leaves[:left]) + merkle_root(leaves[left:])).digest()
