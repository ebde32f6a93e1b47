"""How long a client waits before it tries again."""

from __future__ import annotations

import asyncio
import random

# How often a request or a command is sent until there is an answer: half a minute with the pauses between.
ATTEMPTS = 20
LONGEST_PAUSE_S = 4.0
# Whoever shall wait longer than this is told, and decides.
LONGEST_WAIT_S = 30.0


def is_worth_waiting(retry_after_s: float | None) -> bool:
    """Whether to wait for so long without a word."""
    return (retry_after_s or 0) <= LONGEST_WAIT_S


async def pause(attempt: int, at_least: float | None = None) -> None:
    """Longer from attempt to attempt, and never all clients at once."""
    longest = min(0.1 * 2**attempt, LONGEST_PAUSE_S)
    await asyncio.sleep((at_least or 0) + random.uniform(0, longest))
