"""One player's season over REST."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from config.client import operations, shapes, votes
from config.client.operations import Operation
from config.client.verbs import Verbs

T = TypeVar("T")


class Season(Verbs):
    """What a player sees and does in one campaign, by its slug."""

    def __init__(self, campaign: str, call: Callable[..., Awaitable[Any]]) -> None:
        self.campaign = campaign
        self._call = call

    async def act(self, operation: Operation[T], key: str | None, **words: Any) -> T:
        words |= {"campaign": self.campaign} if "campaign" in operation.in_path else {}
        answer: T = await self._call(operation, key=key, **words)
        return answer

    async def look(self) -> shapes.Campaign:
        return await self.act(operations.CAMPAIGN, None)

    async def hand(self) -> shapes.HandSnapshot:
        return await self.act(operations.HAND, None)

    async def share(self) -> shapes.Share:
        return await self.act(operations.SHARE, None)

    async def settlement(self) -> shapes.Settlement:
        return await self.act(operations.SETTLEMENT, None)

    async def packet(self) -> shapes.Packet:
        return await self.act(operations.PACKET, None)

    async def rules(self) -> votes.Rules:
        """Those in force."""
        return await self.act(operations.RULES, None)

    async def rulebooks(self) -> list[votes.Rulebook]:
        """The newest versions, the last one first; `Client.pages` has all."""
        return (await self.act(operations.RULEBOOKS, None)).items

    async def amendments(self) -> list[votes.Amendment]:
        """The newest announced changes of the rules."""
        return (await self.act(operations.AMENDMENTS, None)).items

    async def announcements(self) -> list[votes.Announcement]:
        """Pinned ones first, then the newest."""
        return (await self.act(operations.ANNOUNCEMENTS, None)).items

    async def proposals(self) -> list[votes.Proposal]:
        """The newest votes."""
        return (await self.act(operations.PROPOSALS, None)).items

    async def proposal(self, proposal: str) -> votes.Proposal:
        return await self.act(operations.PROPOSAL, None, proposal=proposal)

    async def comment(self, proposal: str, text: str, *, key: str | None = None) -> votes.Comment:
        return await self.act(operations.COMMENT, key, proposal=proposal, text=text)

    async def ballot(self, proposal: str) -> votes.BallotReceipt:
        """One's own."""
        return await self.act(operations.BALLOT, None, proposal=proposal)

    async def broadcasts(self, after: int = 0) -> list[shapes.Notice]:
        return (await self.act(operations.BROADCASTS, None, after=after)).items

    async def scan(self, code: str, *, key: str | None = None) -> shapes.Scan:
        return await self.act(operations.SCAN, key, code=code)

    async def check_in(self, *, key: str | None = None) -> shapes.Scan:
        return await self.act(operations.CHECK_IN, key)

    async def open_packet(self, *, key: str | None = None) -> shapes.Opened:
        return await self.act(operations.OPEN_PACKET, key)

    async def trade(self, trade: str) -> shapes.Trade:
        return await self.act(operations.TRADE, None, trade=trade)

    async def suggestions(self) -> list[shapes.Suggestion]:
        """Swaps that would help both: `swap(item.gives, item.takes, of=Audience(one=item.to))`."""
        return (await self.act(operations.SUGGESTIONS, None)).items

    async def ranking(self) -> list[shapes.Ranked]:
        return (await self.act(operations.RANKING, None)).items

    async def claim(self, code: str, *, key: str | None = None) -> shapes.TradeReceipt:
        """Follow a link: get what it offers or give what it asks for, and become friends."""
        return await self.act(operations.CLAIM, key, code=code)
