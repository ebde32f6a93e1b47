"""What beat rings for; each makes one domain call."""

from celery import shared_task

from fortunes.actions import housekeeping


@shared_task
def forget_old_keys() -> None:
    housekeeping.forget_old_keys()
