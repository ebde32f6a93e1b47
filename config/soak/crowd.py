"""A season with very many complete hands, made in a minute: one player really scans, whose rows are then copied."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from accounts.models import Player
from cards import answers, hands
from cards.actions import batches, presets, printing, scans
from config.demo import season
from fortunes import clock, keys
from fortunes.models import Campaign
from redpackets.models import Settlement

# Of so many hands one is not complete.
INCOMPLETE_EVERY = 5
# The even share of the famous pool of 2016, about: 271.66 yuan.
SHARE_FEN = 27_166
# How the pool is split in each mode; some tenths of it are the minimum, or go into jackpots.
SPLITS: dict[str, dict[str, Any]] = {
    "even": {},
    "random": {"mode": "random", "minimum_fen": SHARE_FEN // 10},
    "tiered": {
        "mode": "tiered",
        "jackpots": [{"count": 1, "prize_fen": 100_000}, {"count": 9, "prize_fen": 10_000}],
    },
}
ONE_CARD: dict[str, Any] = {"weights": {"patriotism": 1}, "complete_set": ["patriotism"], "caps": {}}


@dataclass(frozen=True, slots=True)
class Crowd:
    """A campaign whose deadline is an hour ahead; `settlement` will split its pool among `winners` of `hands`."""

    campaign: int
    settlement: int
    pool: int
    winners: int
    hands: int


def gather(winners: int, mode: str = "even") -> Crowd:
    """Players, hands and draws, so that every invariant holds; the pool will be split in this mode."""
    slug = f"soak-{secrets.token_hex(4)}"
    campaign = _campaign(slug, winners, SPLITS[mode])
    complete, incomplete = (Player.objects.create_user(username=f"{slug}-{name}") for name in ("a", "b"))
    _scan(campaign, complete)
    hands.ensure(campaign_id=campaign.pk, players=[incomplete.pk])
    losers = winners // INCOMPLETE_EVERY
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
        copy_players(complete, winners - 1)
        copy_players(incomplete, losers - 1)
        for player in (complete, incomplete):
            copy("fortunes_membership", player, {})
            copy("cards_hand", player, {})
        copy("cards_draw", complete, {
            "public_id": "gen_random_uuid()",
            "nonce": "substr(sha256(o.nonce || int8send(p.id)), 1, 16)",
            "key": "md5(o.key || p.id)",
        })  # fmt: skip
    run = Settlement.objects.get(pool__campaign=campaign)
    return Crowd(campaign.pk, run.pk, run.pool_id, winners, winners + losers)


def _campaign(slug: str, winners: int, split: dict[str, Any]) -> Campaign:
    now = clock.now()
    closes_at = now + timedelta(hours=1)
    draft = presets.five_fortunes(
        slug=slug, opens_at=now - timedelta(minutes=1), closes_at=closes_at, reveal_at=closes_at,
        rulebook=ONE_CARD | {"split": split},
    )  # fmt: skip
    # Not divisible, so that some get one fen more.
    return season.ready(draft, pool_fen=winners * SHARE_FEN + winners // 3, credit_after_s=0)


def _scan(campaign: Campaign, player: Player) -> None:
    expires_at = campaign.closes_at + timedelta(days=1)
    batch = batches.create(campaign_id=campaign.pk, source_slug="code", count=1, expires_at=expires_at)
    (code,) = printing.codes(batch=batch)
    asked = keys.request(player_id=player.pk, route="scans", key=secrets.token_hex(8), body={"code": code})
    (outcome,) = scans.redeem(campaign=campaign, scans=[scans.Scan(asked, code)])
    if not isinstance(outcome, answers.Redemption):
        raise outcome


def copy_players(player: Player, count: int) -> None:
    own = {"public_id": "gen_random_uuid()", "username": "o.username || '-' || n"}
    columns = _columns("accounts_player")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO accounts_player ({", ".join(columns)})
            SELECT {", ".join(own.get(column, f"o.{column}") for column in columns)}
              FROM accounts_player o, generate_series(1, %s) AS n WHERE o.id = %s
            """,
            [count, player.pk],
        )


def copy(table: str, player: Player, own: Mapping[str, str]) -> None:
    """Each of the player's rows in a table, once for each of the copies of the player."""
    columns = _columns(table)
    expressions = {"player_id": "p.id", **own}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {table} ({", ".join(columns)})
            SELECT {", ".join(expressions.get(column, f"o.{column}") for column in columns)}
              FROM {table} o
              JOIN accounts_player o_player ON o_player.id = o.player_id
              JOIN accounts_player p ON p.username LIKE o_player.username || '-%%'
             WHERE o.player_id = %s
             ORDER BY p.id
            """,
            [player.pk],
        )


def _columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name <> 'id' "
            "AND is_generated = 'NEVER' ORDER BY ordinal_position",
            [table],
        )
        return [row[0] for row in cursor.fetchall()]
