"""What money answers over REST: plain structs, stored with the idempotency key where they answer a write."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from fortunes.rules import Jackpot
from redpackets.splitting import Tier


class PacketState(StrEnum):
    """`none`: not split yet, or nothing for you. `sealed` until the reveal, then `ready` until it is `opened`."""

    NONE = "none"
    SEALED = "sealed"
    READY = "ready"
    OPENED = "opened"


class PacketProof(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers under which the manifest knows this payout."""

    pool: int
    player: int


class PacketAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Your packet at `server_time`. The amount, and what proves it, are told once it is opened."""

    state: PacketState
    settled: bool
    reveal_at: str
    server_time: str
    amount_fen: int | None
    opened_at: str | None
    proof: PacketProof | None


class OpenedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An opened packet, and the wallet's balance after it."""

    amount_fen: int
    wallet_balance_fen: int
    opened_at: str


class WalletAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Your balance in fen (a hundredth of a yuan)."""

    balance_fen: int


class EntryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One posting of your wallet, positive for what came in; `source` and `destination` are kinds of account."""

    source: str
    destination: str
    campaign: str | None
    amount_fen: int
    at: str


class SettlementAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The public figures of a settlement; what a stage has not found yet is null.

    `commitment` is the SHA-256 of the settlement's secret, published before the opening; `secret` follows after the
    seal. `credited_after_s` says when unopened packets are credited: seconds after the reveal, null for never.
    `mode`, `remainder`, `minimum_fen` and `jackpots` are what the rules in force say, from the freeze on what they said
    then. Nobody gets less than `lowest_fen`.
    """

    state: str
    pool_fen: int
    mode: str
    remainder: str
    minimum_fen: int
    jackpots: list[Jackpot]
    commitment: str
    due_at: str
    reveal_at: str
    credited_after_s: int | None
    server_time: str
    winners: int | None
    lowest_fen: int | None
    paid_fen: int | None
    returned_fen: int | None
    sealed_at: str | None
    secret: str | None


class ShareAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How many sets are complete, and about how much each would get if the campaign closed now.

    Counted for everybody every now and then: `counted_at` says when, null before the first count. `each_fen` is rounded
    down, and null while nobody has a set. In an even split nobody gets less; in a random one it is the average; in a
    tiered one jackpots come on top. From the freeze on these are the figures of the settlement.
    """

    complete: int | None
    each_fen: int | None
    counted_at: str | None
    server_time: str


class ShareChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a new count, if they are others than before."""

    complete: int
    each_fen: int | None
    counted_at: str


class ChunkThreshold(msgspec.Struct, frozen=True, kw_only=True):
    """Winners of the chunk with (h, player) up to and including this one get one fen more. `h` is a decimal string."""

    h: str
    player: int


class ManifestChunk(msgspec.Struct, frozen=True, kw_only=True):
    """A range of player ids; hashes are hex."""

    number: int
    low: int
    high: int
    winners: int
    ids_hash: str
    weight: int
    pot_fen: int
    prizes_fen: int
    bonus: int
    threshold: ChunkThreshold | None
    payouts_hash: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a stranger needs to recompute every payout; `docs/verify/settlement.py` does so.

    A winner held every kind of `complete_set`. Where the rules said so, each card of the kind `wild` stood for a
    missing one; null where they didn't. `jackpots` are those that were drawn: (j, player) of their winners come up to
    theirs, and are above that of the one before.
    """

    version: int
    campaign: str
    frozen_at: str
    rulebook_version: int
    complete_set: list[str]
    wild: str | None
    pool: int
    mode: str
    remainder: str
    amount_fen: int
    minimum_fen: int
    winners: int
    weight: int
    jackpots: list[Tier]
    prizes_fen: int
    share_fen: int
    returned_fen: int
    commitment: str
    secret: str
    public_value: str
    seed: str
    merkle_root: str
    chunks: list[ManifestChunk]


def plain(answer: msgspec.Struct) -> dict[str, Any]:
    """The JSON-like form."""
    built: dict[str, Any] = msgspec.to_builtins(answer)
    return built
