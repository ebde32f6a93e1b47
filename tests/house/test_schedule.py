"""Beat rings for every task, and for nothing that isn't there."""

from __future__ import annotations

from django.utils.module_loading import import_string

from config.celery import app
from tests.house import tree


def test_every_task_is_rung_for() -> None:
    app.loader.import_default_modules()
    tasks = {name for name in app.tasks if name.partition(".")[0] in tree.APPS}
    rung = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert rung == tasks
    assert all(callable(import_string(task)) for task in rung)


def test_a_message_is_worth_nothing_after_its_interval() -> None:
    for entry in app.conf.beat_schedule.values():
        assert entry["options"]["expires"] == entry["schedule"]
