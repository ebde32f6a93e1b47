"""What the factories make has a history: the invariants hold after any of them."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests.factories import accounts, cards, fortunes, redpackets

FACTORIES: dict[str, Callable[[], Any]] = {
    f"{module.__name__.rpartition('.')[2]}.{name}": factory
    for module in (accounts, fortunes, cards, redpackets)
    for name, factory in vars(module).items()
    if name.endswith("Factory") and getattr(factory, "__module__", "") == module.__name__
}


@pytest.mark.committed
@pytest.mark.parametrize("name", sorted(FACTORIES))
def test_the_invariants_hold_after(name: str) -> None:
    FACTORIES[name]()
    report = StringIO()
    call_command("check_invariants", stdout=report)
    assert "BROKEN" not in report.getvalue()
