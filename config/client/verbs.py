"""What players do with cards and votes, over REST (season.py) and over the socket (sockets.py, line.py) alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from config.client import operations
from config.client.operations import Operation
from config.client.shapes import PlayReceipt, TradeReceipt
from config.client.votes import BallotReceipt

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Audience:
    """Who may accept: `one` friend, `some`, whoever follows a `link` of this channel, or else all friends."""

    one: str | None = None
    some: tuple[str, ...] = ()
    link: str | None = None

    @property
    def words(self) -> dict[str, Any]:
        if self.one:
            return {"to": self.one}
        if self.some:
            return {"to_some": list(self.some)}
        return {"link": self.link} if self.link else {"to_all": True}


ALL_FRIENDS = Audience()


class Verbs(ABC):
    """Each is done once for a `key`, a fresh one unless given. Raises Refused.

    Players are public ids, cards are kinds' slugs with one for each card.
    """

    @abstractmethod
    async def act(self, operation: Operation[T], key: str | None, **words: Any) -> T:
        """Do it, and have it answered, however often it has to be sent."""

    async def gift(self, to: str, gives: Sequence[str], *, key: str | None = None) -> TradeReceipt:
        """Cards to a friend, at once."""
        return await self.act(operations.GIFT, key, to=to, gives=list(gives))

    async def gift_by_link(
        self, channel: str, gives: Sequence[str], *, note: str | None = None, key: str | None = None
    ) -> TradeReceipt:
        """Cards to whoever is the first to follow the link; until then they wait in escrow."""
        return await self.act(operations.GIFT, key, link=channel, gives=list(gives), note=note)

    async def request(
        self, takes: Sequence[str], of: Audience, *, note: str | None = None, key: str | None = None
    ) -> TradeReceipt:
        """Ask for cards; the first to accept gives them."""
        return await self.act(operations.REQUEST, key, takes=list(takes), note=note, **of.words)

    async def swap(
        self,
        gives: Sequence[str],
        takes: Sequence[str],
        *,
        of: Audience,
        note: str | None = None,
        key: str | None = None,
    ) -> TradeReceipt:
        """Cards for cards, both or neither; not by link."""
        return await self.act(operations.SWAP, key, gives=list(gives), takes=list(takes), note=note, **of.words)

    async def accept(self, trade: str, *, key: str | None = None) -> TradeReceipt:
        return await self.act(operations.ACCEPT, key, trade=trade)

    async def decline(self, trade: str, *, key: str | None = None) -> TradeReceipt:
        return await self.act(operations.DECLINE, key, trade=trade)

    async def cancel(self, trade: str, *, key: str | None = None) -> TradeReceipt:
        return await self.act(operations.CANCEL, key, trade=trade)

    async def steal(self, friend: str, kind: str | None = None, *, key: str | None = None) -> PlayReceipt:
        """A card of this kind, or one of the friend's doubles by chance."""
        return await self.act(operations.STEAL, key, **{"from": friend, "kind": kind})

    async def wild(self, kind: str, *, key: str | None = None) -> PlayReceipt:
        """Turn a wild card into this kind, for good."""
        return await self.act(operations.WILD, key, kind=kind)

    async def copy(self, friend: str, kind: str, *, key: str | None = None) -> PlayReceipt:
        """A card like one that the friend holds, and keeps."""
        return await self.act(operations.COPY, key, **{"from": friend, "kind": kind})

    async def cast(self, proposal: str, option: int, *, key: str | None = None) -> BallotReceipt:
        """One's ballot, for the option of this number. Keep the receipt: it finds the ballot in the published list."""
        return await self.act(operations.CAST, key, proposal=proposal, option=option)
