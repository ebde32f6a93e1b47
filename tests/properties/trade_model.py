"""A season of trades in plain Python: what may be done, what comes of it, and what each player is told. No database.

Players are numbers, cards are slugs. Time is in hours since noon of the first day. A verb asks `why_not_…` first, in
the order in which the product refuses, and then does it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.properties.rule_model import Change

FORTUNES = ("patriotism", "prosperity", "harmony", "friendliness", "dedication")
SPECIALS = ("wild", "steal", "copy")
LIFETIME_H, PROTECTION_H, SEASON_H = 24, 20, 14 * 24
OPEN_TRADES, OPEN_LINKS, LINKS_PER_DAY, RECEIVED_PER_DAY = 4, 2, 3, 6
STEALS_PER_DAY, STEALS_PER_PAIR = 2, 1

Refusal = str | None


@dataclass
class Hand:
    cards: Counter[str] = field(default_factory=Counter)
    escrow: Counter[str] = field(default_factory=Counter)
    version: int = 0
    fed_day: int | None = None
    fed: int = 0
    robbed_at: int | None = None
    complete: bool = False

    def holds(self, kind: str) -> int:
        return self.cards[kind] + self.escrow[kind]


@dataclass
class Trade:
    id: str
    type: str
    audience: str
    proposer: int
    asked: list[int]
    gives: list[str]
    takes: list[str]
    made_at: int
    made_on: int
    state: str = "open"
    recipient: int | None = None
    declined: set[int] = field(default_factory=set)

    def still_asked(self) -> list[int]:
        return [player for player in self.asked if player not in self.declined]


class World:
    def __init__(self, names: Sequence[str], specials: Sequence[str]) -> None:
        self.names = list(names)
        self.hands = [Hand() for _ in names]
        self.friends = {frozenset((a, b)) for a in range(len(names)) for b in range(a)}
        self.blocks: set[tuple[int, int]] = set()
        self.trades: list[Trade] = []
        self.steals: list[tuple[int, int, int]] = []
        self.told: list[list[tuple[str, dict[str, Any]]]] = [[] for _ in names]
        self.specials = set(specials)
        self.wilds_fill = False
        self.changes: list[Change] = []
        self.now = 0
        self.minted = self.spent = 0

    # --- what is

    @property
    def today(self) -> int:
        return (self.now + 12) // 24

    @property
    def frozen(self) -> bool:
        return self.now >= SEASON_H

    def are_friends(self, one: int, other: int) -> bool:
        return frozenset((one, other)) in self.friends

    def friends_of(self, player: int) -> list[int]:
        return [other for other in range(len(self.names)) if self.are_friends(player, other)]

    def is_over(self, trade: Trade) -> bool:
        return trade.made_at + LIFETIME_H <= self.now

    def total(self) -> int:
        return sum(hand.cards.total() + hand.escrow.total() for hand in self.hands)

    # --- the world around

    def deal(self, player: int, kind: str) -> None:
        self.minted += 1
        self.hands[player].cards[kind] += 1
        self.keep(player)

    def pass_time(self, hours: int) -> None:
        self.now += hours

    # --- gifts

    def why_not_give(self, giver: int, to: int, kinds: Sequence[str]) -> Refusal:
        if giver == to:
            return "trade-with-oneself"
        if self.frozen:
            return "campaign-frozen"
        if self._barred(kinds):
            return "rule-forbids"
        if not self.are_friends(giver, to):
            return "friend-not-found"
        if not self._has(giver, kinds):
            return "card-not-held"
        return self._full(to, len(kinds))

    def give(self, giver: int, to: int, kinds: Sequence[str], trade: str) -> None:
        given = Trade(trade, "gift", "one", giver, [to], list(kinds), [], self.now, self.today, "accepted", to)
        self.trades.append(given)
        self._take(giver, kinds)
        self._put(to, kinds)
        self.tell(giver, "gift.sent", trade=trade, to=self.names[to], gives=list(kinds), **self._version(giver))
        self.tell(to, "gift.received", trade=trade, sender=self.names[giver], gives=list(kinds), **self.hand(to))

    # --- proposals

    def why_not_propose(
        self, by: int, audience: str, to: Sequence[int] | None, gives: Sequence[str], takes: Sequence[str]
    ) -> Refusal:
        """`to` is None for all friends, and empty for a link."""
        if to and by in to:
            return "trade-with-oneself"
        if self.frozen:
            return "campaign-frozen"
        if self._barred([*gives, *takes]):
            return "rule-forbids"
        if audience != "link" and not (self.friends_of(by) if to is None else set(to) <= set(self.friends_of(by))):
            return "friend-not-found"
        if not self._has(by, gives):
            return "card-not-held"
        mine = [trade for trade in self.trades if trade.proposer == by and trade.state == "open"]
        mine = [trade for trade in mine if not self.is_over(trade)]
        if len(mine) >= OPEN_TRADES:
            return "trade-limit-reached"
        if audience == "link" and (
            sum(trade.audience == "link" for trade in mine) >= OPEN_LINKS
            or sum(
                trade.audience == "link" and trade.proposer == by and trade.made_on >= self.today
                for trade in self.trades
            ) >= LINKS_PER_DAY
        ):  # fmt: skip
            return "link-limit-reached"
        return None

    def propose(
        self, by: int, type_: str, audience: str, to: Sequence[int] | None, gives: list[str], takes: list[str],
        trade: str, *, has_note: bool,
    ) -> Trade:  # fmt: skip
        asked = sorted(self.friends_of(by) if to is None else to)
        made = Trade(trade, type_, audience, by, asked, gives, takes, self.now, self.today)
        if audience == "one":
            made.recipient = asked[0]
        self.trades.append(made)
        if type_ == "gift":
            self.hands[by].cards -= Counter(gives)
            self.hands[by].escrow += Counter(gives)
            self.hands[by].version += 1
        for player in (by, *asked):
            self.tell(
                player, "trade.proposed", trade=trade, type=type_, audience=audience, proposer=self.names[by],
                gives=gives, takes=takes, has_note=has_note,
            )  # fmt: skip
        return made

    # --- answers

    def why_not_accept(self, trade: Trade, by: int) -> Refusal:
        if by not in trade.asked and by != trade.recipient:
            return "trade-with-oneself" if by == trade.proposer else "trade-not-found"
        if self.frozen:
            return "campaign-frozen"
        if not self.are_friends(by, trade.proposer) or trade.audience == "link":
            return "trade-not-found"
        return self._closed(trade, by) or self._uncovered(trade, by)

    def why_not_follow(self, trade: Trade, by: int) -> Refusal:
        if {(by, trade.proposer), (trade.proposer, by)} & self.blocks:
            return "link-not-found"
        if by == trade.proposer:
            return "trade-with-oneself"
        if trade.state != "open" and by != trade.recipient:
            return "trade-already-closed"
        if self.frozen:
            return "campaign-frozen"
        return self._closed(trade, by) or self._uncovered(trade, by)

    def accept(self, trade: Trade, by: int) -> None:
        self.friends.add(frozenset((by, trade.proposer)))
        if trade.type == "gift":
            self.hands[trade.proposer].escrow -= Counter(trade.gives)
        else:
            self.hands[trade.proposer].cards -= Counter(trade.gives)
        self.hands[by].cards -= Counter(trade.takes)
        self._put(by, trade.gives)
        self._put(trade.proposer, trade.takes)
        trade.state, trade.recipient = "accepted", by
        for player in (by, trade.proposer):
            self.tell(
                player, "trade.accepted", trade=trade.id, type=trade.type, proposer=self.names[trade.proposer],
                by=self.names[by], gives=trade.gives, takes=trade.takes, **self.hand(player),
            )  # fmt: skip
        self._close_for(trade, [player for player in trade.still_asked() if player != by], by=None)

    def why_not_decline(self, trade: Trade, by: int) -> Refusal:
        if by not in trade.asked and by != trade.recipient:
            return "trade-not-found"
        if self.frozen:
            return "campaign-frozen"
        return "trade-not-found" if trade.audience == "link" else self._closed(trade, by)

    def decline(self, trade: Trade, by: int) -> None:
        trade.declined.add(by)
        self._close_for(trade, [by], by=self.names[by], state="declined")
        if not trade.still_asked():
            trade.state = "declined"
            # The last of several who refuse didn't refuse for the others.
            self._close_for(trade, [trade.proposer], by=self.names[by] if trade.audience == "one" else None)

    def why_not_cancel(self, trade: Trade, by: int) -> Refusal:
        if by != trade.proposer:
            return "trade-not-found"
        if self.frozen:
            return "campaign-frozen"
        return self._closed(trade, by)

    def cancel(self, trade: Trade) -> None:
        trade.state = "cancelled"
        version = self._return([trade])
        by = self.names[trade.proposer]
        self._close_for(trade, [trade.proposer], by=by, version=version if trade.type == "gift" else None)
        self._close_for(trade, trade.still_asked(), by=by)

    def sweep(self) -> None:
        """What a worker does with those that are over."""
        if self.frozen:
            return
        self.end([trade for trade in self.trades if trade.state == "open" and self.is_over(trade)], "expired")

    def end(self, over: list[Trade], state: str) -> None:
        for trade in over:
            trade.state = state
        versions = {
            player: self._return([trade for trade in over if trade.proposer == player])
            for player in {trade.proposer for trade in over}
        }
        for trade in over:
            version = versions[trade.proposer] if trade.type == "gift" else None
            self._close_for(trade, [trade.proposer], by=None, version=version)
            self._close_for(trade, trade.still_asked(), by=None)

    # --- special cards

    def why_not_play(self, type_: str, by: int, friend: int | None, kind: str | None) -> Refusal:
        if self.frozen:
            return "campaign-frozen"
        if type_ not in self.specials:
            return "rule-forbids"
        if friend is not None and not self.are_friends(by, friend):
            return "friend-not-found"
        if not self.hands[by].cards[type_]:
            return "card-not-held"
        if type_ == "wild" and kind and self.hands[by].holds(kind):
            return "kind-held"
        if type_ == "copy" and friend is not None and kind and not self.hands[friend].holds(kind):
            return "friend-lacks-card"
        return self._spared(by, friend, kind) if type_ == "steal" and friend is not None else None

    def _spared(self, thief: int, victim: int, kind: str | None) -> Refusal:
        today = [friend for player, friend, day in self.steals if player == thief and day >= self.today]
        robbed = self.hands[victim]
        if len(today) >= STEALS_PER_DAY or today.count(victim) >= STEALS_PER_PAIR:
            return "steal-limit-reached"
        if robbed.robbed_at is not None and robbed.robbed_at + PROTECTION_H > self.now:
            return "player-protected"
        if kind is None:
            return None if self.doubles(victim) else "no-doubles"
        if not robbed.cards[kind]:
            return "friend-lacks-card"
        return "last-card-spared" if robbed.cards[kind] == 1 else None

    def doubles(self, player: int) -> list[str]:
        return [kind for kind in FORTUNES if self.hands[player].cards[kind] > 1]

    def play(self, type_: str, by: int, friend: int | None, kind: str, play: str) -> None:
        self.spent += 1
        self.hands[by].cards -= Counter([type_])
        self.hands[by].cards[kind] += 1
        self.keep(by)
        if type_ != "steal" or friend is None:
            self.minted += 1
            name = {"wild": "card.turned", "copy": "card.copied"}[type_]
            by_whom = {} if friend is None else {"friend": self.names[friend]}
            self.tell(by, name, play=play, kind=kind, **by_whom, **self.hand(by))
            return
        self.steals.append((by, friend, self.today))
        self.hands[friend].cards -= Counter([kind])
        self.hands[friend].robbed_at = self.now
        self.keep(friend)
        self.tell(by, "card.taken", play=play, friend=self.names[friend], kind=kind, **self.hand(by))
        self.tell(friend, "card.stolen", play=play, by=self.names[by], kind=kind, **self.hand(friend))

    # --- pieces

    def _has(self, player: int, kinds: Sequence[str]) -> bool:
        return Counter(kinds) <= self.hands[player].cards

    def _full(self, player: int, cards: int) -> Refusal:
        hand = self.hands[player]
        fed = hand.fed if hand.fed_day is not None and hand.fed_day >= self.today else 0
        return "receiver-limit-reached" if fed + cards > RECEIVED_PER_DAY else None

    def _closed(self, trade: Trade, by: int) -> Refusal:
        if trade.state != "open" or by in trade.declined:
            return "trade-already-closed"
        return "trade-expired" if self.is_over(trade) else None

    def _barred(self, kinds: Sequence[str]) -> bool:
        return any(kind in SPECIALS and kind not in self.specials for kind in kinds)

    def _uncovered(self, trade: Trade, by: int) -> Refusal:
        if self._barred([*trade.gives, *trade.takes]):
            return "rule-forbids"
        if not self._has(by, trade.takes):
            return "card-not-held"
        if trade.type != "gift" and not self._has(trade.proposer, trade.gives):
            return "offer-not-covered"
        return self._full(by, len(trade.gives)) or self._full(trade.proposer, len(trade.takes))

    def _take(self, player: int, kinds: Sequence[str]) -> None:
        self.hands[player].cards -= Counter(kinds)
        self.keep(player)

    def _put(self, player: int, kinds: Sequence[str]) -> None:
        hand = self.hands[player]
        hand.cards += Counter(kinds)
        if kinds:
            hand.fed = (hand.fed if hand.fed_day == self.today else 0) + len(kinds)
            hand.fed_day = self.today
        self.keep(player)

    def keep(self, player: int) -> None:
        self.hands[player].version += 1
        self.judge(player)

    def judge(self, player: int) -> None:
        hand = self.hands[player]
        missing = sum(not hand.holds(kind) for kind in FORTUNES)
        hand.complete = missing <= (hand.holds("wild") if self.wilds_fill else 0)

    def _return(self, trades: list[Trade]) -> int | None:
        """Back from escrow: the version of the hand after it, if it was touched."""
        gifts = [trade for trade in trades if trade.type == "gift"]
        if not gifts:
            return None
        hand = self.hands[gifts[0].proposer]
        for trade in gifts:
            hand.escrow -= Counter(trade.gives)
            hand.cards += Counter(trade.gives)
        hand.version += 1
        return hand.version

    def _close_for(
        self, trade: Trade, players: list[int], *, by: str | None, version: int | None = None, state: str | None = None
    ) -> None:
        for player in players:
            self.tell(player, "trade.closed", trade=trade.id, state=state or trade.state, by=by, hand_version=version)

    def _version(self, player: int) -> dict[str, Any]:
        return {"hand_version": self.hands[player].version}

    def hand(self, player: int) -> dict[str, Any]:
        return {**self._version(player), "complete": self.hands[player].complete}

    def tell(self, player: int, event: str, **data: Any) -> None:
        self.told[player].append((event, data))
