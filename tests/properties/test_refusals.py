"""What pure modules refuse, or answer at the far ends of a season."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cards import codes, draws
from fortunes import phases, rules
from fortunes.phases import Phase, Timeline

NOW = datetime(2027, 1, 20, tzinfo=UTC)
KEYS = {"k1": secrets.token_bytes(32)}
GOOD: dict[str, Any] = {
    "weights": {"red": 3, "green": 1},
    "complete_set": ["red", "green"],
    "caps": {"green": {"units": 10, "tranches": 2}},
    "quotas": {"code": {"per_day": 3, "per_campaign": 16}},
}


@pytest.mark.parametrize(
    ("step", "phase"),
    [("archived_at", Phase.ARCHIVED), ("settled_at", Phase.SETTLED), ("settling_at", Phase.SETTLING)],
)
def test_a_later_step_decides_the_phase(step: str, phase: Phase) -> None:
    steps = {"opened_at": NOW, "frozen_at": NOW, step: NOW}
    timeline = Timeline(opens_at=NOW - timedelta(days=2), closes_at=NOW - timedelta(days=1), **steps)
    assert phases.phase_at(timeline, NOW) == phase


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"weights": {"red": -1, "green": 1}}, "weight of red must be between"),
        ({"weights": {"red": 0, "green": 0}}, "sum to zero"),
        ({"complete_set": []}, "the complete set is empty"),
        ({"complete_set": ["red", "red"]}, "names a kind twice"),
        ({"complete_set": ["red", "jade"]}, "needs jade, which can't be drawn"),
        ({"caps": {"jade": {"units": 1}}}, "a cap names jade, which has no weight"),
        ({"caps": {"green": {"units": 0}}}, "the cap of green must be between"),
        ({"caps": {"green": {"units": 2, "tranches": 3}}}, "the tranches of green must be between"),
        ({"caps": {"green": {"units": 1}, "red": {"units": 1}}}, "every kind is capped"),
        ({"quotas": {"code": {"per_day": -1, "per_campaign": 1}}}, "code"),
        ({"weights": "many"}, "weights"),
        ({"trading": {"open_trades": -1}}, "trading.open_trades must be between 0 and"),
        ({"trading": {"lifetime_h": 0}}, "trading.lifetime_h must be between 1 and"),
        ({"trading": {"cooling_h": 1_000_000}}, "trading.cooling_h must be between"),
        ({"trading": {"luck": 1}}, "luck"),
        ({"stealing": {"per_day": 100_000}}, "stealing.per_day must be between"),
        ({"stealing": {"spares_last": "often"}}, "spares_last"),
        ({"specials": ["wild", "joker"]}, "no special kind has the role joker"),
        ({"specials": ["wild", "wild"]}, "names a role twice"),
    ],
)
def test_rules_that_contradict_themselves(changes: dict[str, Any], says: str) -> None:
    assert rules.parse(GOOD).weights == GOOD["weights"]
    with pytest.raises(rules.RulesError, match=says):
        rules.parse(GOOD | changes)


def test_nothing_can_be_chosen_where_nothing_weighs() -> None:
    with pytest.raises(ValueError, match="the weights sum to zero"):
        draws.choose([0, 0], bytes(8))


def spoilt(text: str) -> dict[str, str]:
    """Texts that are no codes, by what is said of them."""
    return {
        "too long": text * 10,
        "not base32": "1" + text[1:],
        "too short": text[:16],
        "not signed by us": ("B" if text[40] != "B" else "C").join((text[:40], text[41:])),
    }


def test_texts_that_are_no_codes() -> None:
    code = codes.fresh(campaign_id=1, source=0, batch=1, expires_at=NOW)
    text = codes.encode(code, key_id="k1", key=KEYS["k1"])
    assert codes.decode(text, keys=KEYS) == code
    for says, other in spoilt(text).items():
        with pytest.raises(codes.CodeError, match=says):
            codes.decode(other, keys=KEYS)


def test_a_code_has_one_spelling() -> None:
    """Of the last letter some bits carry nothing: with others in their place it would be the same code twice."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    for key_id in ("k", "k1", "k12", "k123", "k1234"):
        key = KEYS["k1"]
        code = codes.fresh(campaign_id=1, source=0, batch=1, expires_at=NOW)
        text = codes.encode(code, key_id=key_id, key=key)
        if len(text) * 5 % 8:
            twin = text[:-1] + alphabet[alphabet.index(text[-1]) + 1]
            with pytest.raises(codes.CodeError, match="not the canonical spelling"):
                codes.decode(twin, keys={key_id: key})
