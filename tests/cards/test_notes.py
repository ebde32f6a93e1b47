"""Which notes may be written beside a trade. How words are found is tested in `tests/fortunes/test_wording.py`."""

from __future__ import annotations

import pytest
from django.test import override_settings

from cards import errors, notes
from cards.actions import notes as rules


@pytest.mark.parametrize("note", ["a\nb", "a\r\nb", "a\x00", "\x1b[31m", "\u202eabc", "a\u2028b", "a" * 141, "\ud800"])
def test_no_notes(note: str) -> None:
    assert not notes.is_note(notes.tidy(note))


def test_a_note_is_tidied() -> None:
    assert notes.tidy("  fu\u0308r dich ") == "für dich"
    assert notes.is_note("福" * notes.LENGTH)


def test_words_that_are_not_welcome() -> None:
    assert rules.checked(note=" 加我微信 ") == "加我微信"
    with override_settings(UNWELCOME_WORDS=["加我微信"]), pytest.raises(errors.NoteRefused):
        rules.checked(note="加 我 微 信 吧")
    with pytest.raises(errors.NoteRefused):
        rules.checked(note="f.u.c.k")
    assert rules.checked(note="") == ""


def test_what_no_serializer_lets_through_is_no_refusal() -> None:
    with pytest.raises(ValueError, match="serializer"):
        rules.checked(note="a\nb")
