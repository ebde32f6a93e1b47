"""Announcements: what staff tell everybody in a campaign. Written, published when their time has come, withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from fortunes import answers, audit, errors, events, sql
from fortunes.models import Announcement, Campaign, DatabaseNow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SUBJECT = "fortunes.announcement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What staff write, in both languages, and when it is to be published."""

    title_zh: str
    title_en: str
    body_zh: str
    body_en: str
    publish_at: datetime
    pinned: bool = False


def write(*, campaign_id: int, plan: Plan, by: int | None, public_id: UUID | None = None) -> Announcement:
    """Write an announcement, published when its time has come and the campaign has been opened.

    `public_id` is chosen by who may send it twice: the second time finds it written. Raises CampaignNotFound.
    """
    row = Announcement(campaign_id=campaign_id, written_by_id=by, **asdict(plan))
    row.public_id = public_id or row.public_id
    with transaction.atomic(durable=True):
        if not Campaign.objects.filter(pk=campaign_id).exists():
            raise errors.CampaignNotFound
        known = Announcement.objects.filter(public_id=row.public_id)
        if not known.exists():
            Announcement.objects.bulk_create([row], ignore_conflicts=True)
            _record(known.get(), "written", by)
        return known.get()


def edit(*, announcement_id: int, plan: Plan, by: int | None) -> Announcement:
    """Write one anew that nobody has read yet. Raises AnnouncementNotFound or AnnouncementPublished."""
    with transaction.atomic(durable=True):
        waiting = Announcement.objects.filter(pk=announcement_id, published_at=None, withdrawn_at=None)
        # Compare and swap: it may be published meanwhile.
        return _changed(announcement_id, waiting, asdict(plan), "edited", by)


def publish_now(*, announcement_id: int, by: int | None) -> Announcement:
    """Don't wait for its time. Raises AnnouncementNotFound or AnnouncementPublished."""
    with transaction.atomic(durable=True):
        waiting = Announcement.objects.filter(pk=announcement_id, published_at=None, withdrawn_at=None)
        return _changed(announcement_id, waiting, {"publish_at": DatabaseNow()}, "released", by)


def pin(*, announcement_id: int, pinned: bool, by: int | None) -> Announcement:
    """Keep one on top of the list, or let it go; twice is once. Raises AnnouncementNotFound."""
    with transaction.atomic(durable=True):
        other = Announcement.objects.filter(pk=announcement_id, pinned=not pinned)
        if other.update(pinned=pinned):
            _record(_row(announcement_id), "pinned" if pinned else "unpinned", by)
        return _row(announcement_id)


def withdraw(*, announcement_id: int, by: int | None) -> Announcement:
    """It is not listed any more, or never will be; twice is once. Who was told of it is told of that.

    Raises AnnouncementNotFound.
    """
    with transaction.atomic(durable=True):
        changed = Announcement.objects.filter(pk=announcement_id, withdrawn_at=None).update(withdrawn_at=DatabaseNow())
        row = _row(announcement_id)
        if changed:
            if row.published_at is not None:
                told = events.AnnouncementWithdrawn(announcement=str(row.public_id))
                events.broadcast(campaign_id=row.campaign_id, payload=told)
            _record(row, "withdrawn", by)
        return row


def publish_due() -> None:
    """Publish what is due and tell everybody of it, each in a transaction of its own."""
    while _publish_next():
        pass


def listed(*, campaign_id: int, before: str | None, limit: int) -> list[Any]:
    """At most `limit` of the announcements that players read, pinned ones first, before a `place`."""
    pinned, at, pk = (None, None, None) if before is None else _parsed(before)
    params = {"campaign": campaign_id, "pinned": pinned, "at": at, "id": pk, "limit": limit}
    return sql.fetch(sql.text("fortunes", "announcements"), params)


def place(row: Any) -> str:
    """Where a row is in the list: 1 if it is pinned, microseconds since 1970, its number."""
    return f"{int(row.pinned)}.{(row.published_at - EPOCH) // timedelta(microseconds=1)}.{row.id}"


def _publish_next() -> bool:
    with transaction.atomic(durable=True):
        due = Announcement.objects.filter(
            publish_at__lte=DatabaseNow(), published_at=None, withdrawn_at=None, campaign__opened_at__isnull=False
        )
        # Whoever has it locked publishes it, or changes it: then it is due the next time.
        row = due.select_for_update(skip_locked=True, of=("self",)).order_by("publish_at", "pk").first()
        if row is None:
            return False
        Announcement.objects.filter(pk=row.pk).update(published_at=DatabaseNow())
        told = events.AnnouncementPublished(announcement=str(row.public_id), pinned=row.pinned)
        events.broadcast(campaign_id=row.campaign_id, payload=told)
        _record(row, "published", None)
        return True


def _parsed(place: str) -> tuple[bool, datetime, int]:
    pinned, microseconds, pk = place.split(".")
    return pinned == "1", EPOCH + timedelta(microseconds=int(microseconds)), int(pk)


def _changed(
    pk: int, rows: QuerySet[Announcement], columns: Mapping[str, Any], verb: str, by: int | None
) -> Announcement:
    changed = rows.update(**columns)
    row = _row(pk)
    if not changed:
        raise errors.AnnouncementPublished
    _record(row, verb, by)
    return row


def _row(pk: int) -> Announcement:
    row = Announcement.objects.filter(pk=pk).first()
    if row is None:
        raise errors.AnnouncementNotFound
    return row


def _record(row: Announcement, verb: str, by: int | None) -> None:
    audit.record(
        actor=by,
        action=f"announcement.{verb}",
        subject=SUBJECT,
        subject_id=row.pk,
        campaign=row.campaign_id,
        publish_at=answers.instant(row.publish_at),
        pinned=row.pinned,
    )
