"""The draw: from a roll to a card. Pure, so that a stranger can replay it (docs/verify/draws.py does).

    roll        = HMAC-SHA256(draw secret, scan key ‖ player)
    scan key    = int64be(campaign) ‖ int16be(source) ‖ nonce
    wish        = the kind at (int(roll[0:8]) · W) >> 64 along the integer weights, W their sum
    alternative = the same with roll[8:16] over the uncapped kinds

The alternative is given where the wish is capped and exhausted. A player can't choose the scan key, and can't compute
the roll. An operator who holds both the draw key and a code key could search for codes that please a given player; so
codes are best printed where the draw keys are not (docs/operations.md).

A random double that is stolen is decided by the same secret:

    roll      = HMAC-SHA256(draw secret, steal key ‖ thief)
    steal key = "steal" ‖ int64be(campaign) ‖ int64be(number of this steal among the thief's in the campaign, from 1)
    double    = the kind at (int(roll[0:8]) · n) >> 64 among the n fortune kinds that the victim holds twice, ascending

So is the random fortune that a card becomes whose kind a version of the rules removes:

    roll           = HMAC-SHA256(draw secret, conversion key ‖ player)
    conversion key = "convert" ‖ int64be(campaign) ‖ int32be(version) ‖ int16be(kind) ‖ int32be(card, from 0)
    fortune        = the kind at (int(roll[0:8]) · W) >> 64 along the version's weights of the uncapped fortunes
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Odds:
    """Integer weights by kind ordinal, and which kinds are capped."""

    weights: tuple[int, ...]
    capped: tuple[bool, ...]

    @property
    def uncapped(self) -> tuple[int, ...]:
        return tuple(0 if capped else weight for weight, capped in zip(self.weights, self.capped, strict=True))


def scan_key(*, campaign_id: int, source: int, nonce: bytes) -> bytes:
    """What a scan is known by, before anybody can know what it yields."""
    return campaign_id.to_bytes(8) + source.to_bytes(2) + nonce


def steal_key(*, campaign_id: int, number: int) -> bytes:
    """What a steal is known by. A scan key begins with the high byte of a campaign's id, so none is the same."""
    return b"steal" + campaign_id.to_bytes(8) + number.to_bytes(8)


def conversion_key(*, campaign_id: int, version: int, kind: int, place: int) -> bytes:
    """What a card that is converted is known by: the `place`-th of its kind that a player holds, from 0."""
    return b"convert" + campaign_id.to_bytes(8) + version.to_bytes(4) + kind.to_bytes(2) + place.to_bytes(4)


def roll(secret: bytes, key: bytes, player_id: int) -> bytes:
    """The 32 bytes that decide a draw."""
    return hmac.digest(secret, key + player_id.to_bytes(8), "sha256")


def choose(weights: Sequence[int], number: bytes) -> int:
    """The ordinal that an 8-byte big-endian number falls on. The weights must not sum to zero."""
    point = (int.from_bytes(number) * sum(weights)) >> 64
    for ordinal, weight in enumerate(weights):
        if point < weight:
            return ordinal
        point -= weight
    raise ValueError("the weights sum to zero")


def outcome(odds: Odds, rolled: bytes) -> tuple[int, int]:
    """(wish, alternative) as kind ordinals. Equal where the wish is uncapped and needs no alternative."""
    wish = choose(odds.weights, rolled[0:8])
    return (wish, choose(odds.uncapped, rolled[8:16])) if odds.capped[wish] else (wish, wish)
