"""Every payout of a settlement once more, by the script that is published for strangers (docs/verify/settlement.py)."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable
from io import StringIO
from types import ModuleType

from django.conf import settings
from django.core.management import CommandError, call_command

from redpackets.models import Payout, Settlement


def faults(settlement_id: int) -> list[str]:
    """What is off: the sum, an amount, an invariant."""
    run = Settlement.objects.get(pk=settlement_id)
    paid = dict(Payout.objects.filter(pool=run.pool_id).values_list("player_id", "amount_fen").iterator())
    return [*_sum(run, paid), *_amounts(run, paid), *_invariants()]


def _sum(run: Settlement, paid: dict[int, int]) -> list[str]:
    total = sum(paid.values()) + (run.returned_fen or 0)
    return [] if total == run.amount_fen else [f"{total} fen were paid and returned, the pool has {run.amount_fen}"]


def _amounts(run: Settlement, paid: dict[int, int]) -> list[str]:
    script, manifest = _script(), run.manifest
    if manifest is None:
        return ["there is no manifest"]
    try:
        script.check(manifest)
        script.check_all(manifest, sorted(paid))
    except SystemExit as wrong:
        return [str(wrong)]
    stored, due = md5(paid.items()), md5((player, script.amount(manifest, player)) for player in paid)
    return [] if stored == due else [f"the payouts' md5 is {stored}, by the script it is {due}"]


def md5(payouts: Iterable[tuple[int, int]]) -> str:
    """Over `player:fen` lines in ascending order of players."""
    digest = hashlib.md5(usedforsecurity=False)
    for player, fen in sorted(payouts):
        digest.update(f"{player}:{fen}\n".encode())
    return digest.hexdigest()


def _script() -> ModuleType:
    path = settings.BASE_DIR / "docs" / "verify" / "settlement.py"
    spec = importlib.util.spec_from_file_location("verify_settlement", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def _invariants() -> list[str]:
    said = StringIO()
    try:
        call_command("check_invariants", stdout=said, stderr=said)
    except CommandError:
        return [line for line in said.getvalue().splitlines() if not line.startswith("ok ")]
    return []
