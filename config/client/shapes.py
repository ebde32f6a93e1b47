"""What the server answers, as far as an app needs it. Members that are not named here are ignored.

Players, trades and draws are known by public ids, cards by their kind's slug; instants are RFC 3339 in UTC.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all shapes."""


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """`next` is the address of the next page."""

    items: list[T]
    next: str | None


class Player(Shape, frozen=True, kw_only=True):
    id: str
    username: str
    nickname: str


class Me(Player, frozen=True, kw_only=True):
    friend_count: int


class Tokens(Shape, frozen=True, kw_only=True):
    """`refresh` is good once."""

    access: str
    access_expires_at: str
    refresh: str


class Session(Shape, frozen=True, kw_only=True):
    player: Player
    tokens: Tokens


class Refreshed(Shape, frozen=True, kw_only=True):
    tokens: Tokens


class Friendship(Shape, frozen=True, kw_only=True):
    """`state` is `asking`, `asked`, `friends` or `blocked`."""

    player: Player
    state: str
    since: str


class Invitation(Shape, frozen=True, kw_only=True):
    code: str
    channel: str
    url: str


class Campaign(Shape, frozen=True, kw_only=True):
    """`server_time` is the clock that counts."""

    slug: str
    phase: str
    opens_at: str
    closes_at: str
    reveal_at: str
    server_time: str


class Hand(Shape, frozen=True, kw_only=True):
    """Cards by kind; those in escrow wait in links that nobody has opened. The version rises with every change."""

    counts: dict[str, int]
    escrow: dict[str, int]
    version: int


class Quota(Shape, frozen=True, kw_only=True):
    source: str
    per_day: int
    left_today: int
    left: int


class HandSnapshot(Shape, frozen=True, kw_only=True):
    """`seq` is the feed's position from before: pushes with a higher number are newer than this."""

    seq: int
    hand: Hand
    complete: bool
    quotas: list[Quota]


class Draw(Shape, frozen=True, kw_only=True):
    id: str
    kind: str
    serial: int | None


class Scan(Shape, frozen=True, kw_only=True):
    """A card, from a code or a check-in."""

    draw: Draw
    hand: Hand
    quota: Quota
    complete: bool


class Shared(Shape, frozen=True, kw_only=True):
    """A link that one spreads."""

    code: str
    channel: str
    url: str
    opens: int
    claims: int


class Trade(Shape, frozen=True, kw_only=True):
    """From its proposer's side: `gives` are the proposer's cards. `state` is `open` until it is `accepted`, `declined`,
    `cancelled`, `expired` or `voided`; `audience` is `one`, `some` or `link`.
    """

    id: str
    type: str
    state: str
    audience: str
    proposer: str
    recipient: str | None
    gives: list[str]
    takes: list[str]
    note: str | None
    link: Shared | None
    created_at: str
    expires_at: str | None
    closed_at: str | None


class TradeReceipt(Shape, frozen=True, kw_only=True):
    """A trade, and one's own hand after it."""

    trade: Trade
    hand: Hand


class Play(Shape, frozen=True, kw_only=True):
    """A special card that was played: `kind` was gained by it."""

    id: str
    type: str
    friend: str | None
    kind: str
    played_at: str


class PlayReceipt(Shape, frozen=True, kw_only=True):
    play: Play
    hand: Hand


class Spreader(Shape, frozen=True, kw_only=True):
    id: str
    nickname: str


class Link(Shape, frozen=True, kw_only=True):
    """What a link offers or asks for."""

    campaign: str
    type: str
    state: str
    proposer: Spreader
    gives: list[str]
    takes: list[str]
    note: str | None
    expires_at: str


class Moved(Shape, frozen=True, kw_only=True):
    """A card that came or went, and by what."""

    at: str
    direction: str
    kind: str
    via: str
    counterpart: str | None


class Presence(Shape, frozen=True, kw_only=True):
    """Which friends are online; unless `known`, only those that were heard of so far."""

    known: bool
    online: list[str]


class Suggestion(Shape, frozen=True, kw_only=True):
    """A swap from which both would get what they miss."""

    to: str
    gives: list[str]
    takes: list[str]


class Suggestions(Shape, frozen=True, kw_only=True):
    items: list[Suggestion]


class Ranked(Shape, frozen=True, kw_only=True):
    """A friend, or oneself."""

    place: int
    player: str
    nickname: str
    kinds: int
    cards: int
    complete_since: str | None


class Ranking(Shape, frozen=True, kw_only=True):
    items: list[Ranked]


class Share(Shape, frozen=True, kw_only=True):
    """How many sets are complete, and about how much each would get. Null before the first count."""

    complete: int | None
    each_fen: int | None
    counted_at: str | None


class Name(Shape, frozen=True, kw_only=True):
    """In both languages."""

    zh: str
    en: str


class Settlement(Shape, frozen=True, kw_only=True):
    state: str
    winners: int | None


class Packet(Shape, frozen=True, kw_only=True):
    """`state` is `none`, `sealed`, `ready` or `opened`."""

    state: str
    amount_fen: int | None
    reveal_at: str
    server_time: str


class Opened(Shape, frozen=True, kw_only=True):
    amount_fen: int
    wallet_balance_fen: int


class Wallet(Shape, frozen=True, kw_only=True):
    balance_fen: int


class Notice(Shape, frozen=True, kw_only=True):
    """An event or a broadcast as REST tells it."""

    event: str
    seq: int
    at: str
    campaign: str | None
    data: dict[str, Any]


class Notices(Shape, frozen=True, kw_only=True):
    items: list[Notice]
