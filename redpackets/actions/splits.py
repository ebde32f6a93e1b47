"""How a pool is shared: the rulebook says it, the one in force and from the freeze on the one that was then."""

from __future__ import annotations

from fortunes import rulebooks, rules
from redpackets import splitting
from redpackets.models import LiveShare, Pool, Settlement


def in_force(*, campaign_id: int) -> rules.Split:
    """As the rules in force say it. Raises Rulebook.DoesNotExist."""
    return rulebooks.current(campaign_id).split


def of(settlement: Settlement) -> rules.Split:
    """As this settlement shares, or would if the freeze came now."""
    campaign_id, version = settlement.pool.campaign_id, settlement.rulebook_version
    return in_force(campaign_id=campaign_id) if version is None else rulebooks.version(campaign_id, version).split


def missing_fen(*, campaign_id: int, split: rules.Split) -> int:
    """What the pool lacks for all jackpots, and the minimum of everybody who held a complete set at the last count."""
    amount_fen = Pool.objects.filter(campaign=campaign_id).values_list("amount_fen", flat=True).first() or 0
    complete = LiveShare.objects.filter(pk=campaign_id).values_list("complete", flat=True).first() or 0
    return splitting.missing_fen(split, amount_fen=amount_fen, winners=max(1, complete))
