"""The live share on its way to the sockets of this process: one read a campaign and count, whoever listens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from config.sockets import frames
from fortunes import threads
from redpackets.actions import showing

log = logging.getLogger("fortunes.socket")

EVENT = "share.changed"


class Shares:
    """Tells a campaign's sockets its figures when they are others than it told last."""

    def __init__(self, tell: Callable[[int, str], None]) -> None:
        self._tell = tell
        self._told: dict[int, tuple[int, int | None]] = {}
        # One after the other, so that an older answer can't come in last.
        self._one_reads = asyncio.Lock()
        # The loop keeps no strong reference to a task.
        self._tasks: set[asyncio.Task[None]] = set()

    def heard(self, campaign_id: int) -> None:
        """There is a new count: read and tell it. One comes every 10 s at most, so reads don't pile up."""
        task = asyncio.create_task(self._announce(campaign_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def compare(self, campaigns: Collection[int]) -> None:
        """Make up for bells that nobody heard, and forget the campaigns that nobody watches any more."""
        async with self._one_reads:
            self._told = {campaign: told for campaign, told in self._told.items() if campaign in campaigns}
            await self._read(campaigns)

    async def _announce(self, campaign_id: int) -> None:
        try:
            async with self._one_reads:
                await self._read([campaign_id])
        except Exception as error:  # the database is away; the next comparison makes up for it
            log.warning("a live share can't be read: %r", error)

    async def _read(self, campaigns: Collection[int]) -> None:
        for campaign_id, share in (await threads.run(showing.live_shares, campaigns=campaigns)).items():
            figures = (share.complete, share.each_fen)
            if self._told.get(campaign_id) != figures:
                self._told[campaign_id] = figures
                self._tell(campaign_id, frames.ephemeral(EVENT, share.counted_at, share))
