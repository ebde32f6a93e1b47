"""What beat rings for; each makes one domain call."""

from celery import shared_task

from accounts.actions import housekeeping, messages, pushes


@shared_task
def send_messages() -> None:
    messages.send_due()


@shared_task
def send_pushes() -> None:
    pushes.send_due()


@shared_task
def forget_old_sign_ins() -> None:
    housekeeping.forget_old()
