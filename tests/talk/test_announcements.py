"""Announcements: written, published when due, pinned, withdrawn; and who reads what."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from accounts.models import Player
from fortunes import clock as database_clock
from fortunes import errors, tasks
from fortunes.actions import announcements
from fortunes.models import Announcement, AuditEntry, Broadcast, Campaign
from tests.factories import talk
from tests.factories.cards import DraftSeasonFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


def titles(season: Campaign) -> list[str]:
    return [row.title_en for row in announcements.listed(campaign_id=season.pk, before=None, limit=50)]


def told(season: Campaign, what: str = "announcement.published") -> list[dict[str, object]]:
    news = Broadcast.objects.filter(campaign=season, type=what).order_by("seq")
    return list(news.values_list("data", flat=True))


def audited(row: Announcement) -> list[tuple[str, int | None]]:
    entries = AuditEntry.objects.filter(subject="fortunes.announcement", subject_id=row.pk).order_by("seq")
    return list(entries.values_list("action", "actor"))


def later(**time: int) -> announcements.Plan:
    return talk.plan(publish_at=database_clock.now() + timedelta(**time))


def test_published_when_its_time_has_come(season: Campaign, staff: Player, clock: Clock) -> None:
    row = announcements.write(campaign_id=season.pk, plan=later(hours=1), by=staff.pk)
    announcements.publish_due()
    assert (titles(season), told(season)) == ([], [])

    clock.shift(timedelta(hours=1))
    tasks.publish_announcements()
    assert titles(season) == ["News"]
    assert told(season) == [{"announcement": str(row.public_id), "pinned": False}]
    announcements.publish_due()
    assert len(told(season)) == 1
    assert audited(row) == [("announcement.written", staff.pk), ("announcement.published", None)]
    row.refresh_from_db()
    assert row.published_at is not None and row.published_at >= row.publish_at


def test_all_that_are_due_in_their_order(season: Campaign) -> None:
    for minutes in (3, 1, 2):
        at = database_clock.now() - timedelta(minutes=minutes)
        announcements.write(campaign_id=season.pk, plan=talk.plan(title_en=f"{minutes}", publish_at=at), by=None)
    announcements.publish_due()
    assert titles(season) == ["1", "2", "3"]


def test_a_draft_campaign_has_nobody_to_tell(staff: Player) -> None:
    draft = DraftSeasonFactory.create()
    row = announcements.write(campaign_id=draft.pk, plan=talk.plan(), by=staff.pk)
    announcements.publish_due()
    row.refresh_from_db()
    assert row.published_at is None
    with pytest.raises(errors.CampaignNotFound):
        announcements.write(campaign_id=2**40, plan=talk.plan(), by=staff.pk)


def test_sent_twice_is_written_once(season: Campaign, staff: Player) -> None:
    chosen = uuid4()
    first, again = (
        announcements.write(campaign_id=season.pk, plan=talk.plan(), by=staff.pk, public_id=chosen) for _ in range(2)
    )
    assert first == again and first.public_id == chosen
    assert len(audited(first)) == 1


def test_edited_as_long_as_nobody_has_read_it(season: Campaign, staff: Player) -> None:
    row = announcements.write(campaign_id=season.pk, plan=later(hours=1), by=staff.pk)
    edited = announcements.edit(announcement_id=row.pk, plan=talk.plan(title_en="Better"), by=staff.pk)
    assert edited.title_en == "Better"
    announcements.publish_due()
    assert titles(season) == ["Better"]
    for act in (
        lambda: announcements.edit(announcement_id=row.pk, plan=talk.plan(title_en="Worse"), by=staff.pk),
        lambda: announcements.publish_now(announcement_id=row.pk, by=staff.pk),
    ):
        with pytest.raises(errors.AnnouncementPublished):
            act()
    assert titles(season) == ["Better"]


def test_published_at_once(season: Campaign, staff: Player) -> None:
    row = announcements.write(campaign_id=season.pk, plan=later(days=1), by=staff.pk)
    announcements.publish_now(announcement_id=row.pk, by=staff.pk)
    announcements.publish_due()
    assert titles(season) == ["News"]
    assert [action for action, _ in audited(row)] == [
        "announcement.written", "announcement.released", "announcement.published",
    ]  # fmt: skip


def test_pinned_ones_come_first(season: Campaign, staff: Player) -> None:
    old = talk.announced(season, title_en="old")
    talk.announced(season, title_en="new")
    announcements.pin(announcement_id=old.pk, pinned=True, by=staff.pk)
    announcements.pin(announcement_id=old.pk, pinned=True, by=staff.pk)
    assert titles(season) == ["old", "new"]
    announcements.pin(announcement_id=old.pk, pinned=False, by=staff.pk)
    assert titles(season) == ["new", "old"]
    assert audited(old)[2:] == [("announcement.pinned", staff.pk), ("announcement.unpinned", staff.pk)]
    # It is no news to anybody.
    assert len(told(season)) == 2


def test_withdrawn_before_and_after(season: Campaign, staff: Player) -> None:
    published = talk.announced(season)
    waiting = announcements.write(campaign_id=season.pk, plan=later(minutes=1), by=staff.pk)
    for row in (published, waiting):
        announcements.withdraw(announcement_id=row.pk, by=staff.pk)
        announcements.withdraw(announcement_id=row.pk, by=staff.pk)
        assert [action for action, _ in audited(row)].count("announcement.withdrawn") == 1
    with pytest.raises(errors.AnnouncementPublished):
        announcements.publish_now(announcement_id=waiting.pk, by=staff.pk)
    announcements.publish_due()
    assert (titles(season), len(told(season))) == ([], 1)
    # Once, and nothing of what nobody had read.
    assert told(season, "announcement.withdrawn") == [{"announcement": str(published.public_id)}]


def test_what_is_not_there(staff: Player) -> None:
    for act in (
        lambda pk: announcements.edit(announcement_id=pk, plan=talk.plan(), by=staff.pk),
        lambda pk: announcements.publish_now(announcement_id=pk, by=staff.pk),
        lambda pk: announcements.pin(announcement_id=pk, pinned=True, by=staff.pk),
        lambda pk: announcements.withdraw(announcement_id=pk, by=staff.pk),
    ):
        with pytest.raises(errors.AnnouncementNotFound):
            act(2**40)


def test_pages_pass_over_nothing_and_repeat_nothing(season: Campaign) -> None:
    for number in range(7):
        talk.announced(season, title_en=f"{number}", pinned=number % 3 == 0)
    # Some were published at the same instant.
    moment = database_clock.now()
    Announcement.objects.filter(campaign=season, title_en__in=["1", "2", "4"]).update(published_at=moment)
    found, before = [], None
    while page := announcements.listed(campaign_id=season.pk, before=before, limit=2):
        found += [row.title_en for row in page]
        before = announcements.place(page[-1])
    assert found == titles(season) == ["6", "3", "0", "4", "2", "1", "5"]
