"""What beat rings for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from redpackets import tasks
from redpackets.actions import pools, settlements


@pytest.mark.parametrize(("task", "name"), [(tasks.settle_due, "settle_due"), (tasks.credit_due, "credit_due")])
def test_a_task_whose_time_was_too_short_rings_again(monkeypatch: pytest.MonkeyPatch, task: Any, name: str) -> None:
    rings: list[dict[str, int]] = []
    monkeypatch.setattr(task, "apply_async", lambda **options: rings.append(options))

    for unfinished in (False, True):
        monkeypatch.setattr(settlements, name, _answer(unfinished))
        task()

    assert rings == [{"expires": tasks.EXPIRES_S}]


def test_commitments_are_stamped_by_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[bool] = []
    monkeypatch.setattr(pools, "commit_due", lambda: called.append(True))

    tasks.commit_due()

    assert called == [True]


def _answer(value: bool) -> Callable[[], bool]:
    return lambda: value
