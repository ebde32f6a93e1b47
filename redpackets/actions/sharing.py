"""What the settlement does with the winners of one chunk, set-based, and the draw of the jackpots among them.

Everything here runs inside the transaction of a stage (stages.py), and follows from the frozen hands and the seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from fortunes import rules, sql
from redpackets import answers, splitting
from redpackets.actions import splits
from redpackets.manifests import known
from redpackets.models import Settlement, SettlementChunk


def snapshot(chunk: SettlementChunk) -> dict[str, Any]:
    """What says who wins in a chunk: the parameters of redpackets_winners."""
    settlement = chunk.settlement
    return {
        "campaign": settlement.pool.campaign_id,
        "low": chunk.low,
        "high": chunk.high,
        "kinds": settlement.complete_kinds,
        "wild": settlement.wild_kind,
        "frozen_at": settlement.frozen_at,
    }


def weigh(chunk: SettlementChunk, *, seed: bytes) -> int:
    """The weight of a chunk's winners; in tiered mode, where each weighs 1, note who of them may draw a jackpot."""
    split, drawing = splits.of(chunk.settlement), snapshot(chunk) | {"pool": chunk.settlement.pool_id, "seed": seed}
    if split.mode == "random":
        weight: int = sql.fetch(sql.text("redpackets", "weigh_chunk"), drawing)[0].weight
        return weight
    contending = drawing | {"settlement": chunk.settlement_id, "most": _number(split.jackpots)}
    sql.execute(sql.text("redpackets", "contend_chunk"), contending)
    return known(chunk.winners)


def draw(settlement: Settlement) -> dict[str, Any]:
    """Decide the jackpots among those noted, tell the chunks what theirs cost; the changes to the settlement."""
    jackpots = splits.of(settlement).jackpots
    if not jackpots:
        return {}
    noted = settlement.contenders.order_by("j", "player").values_list("j", "player")
    first = [splitting.Contender(j, player) for j, player in noted[: _number(jackpots)]]
    chunks = list(settlement.chunks.order_by("number").values_list("number", "high"))
    prizes = splitting.prizes_by_chunk(jackpots, first, highs=[high for _, high in chunks])
    params = {"settlement": settlement.pk, "numbers": [number for number, _ in chunks], "prizes_fen": prizes}
    sql.execute(sql.text("redpackets", "set_prizes"), params)
    settlement.contenders.all().delete()
    tiers = splitting.draw(jackpots, first)
    return {"jackpots": [answers.plain(tier) for tier in tiers], "prizes_fen": sum(prizes)}


def post(chunk: SettlementChunk, *, seed: bytes) -> Any:
    """Write the payouts of a chunk; their figures, which the caller compares with what was allotted."""
    settlement = chunk.settlement
    params = snapshot(chunk) | _tiers(settlement) | {
        "pool": settlement.pool_id,
        "seed": seed,
        "random": splits.of(settlement).mode == "random",
        "share": settlement.share_fen,
        "weight": settlement.weight or 1,
        "minimum": settlement.minimum_fen,
        "pot": chunk.pot_fen,
    }  # fmt: skip
    return sql.fetch(sql.text("redpackets", "post_chunk"), params)[0]


def drawn(settlement: Settlement) -> list[splitting.Tier]:
    """The jackpots that were drawn."""
    return msgspec.convert(settlement.jackpots, list[splitting.Tier])


def _tiers(settlement: Settlement) -> dict[str, Any]:
    tiers = drawn(settlement)
    js = [int(tier.j) for tier in tiers]
    return {
        "drawn": bool(tiers),
        "last_j": max(js, default=0),
        "prizes": [tier.prize_fen for tier in tiers],
        "js": js,
        "players": [tier.player for tier in tiers],
    }


def _number(jackpots: Sequence[rules.Jackpot]) -> int:
    return sum(jackpot.count for jackpot in jackpots)
