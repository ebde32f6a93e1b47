"""Do the cards fall as the published odds say? Pearson's chi-square test. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence


def chi_square(counts: Sequence[int], weights: Sequence[float]) -> float:
    """How likely a deviation from `weights` at least as large as that of `counts` is, if the weights are true.

    Kinds of weight 0 must not have come; 0.0 if they have. The p-value is by Wilson and Hilferty (1931), good to some
    thousandths in the middle and to a few parts in a hundred far out, which is all that a threshold of 1e-6 needs.
    """
    pairs = list(zip(counts, weights, strict=True))
    if any(count for count, weight in pairs if not weight):
        return 0.0
    pairs = [pair for pair in pairs if pair[1]]
    total, all_weights, freedom = sum(counts), sum(weights), len(pairs) - 1
    if not total or not freedom:
        return 1.0
    expected = [total * weight / all_weights for _, weight in pairs]
    statistic = sum((count - mean) ** 2 / mean for (count, _), mean in zip(pairs, expected, strict=True))
    spread = 2 / (9 * freedom)
    z = ((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return math.erfc(z / math.sqrt(2)) / 2
