"""Printing: signed codes that nobody has yet. They are stored nowhere; a printed code is known by its signature."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from cards import codes as scan_codes
from cards.models import CodeBatch
from fortunes import secretkeys


def codes(*, batch: CodeBatch) -> Iterator[str]:
    """The codes of a batch (`cards.actions.batches.create`), made one by one as they are asked for.

    Once only: asked again, it makes other codes of the same batch.
    """
    key_id, key = secretkeys.current(settings.SCAN_CODE_KEYS)
    for _ in range(batch.count):
        code = scan_codes.fresh(
            campaign_id=batch.campaign_id, source=batch.source, batch=batch.number, expires_at=batch.expires_at
        )
        yield scan_codes.encode(code, key_id=key_id, key=key)
