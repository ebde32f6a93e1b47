"""What beat rings for; each makes one domain call."""

from celery import shared_task

from cards.actions import stock


@shared_task
def release_stock() -> None:
    stock.release_due()
