from __future__ import annotations

import pytest

from accounts import names


@pytest.mark.parametrize(("typed", "spelling"), [("Alice", "alice"), (" bob ", "bob"), ("ＣＨＡＲＬＩＥ", "charlie")])
def test_a_username_has_one_spelling(typed: str, spelling: str):
    assert names.normalise_username(typed) == spelling


@pytest.mark.parametrize("username", ["bob", "a_b.c-9", "x" * 30])
def test_usernames(username: str):
    assert names.is_username(username)


@pytest.mark.parametrize("username", ["", "ab", "x" * 31, "Bob", "bob\n", "bo b", "福福福", "bob@example"])
def test_not_usernames(username: str):
    assert not names.is_username(username)


@pytest.mark.parametrize("nickname", ["", "小明", "Zoë", "👨\u200d👩\u200d👧", "x" * 24])
def test_nicknames_of_any_script(nickname: str):
    assert names.is_nickname(nickname)


@pytest.mark.parametrize("nickname", ["x" * 25, "a\nb", "a\0b", "\u202eevil", "a\u2028b", "\ud800"])
def test_not_nicknames(nickname: str):
    assert not names.is_nickname(nickname)
