"""What beat rings for; each makes one domain call and rings again for itself when its time was too short."""

from celery import shared_task

from redpackets.actions import conversions, pools, settlements, shares

# A ring that waited this long for a worker is stale: beat has rung again meanwhile.
EXPIRES_S = 30


@shared_task
def settle_due() -> None:
    if settlements.settle_due():
        settle_due.apply_async(expires=EXPIRES_S)


@shared_task
def credit_due() -> None:
    if settlements.credit_due():
        credit_due.apply_async(expires=EXPIRES_S)


@shared_task
def commit_due() -> None:
    pools.commit_due()


@shared_task
def pay_conversions() -> None:
    if conversions.pay_due():
        pay_conversions.apply_async(expires=EXPIRES_S)


@shared_task
def count_due() -> None:
    shares.count_due()
