"""What the ground answers over REST."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from fortunes.models import Campaign


class Name(msgspec.Struct, frozen=True, kw_only=True):
    """A name in both languages."""

    zh: str
    en: str


class CampaignAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign; `server_time` is the database's clock, by which every instant is judged."""

    id: UUID
    slug: str
    name: Name
    phase: str
    tz: str
    opens_at: str
    closes_at: str
    reveal_at: str
    server_time: str


class Campaigns(msgspec.Struct, frozen=True, kw_only=True):
    items: list[CampaignAnswer]


class RulesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The rulebook in force: weights (the published odds), caps, quotas, what makes a full set."""

    version: int
    in_force_at: str
    rules: dict[str, Any]


def instant(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def campaign(row: Campaign, now: datetime) -> CampaignAnswer:
    return CampaignAnswer(
        id=row.public_id,
        slug=row.slug,
        name=Name(zh=row.name_zh, en=row.name_en),
        phase=str(row.phase(now)),
        tz=row.tz,
        opens_at=instant(row.opens_at),
        closes_at=instant(row.closes_at),
        reveal_at=instant(row.reveal_at),
        server_time=instant(now),
    )
