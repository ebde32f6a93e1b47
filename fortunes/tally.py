"""How a vote is counted and decided, and what is published of a ballot. Pure: integers and bytes in, results out.

    leaf   = SHA-256(proposal ‖ receipt ‖ option)       16, 16 and 1 bytes
    digest = SHA-256(leaf₁ ‖ leaf₂ ‖ …)                 leaves in ascending order

An option is adopted if the quorum was reached, it alone has the most ballots, and ballots · 10,000 > threshold · cast.
In all other cases nothing changes. docs/verify/ballots.py says the same in other words, for strangers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

RECEIPT_BYTES = 16
# An option's number is one byte of a leaf.
MOST_OPTIONS = 255
BASIS_POINTS = 10_000

Outcome = Literal["adopted", "no-quorum", "below-threshold", "tie"]


@dataclass(frozen=True, slots=True)
class Result:
    """What a vote has decided; there is a `winner` only if it was adopted."""

    outcome: Outcome
    winner: int | None
    cast: int


def leaf(proposal: UUID, receipt: bytes, option: int) -> bytes:
    """What is published of one ballot: who has the receipt finds it, and nobody else knows whose it is."""
    if len(receipt) != RECEIPT_BYTES:
        raise ValueError(f"a receipt has {RECEIPT_BYTES} bytes, not {len(receipt)}")
    return hashlib.sha256(proposal.bytes + receipt + option.to_bytes(1)).digest()


def decide(ballots: Mapping[int, int], *, quorum: int, threshold_bp: int) -> Result:
    """The result of `ballots` by the options' numbers. Without a ballot there is no quorum, whatever it is."""
    if any(count < 0 for count in ballots.values()):
        raise ValueError("there are no fewer than no ballots")
    cast = sum(ballots.values())
    if cast == 0 or cast < quorum:
        return Result("no-quorum", None, cast)
    most = max(ballots.values())
    first = [option for option, count in ballots.items() if count == most]
    if len(first) > 1:
        return Result("tie", None, cast)
    if most * BASIS_POINTS <= threshold_bp * cast:
        return Result("below-threshold", None, cast)
    return Result("adopted", first[0], cast)
