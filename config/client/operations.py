"""What can be asked of the server: one value an operation, with what goes in and what comes back.

docs/openapi.yaml and docs/asyncapi.json describe them all; tests/realtime/test_contract.py compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from config.client import shapes, votes
from config.client.shapes import Page

T = TypeVar("T")


@dataclass(frozen=True)
class Operation(Generic[T]):
    """`fields` are those of the body, or of a GET's query; what the path names comes from the same words.

    An operation with a `key` moves something and is done once, however often it's sent. `op` is the socket's command
    that is the same act; `fixed` are the members of a body that say which of several acts it is.
    """

    method: str
    path: str
    answer: type[T]
    fields: tuple[str, ...] = ()
    key: bool = False
    op: str | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_path(self) -> tuple[str, ...]:
        return tuple(name for _, name, _, _ in Formatter().parse(self.path) if name)

    def address(self, words: Mapping[str, Any]) -> str:
        return self.path.format(**{name: quote(str(words[name]), safe="") for name in self.in_path})

    def body(self, words: Mapping[str, Any]) -> dict[str, Any]:
        """What of these words is said in the body. Nothing may be lost on the way."""
        given = {name: value for name, value in words.items() if value is not None and name not in self.in_path}
        if unknown := given.keys() - set(self.fields):
            raise TypeError(f"{self.method} {self.path} knows no {', '.join(sorted(unknown))}")
        return {**self.fixed, **given}


SIGN_UP = Operation("POST", "players", shapes.Session, ("username", "password", "nickname", "invitation"))
SIGN_IN = Operation("POST", "sessions", shapes.Session, ("username", "password"))
SIGN_IN_FROM_HOST = Operation("POST", "sessions/federated", shapes.Session, ("token", "invitation"))
REFRESH = Operation("POST", "sessions/refresh", shapes.Refreshed, ("refresh",))
SIGN_OUT = Operation("DELETE", "sessions/current", type(None))

ME = Operation("GET", "me", shapes.Me)
WALLET = Operation("GET", "wallet", shapes.Wallet)
EVENTS = Operation("GET", "events", shapes.Notices, ("after", "limit"))
BROADCASTS = Operation("GET", "campaigns/{campaign}/broadcasts", shapes.Notices, ("after", "limit"))

FRIENDS = Operation("GET", "friendships", Page[shapes.Friendship], ("limit", "cursor"))
BEFRIEND = Operation("POST", "friendships", shapes.Friendship, ("player",))
ACCEPT_FRIEND = Operation("POST", "friendships/{player}/acceptance", shapes.Friendship)
PRESENCE = Operation("GET", "friendships/presence", shapes.Presence)
INVITE = Operation("POST", "invitations", shapes.Invitation, ("channel",))
FOLLOW = Operation("POST", "invitations/{code}/acceptance", shapes.Friendship)

CAMPAIGN = Operation("GET", "campaigns/{campaign}", shapes.Campaign)
RULES = Operation("GET", "campaigns/{campaign}/rules", votes.Rules)
RULEBOOK = Operation("GET", "campaigns/{campaign}/rulebooks/{version}", votes.Rules)
RULEBOOKS = Operation("GET", "campaigns/{campaign}/rulebooks", Page[votes.Rulebook], ("limit", "cursor"))
AMENDMENTS = Operation("GET", "campaigns/{campaign}/amendments", Page[votes.Amendment], ("limit", "cursor"))
ANNOUNCEMENTS = Operation("GET", "campaigns/{campaign}/announcements", Page[votes.Announcement], ("limit", "cursor"))
HAND = Operation("GET", "campaigns/{campaign}/hand", shapes.HandSnapshot)
SHARE = Operation("GET", "campaigns/{campaign}/share", shapes.Share)
SETTLEMENT = Operation("GET", "campaigns/{campaign}/settlement", shapes.Settlement)
PACKET = Operation("GET", "campaigns/{campaign}/packet", shapes.Packet)
TRADE = Operation("GET", "trades/{trade}", shapes.Trade)
TRADES = Operation("GET", "campaigns/{campaign}/trades", Page[shapes.Trade], ("box", "state", "limit", "cursor"))
HISTORY = Operation("GET", "campaigns/{campaign}/history", Page[shapes.Moved], ("limit", "cursor"))
SUGGESTIONS = Operation("GET", "campaigns/{campaign}/suggestions", shapes.Suggestions)
RANKING = Operation("GET", "campaigns/{campaign}/ranking", shapes.Ranking)
LINK = Operation("GET", "links/{code}", shapes.Link)
CLAIM = Operation("POST", "links/{code}/acceptance", shapes.TradeReceipt, key=True)

SCAN = Operation("POST", "campaigns/{campaign}/scans", shapes.Scan, ("code",), key=True)
CHECK_IN = Operation("POST", "campaigns/{campaign}/check-ins", shapes.Scan, key=True)
OPEN_PACKET = Operation("POST", "campaigns/{campaign}/packet/opening", shapes.Opened, key=True)

PROPOSALS = Operation("GET", "campaigns/{campaign}/proposals", Page[votes.Proposal], ("limit", "cursor"))
PROPOSAL = Operation("GET", "proposals/{proposal}", votes.Proposal)
BALLOT = Operation("GET", "proposals/{proposal}/ballot", votes.BallotReceipt)
COMMENTS = Operation("GET", "proposals/{proposal}/comments", Page[votes.Comment], ("limit", "cursor"))
COMMENT = Operation("POST", "proposals/{proposal}/comments", votes.Comment, ("text",), key=True)
TAKE_BACK_COMMENT = Operation("DELETE", "comments/{comment}", type(None))
BALLOTS = Operation("GET", "proposals/{proposal}/ballots", Page[votes.Leaf], ("limit", "cursor"))

# What friends do: each over REST, and as a command of the socket.

GIFT = Operation(
    "POST",
    "campaigns/{campaign}/trades",
    shapes.TradeReceipt,
    ("to", "link", "gives", "note"),
    key=True,
    op="trade.gift",
    fixed={"type": "gift"},
)
REQUEST = Operation(
    "POST",
    "campaigns/{campaign}/trades",
    shapes.TradeReceipt,
    ("to", "to_some", "to_all", "link", "takes", "note"),
    key=True,
    op="trade.request",
    fixed={"type": "request"},
)
SWAP = Operation(
    "POST",
    "campaigns/{campaign}/trades",
    shapes.TradeReceipt,
    ("to", "to_some", "to_all", "gives", "takes", "note"),
    key=True,
    op="trade.swap",
    fixed={"type": "swap"},
)
ACCEPT = Operation("POST", "trades/{trade}/acceptance", shapes.TradeReceipt, key=True, op="trade.accept")
DECLINE = Operation("POST", "trades/{trade}/refusal", shapes.TradeReceipt, key=True, op="trade.decline")
CANCEL = Operation("POST", "trades/{trade}/cancellation", shapes.TradeReceipt, key=True, op="trade.cancel")
STEAL = Operation("POST", "campaigns/{campaign}/steals", shapes.PlayReceipt, ("from", "kind"), key=True, op="steal")
WILD = Operation("POST", "campaigns/{campaign}/wilds", shapes.PlayReceipt, ("kind",), key=True, op="wild")
COPY = Operation("POST", "campaigns/{campaign}/copies", shapes.PlayReceipt, ("from", "kind"), key=True, op="copy")
CAST = Operation("POST", "proposals/{proposal}/ballot", votes.BallotReceipt, ("option",), key=True, op="ballot.cast")
