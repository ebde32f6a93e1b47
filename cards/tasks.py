"""What beat rings for; each makes one domain call."""

from celery import shared_task

from cards.actions import aftermaths, counts, credits, stock, trades


@shared_task
def release_stock() -> None:
    stock.release_due()


@shared_task
def count_draws() -> None:
    counts.count_due()


@shared_task
def credit_invitations() -> None:
    credits.credit_due()


@shared_task
def follow_rules() -> None:
    aftermaths.follow_due()


@shared_task
def expire_trades() -> None:
    trades.expire_due()
