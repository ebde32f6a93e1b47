"""What beat rings for; each makes one domain call."""

from celery import shared_task

from fortunes import heads
from fortunes.actions import announcements, closing, housekeeping, rulechanges


@shared_task
def forget_old_keys() -> None:
    housekeeping.forget_old_keys()


@shared_task
def publish_audit_head() -> None:
    heads.publish()


@shared_task
def change_rules() -> None:
    rulechanges.apply_due()


@shared_task
def close_votes() -> None:
    closing.close_due()


@shared_task
def publish_announcements() -> None:
    announcements.publish_due()
