"""`manage.py seed_demo_season`: people and a live season to try things with. `./dev up` runs it at every start."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations, count
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import tokens
from accounts.actions import friendships
from accounts.models import Friendship, Player
from cards.actions import batches, presets, printing
from config.demo import season
from config.local import environment
from fortunes import clock
from fortunes.models import Campaign

SLUG = "five-fortunes-demo"
CAST = ("alice", "bob", "charlie")
PASSWORD = "collect-five-fortunes"  # noqa: S105 - printed at every start, for a developer's machine only
ADMIN = "admin"
DAYS = 7
POOL_FEN = 888_888
CODES = 3
# A season that ends while one looks on: enough scans for a set, and no kind so rare that it takes luck.
QUICK_RULES: dict[str, Any] = {
    "weights": dict.fromkeys((slug for slug, *_ in presets.FIVE_FORTUNES), 1),
    "caps": {},
    "quotas": {"code": {"per_day": 40, "per_campaign": 40}},
}
# Every card that there is: who looks at the demo wants to see all that can be done.
SPECIALS = {"wild": 3, "steal": 3, "copy": 3}
QUICK_REVEAL = timedelta(seconds=30)


class Command(BaseCommand):
    help = "Make the demo players, an admin and a live season, as far as they are missing, and print how to sign in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base-url", default="http://127.0.0.1:8000", help="where the web listens, for the text")
        parser.add_argument("--minutes", type=int, help="make a season that ends after so many, and opens 30 s later")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("Demo players have a password that everybody knows: only with DJANGO_DEBUG=1.")
        if options["minutes"]:
            campaign = _quick_season(clock.now(), timedelta(minutes=options["minutes"]))
            self.stdout.write(f"season    {campaign.slug}, for the next {options['minutes']} min")
            self.stdout.write(f"page      {_where(options['base_url'])}/?campaign={campaign.slug}")
            return
        players = [_player(name) for name in CAST]
        for one, other in combinations(players, 2):
            _befriend(one, other)
        campaign = _season(clock.now())
        batch = batches.create(
            campaign_id=campaign.pk, source_slug="code", count=CODES, expires_at=campaign.reveal_at
        )  # fmt: skip
        codes = list(printing.codes(batch=batch))
        for line in _text(options["base_url"], campaign, players, codes, _admin()):
            self.stdout.write(line)


def _where(told: str) -> str:
    """The address of a running `./dev up`, whose port may be another one than usual."""
    state = environment.running()
    return str(state["base_url"]) if state else told


def _player(username: str) -> Player:
    found = Player.objects.filter(username=username).first()
    return found or Player.objects.create_user(username, PASSWORD, nickname=username.capitalize())


def _befriend(one: Player, other: Player) -> None:
    """Only strangers: what a developer did with the friendship stays as it is."""
    if not Friendship.objects.filter(player=one, friend=other).exists():
        friendships.ask(by=one.pk, player=other.public_id)
        friendships.accept(by=other.pk, player=one.public_id)


def _admin() -> str:
    """The admin's password: each checkout's own, as its secrets are, and the same at every start."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), b"demo admin", "sha256")
    password = base64.b32encode(digest).decode()[:16].lower()
    admin = Player.objects.filter(username=ADMIN).first() or Player.objects.create_superuser(ADMIN, password)
    return password if admin.check_password(password) else "(changed)"


def _season(now: datetime) -> Campaign:
    """The newest demo season, if its deadline is ahead, or else a new one."""
    known = Campaign.objects.filter(slug__regex=rf"^{SLUG}(-\d+)?$")
    campaign = known.order_by("-closes_at").first()
    if campaign is None or campaign.closes_at <= now:
        campaign = _new_season(now, taken=set(known.values_list("slug", flat=True)))
    return season.ready(campaign, pool_fen=POOL_FEN, credit_after_s=None)


def _new_season(now: datetime, taken: set[str]) -> Campaign:
    """Collection closes at 22:00 and packets open at 22:18, as in the real seasons from 2018 on."""
    last_day = (now + timedelta(days=DAYS)).astimezone(ZoneInfo(season.TZ))
    closes_at = last_day.replace(hour=22, minute=0, second=0, microsecond=0)
    return presets.five_fortunes(
        slug=_free(taken),
        opens_at=now,
        closes_at=closes_at,
        reveal_at=closes_at + timedelta(minutes=18),
        tz=season.TZ,
        rulebook={
            "weights": presets.FIVE_FORTUNES_RULES["weights"] | SPECIALS,
            "specials": list(SPECIALS),
        },
    )


def _quick_season(now: datetime, length: timedelta) -> Campaign:
    closes_at = now + length
    campaign = presets.five_fortunes(
        slug=f"{SLUG}-quick-{now:%m%d-%H%M%S}",
        opens_at=now,
        closes_at=closes_at,
        reveal_at=closes_at + QUICK_REVEAL,
        tz=season.TZ,
        rulebook=QUICK_RULES,
    )
    return season.ready(campaign, pool_fen=POOL_FEN, credit_after_s=None)


def _free(taken: set[str]) -> str:
    return next(slug for slug in _slugs() if slug not in taken)


def _slugs() -> Iterator[str]:
    yield SLUG
    yield from (f"{SLUG}-{number}" for number in count(2))


def _text(
    base_url: str, campaign: Campaign, players: list[Player], codes: list[str], admin_password: str
) -> Iterator[str]:
    alice, bob, *_ = (tokens.issue(player).token for player in players)
    yield f"players   {', '.join(CAST)}   password {PASSWORD}"
    yield f"admin     {ADMIN}   password {admin_password}"
    yield f"season    {campaign.slug}, until {campaign.closes_at.astimezone(ZoneInfo(campaign.tz)):%Y-%m-%d %H:%M %Z}"
    for number, code in enumerate(codes, start=1):
        yield f"code {number}    {code}"
    yield f"           or by its address: {base_url}/?code={codes[-1]}"
    yield f"\naccess tokens, good for {settings.ACCESS_TOKEN_LIFETIME_S // 60} minutes:"
    yield f"ALICE={alice}"
    yield f"BOB={bob}"
    yield "\nalice's first scan:"
    yield f"curl -s {base_url}/api/v1/campaigns/{campaign.slug}/scans \\"
    yield f"  -H 'Authorization: Bearer {alice}' \\"
    yield f"  -H 'Content-Type: application/json' -H 'Idempotency-Key: {secrets.token_hex(8)}' \\"
    yield f'  -d \'{{"code": "{codes[0]}"}}\''
