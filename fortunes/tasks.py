"""What beat rings for; each makes one domain call."""

from celery import shared_task

from fortunes import heads
from fortunes.actions import housekeeping


@shared_task
def forget_old_keys() -> None:
    housekeeping.forget_old_keys()


@shared_task
def publish_audit_head() -> None:
    heads.publish()
