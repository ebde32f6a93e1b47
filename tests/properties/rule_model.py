"""Changes of the rules in the model of trades, and what follows from them for cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.properties.trade_model import World

# What a card becomes where there are no wild cards any more.
FEN = 3


@dataclass
class Change:
    """A version of the rules that no worker has followed yet: what becomes of the cards of which kinds."""

    removed: set[str]
    promises: dict[str, str]
    completes: bool


def change(world: World, specials: set[str], *, wilds_fill: bool) -> dict[str, str]:
    """What is promised for the cards of each role that is removed: a wild card if they still count, or money."""
    removed = world.specials - specials
    promises = dict.fromkeys(removed, "wild" if "wild" in specials else "fen")
    world.changes.append(Change(removed, promises, wilds_fill != world.wilds_fill))
    world.specials, world.wilds_fill = specials, wilds_fill
    return promises


def follow(world: World) -> None:
    """What a worker does with versions of the rules, one after the other."""
    for version in world.changes:
        void = [trade for trade in world.trades if {*trade.gives, *trade.takes} & version.removed]
        world.end([trade for trade in void if trade.state == "open"], "voided")
        for player in range(len(world.names)):
            _convert(world, player, version.promises)
            if version.completes:
                world.judge(player)
    world.changes.clear()


def _convert(world: World, player: int, promises: dict[str, str]) -> None:
    cards = world.hands[player].cards
    # In the order of the kinds.
    found = [(kind, cards[kind]) for kind in ("wild", "steal", "copy") if kind in promises and cards[kind]]
    for kind, count in found:
        world.spent += count
        del cards[kind]
        if promises[kind] == "wild":
            world.minted += count
            cards["wild"] += count
    if found:
        world.keep(player)
    for kind, count in found:
        into = ["wild"] * count if promises[kind] == "wild" else []
        fen = 0 if into else count * FEN
        world.tell(player, "card.converted", kind=kind, cards=count, into=into, fen=fen, **world.hand(player))
