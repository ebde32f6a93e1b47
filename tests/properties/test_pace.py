"""The pace of a capped kind: every unit once, none late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cards import pace
from fortunes.rules import Cap

OPENS = datetime(2026, 1, 18, tzinfo=UTC)


@st.composite
def caps(draw: st.DrawFn) -> Cap:
    units = draw(st.integers(1, 1_000_000))
    return Cap(units=units, tranches=draw(st.integers(1, min(units, 1_000))))


@given(caps(), st.integers(1, 10_000_000))
def test_the_tranches_are_all_units_in_order_before_the_deadline(cap: Cap, seconds: int) -> None:
    closes = OPENS + timedelta(seconds=seconds)
    tranches = pace.tranches(cap, opens_at=OPENS, closes_at=closes)

    assert len(tranches) == cap.tranches
    assert tranches[0].available_at == OPENS
    serial = 1
    for tranche in tranches:
        assert tranche.units > 0
        assert tranche.first_serial == serial
        assert OPENS <= tranche.available_at < closes
        serial += tranche.units
    assert serial == cap.units + 1
    assert max(t.units for t in tranches) - min(t.units for t in tranches) <= 1
