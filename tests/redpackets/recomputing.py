"""The amounts of a settlement once more, from the prose of docs/money.md and not from the code: winner by winner.

Of the run it takes what anybody knows: the published secret, the rules, and where the chunks begin and end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from fractions import Fraction
from math import floor
from typing import Any

from redpackets.models import Settlement


def amounts(run: Settlement, split: dict[str, Any], winners: Collection[int]) -> dict[int, int]:
    """Fen by player, and what the sponsor gets back under the key 0 if that is anything."""
    mode, back = split.get("mode", "even"), split.get("remainder") == "return"
    minimum = split.get("minimum_fen", 0)
    dice = {player: _dice(run, player, weighs=mode == "random") for player in sorted(winners)}
    fen = dict.fromkeys(dice, minimum)
    left = run.amount_fen - minimum * len(fen)

    prizes = [one["prize_fen"] for one in split.get("jackpots", ()) for _ in range(one["count"])]
    for player, prize in zip(sorted(dice, key=lambda p: (dice[p][2], p)), prizes, strict=False):
        fen[player] += prize
        left -= prize
    assert left >= 0

    total = sum(weight for weight, _, _ in dice.values())
    shared = (left // total * total if back else left) if total else 0
    before = 0
    for low, high in run.chunks.order_by("number").values_list("low", "high"):
        mine = [player for player in dice if low <= player <= high]
        weight = sum(dice[player][0] for player in mine)
        pot = _until(shared, before + weight, total) - _until(shared, before, total)
        for player in mine:
            share = _until(shared, dice[player][0], total)
            fen[player] += share
            pot -= share
        for player in sorted(mine, key=lambda p: (dice[p][1], p))[:pot]:
            fen[player] += 1
        before += weight
    return fen | ({0: left - shared} if left > shared else {})


def _until(shared: int, weight: int, total: int) -> int:
    return floor(Fraction(shared * weight, total)) if total else 0


def _dice(run: Settlement, player: int, *, weighs: bool) -> tuple[int, int, int]:
    seed = hashlib.sha256(bytes(run.secret or b"")).digest()
    digest = hashlib.sha256(seed + run.pool_id.to_bytes(8, "big") + player.to_bytes(8, "big")).hexdigest()
    weight, h, j = (int(digest[2 * low : 2 * high], 16) for low, high in ((0, 3), (3, 11), (11, 19)))
    return weight + 1 if weighs else 1, h % 2**63, j % 2**63
