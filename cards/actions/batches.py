"""Batches of codes: made before the first of them is printed, and revoked together."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from cards import errors
from cards.models import CodeBatch, Source
from fortunes import audit
from fortunes.models import Campaign, DatabaseNow


def create(*, campaign_id: int, source_slug: str, count: int, expires_at: datetime, by: int | None = None) -> CodeBatch:
    """The campaign's next batch, for `count` codes; `by` is None for a command.

    Audited. Raises Source.DoesNotExist where the campaign has no such source of signed codes.
    """
    with transaction.atomic(durable=True):
        source = Source.objects.get(campaign_id=campaign_id, slug=source_slug, type=Source.Type.CODE)
        # Two that print at once take turns here: the second sees the first one's number.
        Campaign.objects.select_for_update(no_key=True).get(pk=campaign_id)
        newest = CodeBatch.objects.filter(campaign_id=campaign_id).order_by("-number").first()
        number = newest.number + 1 if newest else 1
        batch = CodeBatch.objects.create(
            campaign_id=campaign_id, number=number, source=source.ordinal,
            count=count, expires_at=expires_at, printed_by_id=by,
        )  # fmt: skip
        audit.record(
            actor=by, action="codes.printed", subject="cards.codebatch", subject_id=batch.pk,
            campaign=campaign_id, number=number, count=count,
        )  # fmt: skip
    return batch


def revoke(*, batch_id: int, by: int | None) -> CodeBatch:
    """No code of the batch counts any more, from the moment this has committed. Cards that were drawn stay.

    Harmless when repeated: the first revocation stays as it is. Audited. Raises BatchNotFound.
    """
    with transaction.atomic(durable=True):
        changed = CodeBatch.objects.filter(pk=batch_id, revoked_at=None).update(
            revoked_at=DatabaseNow(), revoked_by=by
        )  # fmt: skip
        batch = CodeBatch.objects.filter(pk=batch_id).first()
        if batch is None:
            raise errors.BatchNotFound
        if changed:
            audit.record(
                actor=by, action="codes.revoked", subject="cards.codebatch", subject_id=batch_id,
                campaign=batch.campaign_id, number=batch.number,
            )  # fmt: skip
    return batch
