"""Printing: signed codes that nobody has yet. They are stored nowhere; a printed code is known by its signature."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from cards import codes as scan_codes
from cards.models import Source
from fortunes import secretkeys


def codes(*, campaign_id: int, source_slug: str, count: int, expires_at: datetime) -> Iterator[str]:
    """`count` new codes, made one by one as they are asked for. Raises Source.DoesNotExist at once."""
    source = Source.objects.get(campaign_id=campaign_id, slug=source_slug, type=Source.Type.CODE)
    key_id, key = secretkeys.current(settings.SCAN_CODE_KEYS)
    fresh = (
        scan_codes.fresh(campaign_id=campaign_id, source=source.ordinal, expires_at=expires_at) for _ in range(count)
    )
    return (scan_codes.encode(code, key_id=key_id, key=key) for code in fresh)
