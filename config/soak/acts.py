"""A season that is played through the actions, line by line of what was acknowledged: for `./dev soak restore`."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from datetime import timedelta
from typing import Literal

import msgspec
from django.db import Error

from accounts.actions import friendships
from accounts.models import Player
from cards import answers
from cards.actions import batches, presets, printing, scans, trades
from config.demo import season
from config.soak import Say
from fortunes import clock, keys
from fortunes.models import Campaign

COUPLES = 4
ONE_CARD = {
    "weights": {"patriotism": 1},
    "complete_set": ["patriotism"],
    "caps": {},
    "quotas": {"code": {"per_day": 10_000, "per_campaign": 10_000}},
    "trading": {"received_per_day": 10_000},
}


class Act(msgspec.Struct, frozen=True):
    """What was done, under the name that its row has; begun and acknowledged at these instants of the database."""

    kind: Literal["scan", "gift"]
    name: str
    began: float
    ended: float


def play(seconds: float, say: Say) -> None:
    """Couples of friends scan and give until the time is over, or the database is gone."""
    campaign, couples = _stage()
    ends = time.monotonic() + seconds
    guard = threading.Lock()

    def live(one: Player, other: Player, codes: list[str]) -> None:
        for number in itertools.count():
            if time.monotonic() > ends or number == len(codes):
                return
            try:
                for act in _pair(campaign, one, other, codes[number]):
                    with guard:
                        say(msgspec.json.encode(act).decode())
            except Error:
                return

    threads = [threading.Thread(target=live, args=couple) for couple in couples]
    say("ready")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _stage() -> tuple[Campaign, list[tuple[Player, Player, list[str]]]]:
    now = clock.now()
    closes_at = now + timedelta(hours=1)
    slug = f"drill-{secrets.token_hex(4)}"
    draft = presets.five_fortunes(
        slug=slug, opens_at=now - timedelta(minutes=1), closes_at=closes_at, reveal_at=closes_at, rulebook=ONE_CARD
    )
    campaign = season.ready(draft, pool_fen=1_000_003, credit_after_s=0)
    couples = []
    for number in range(COUPLES):
        one, other = (Player.objects.create_user(username=f"{slug}-{number}-{name}") for name in ("a", "b"))
        friendships.ask(by=one.pk, player=other.public_id)
        friendships.accept(by=other.pk, player=one.public_id)
        until = closes_at + timedelta(days=1)
        batch = batches.create(campaign_id=campaign.pk, source_slug="code", count=5_000, expires_at=until)
        couples.append((one, other, list(printing.codes(batch=batch))))
    return campaign, couples


def _pair(campaign: Campaign, one: Player, other: Player, code: str) -> list[Act]:
    """One scans, and gives what came to the other."""
    key = secrets.token_hex(8)
    began = clock.now().timestamp()
    asked = keys.request(player_id=one.pk, route="scans", key=key, body={"campaign": campaign.slug, "code": code})
    (outcome,) = scans.redeem(campaign=campaign, scans=[scans.Scan(asked, code)])
    if not isinstance(outcome, answers.Redemption):
        raise outcome
    between = clock.now().timestamp()
    body = {"campaign": campaign.slug, "type": "gift", "to": str(other.public_id), "gives": ["patriotism"]}
    gift = trades.gift(
        asked=keys.request(player_id=one.pk, route="trades", key=secrets.token_hex(8), body=body),
        campaign=campaign,
        giver=one,
        to=other.public_id,
        gives=["patriotism"],
    )
    ended = clock.now().timestamp()
    return [Act("scan", key, began, between), Act("gift", str(gift.trade.id), between, ended)]
