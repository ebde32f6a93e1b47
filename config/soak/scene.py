"""A season with people who hold cards, for `./dev soak fuzz`."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from accounts import tokens
from accounts.actions import friendships
from accounts.models import Player
from cards import answers
from cards.actions import batches, presets, printing, scans
from config.demo import season
from fortunes import clock, keys

KIND = "patriotism"
SPECIALS = ("wild", "steal", "copy")
RULES: dict[str, Any] = {
    "weights": {KIND: 3, **dict.fromkeys(SPECIALS, 1)},
    "complete_set": [KIND],
    "caps": {},
    "quotas": {"code": {"per_day": 100, "per_campaign": 100}},
    "specials": list(SPECIALS),
    "trading": {"received_per_day": 10_000},
}
CARDS_EACH = 20


def prepare(attackers: int) -> dict[str, Any]:
    """Attackers in a ring of friendships, and two friends apart from them; all hold cards."""
    now = clock.now()
    closes_at = now + timedelta(hours=2)
    slug = f"fuzz-{secrets.token_hex(4)}"
    draft = presets.five_fortunes(
        slug=slug, opens_at=now - timedelta(minutes=1), closes_at=closes_at, reveal_at=closes_at, rulebook=RULES
    )
    campaign = season.ready(draft, pool_fen=1_000_003, credit_after_s=0)
    people = [Player.objects.create_user(username=f"{slug}-{number}") for number in range(attackers + 2)]
    ring, apart = people[:-2], people[-2:]
    for one, other in [*zip(ring, [*ring[1:], ring[0]], strict=True), tuple(apart)]:
        friendships.ask(by=one.pk, player=other.public_id)
        friendships.accept(by=other.pk, player=one.public_id)
    until = closes_at + timedelta(days=1)
    batch = batches.create(
        campaign_id=campaign.pk, source_slug="code", count=CARDS_EACH * len(people), expires_at=until
    )
    codes = printing.codes(batch=batch)
    for player in people:
        for code in (next(codes) for _ in range(CARDS_EACH)):
            asked = keys.request(player_id=player.pk, route="scans", key=secrets.token_hex(8), body={"code": code})
            (outcome,) = scans.redeem(campaign=campaign, scans=[scans.Scan(asked, code)])
            if not isinstance(outcome, answers.Redemption):
                raise outcome
    issued = {str(player.public_id): tokens.issue(player).token for player in people}
    return {"campaign": slug, "kind": KIND, "specials": SPECIALS, "tokens": issued}
