"""Codes and rules, which strangers may send us in any shape."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cards import codes
from fortunes import rules

KEYS = {"k1": b"1" * 32, "k2": b"2" * 32}
any_code = st.builds(
    codes.Code,
    campaign_id=st.integers(0, 2**32 - 1),
    source=st.integers(0, 2**16 - 1),
    batch=st.integers(0, 2**32 - 1),
    expires_at=st.integers(0, 2**33).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    nonce=st.binary(min_size=codes.NONCE_BYTES, max_size=codes.NONCE_BYTES),
)


@given(any_code, st.sampled_from(sorted(KEYS)))
def test_a_code_says_what_it_was_made_from(code: codes.Code, key_id: str) -> None:
    text = codes.encode(code, key_id=key_id, key=KEYS[key_id])

    assert codes.decode(text, keys=KEYS) == code
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


@given(any_code, st.data())
def test_no_change_of_one_character_is_accepted(code: codes.Code, data: st.DataObject) -> None:
    text = codes.encode(code, key_id="k1", key=KEYS["k1"])
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567abc=1é").filter(lambda c: c != text[place]))

    with pytest.raises(codes.CodeError):
        codes.decode(text[:place] + other + text[place + 1 :], keys=KEYS)


@given(st.text(max_size=200))
@example("A" * 128)
def test_any_text_is_a_code_error_and_nothing_else(text: str) -> None:
    with pytest.raises(codes.CodeError):
        codes.decode(text, keys=KEYS)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
VALID = {"weights": {"a": 1}, "complete_set": ["a"], "quotas": {"code": {"per_day": 1, "per_campaign": 1}}}


@given(st.dictionaries(st.sampled_from(["weights", "complete_set", "quotas", "caps", "more"]), json_like))
@example({"weights": {"a": 0}})
@example({"complete_set": []})
@example({"caps": {"a": {"units": 1}}})
@example({"caps": {"b": {"units": 1}}})
@example({"quotas": {}})
def test_any_rules_are_valid_or_a_rules_error(parts: dict[str, object]) -> None:
    with contextlib.suppress(rules.RulesError):
        parsed = rules.parse(VALID | parts)
        assert sum(parsed.weights.values()) > 0
        assert rules.parse(rules.dump(parsed)) == parsed
