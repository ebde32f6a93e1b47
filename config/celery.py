"""Celery: beat rings every few seconds, workers look for due work in the database.

The schedule is static. A message that is older than its interval is worth nothing, so it expires; every task may be
doubled or lost without harm.
"""

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def every(seconds: float, task: str) -> dict:
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


app = Celery("fortunes")
app.conf.update(settings.CELERY)
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "commit to pools": every(5, "redpackets.tasks.commit_due"),
    "settle": every(2, "redpackets.tasks.settle_due"),
    "credit": every(5, "redpackets.tasks.credit_due"),
    "release stock": every(5, "cards.tasks.release_stock"),
    "forget old keys": every(300, "fortunes.tasks.forget_old_keys"),
}
