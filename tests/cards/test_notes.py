"""Which notes are welcome: how words are found, and what hides none."""

from __future__ import annotations

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from cards import errors, notes
from cards.actions import notes as rules

SHIPPED = notes.words(notes.shipped())


@pytest.mark.parametrize(
    "note",
    [
        "fuck", "FUCK you", "f u c k", "f.u-c_k", "fuuuuck", "ｆｕｃｋ", "fu\u200bck", "fúck", "fu\u00adck",
        "f\u3164uck", "fuсk", "motherfucker!", "sh1t", "5h1t", "a$$", "p0rn", "piss  off", "f🎁u🎁c🎁k",
        "𝓯𝓾𝓬𝓴", "Ⓕⓤⓒⓚ", "f\u0336u\u0336ck",
        "你傻逼吗", "傻 逼", "傻\u200b逼", "傻1逼", "傻。逼", "傻-B", "傻Ｂ", "CNM", "c n m", "操你媽", "他 妈 的",
    ],
)  # fmt: skip
def test_unwelcome(note: str) -> None:
    assert not notes.is_welcome(note, SHIPPED)


@pytest.mark.parametrize(
    "note",
    [
        "", "请给我一张敬业福，谢谢！", "could you give me 富强福? 🎉👨‍👩‍👧",
        "class assist pass Scunthorpe", "shiitake",
        "room 455, call 7175", "as soon as I can", "cockpit and cocktail", "he's spicy", "grapes", "push it",
        "体操你喜欢吗",
        "去死海玩", "document", "1 2 3 4 5", "！！！", "Ünïcödé", "مرحبا",
    ],
)  # fmt: skip
def test_welcome(note: str) -> None:
    assert notes.is_welcome(note, SHIPPED)


@pytest.mark.parametrize("line", sorted({line.partition("#")[0].strip() for line in notes.shipped()} - {""}))
def test_every_word_is_found(line: str) -> None:
    word = line.removesuffix("*")
    for spelt in (word, word.upper(), f"¡{word}!", " ".join(word), f"好{word}好"):
        assert not notes.is_welcome(spelt, SHIPPED)


@given(st.text(max_size=notes.LENGTH))
def test_any_text_is_judged(text: str) -> None:
    assert notes.is_welcome(text, notes.words([]))
    notes.is_welcome(text, SHIPPED)


@pytest.mark.parametrize("note", ["a\nb", "a\x00", "\x1b[31m", "\u202eabc", "a\u2028b", "a" * 141, "\ud800"])
def test_no_notes(note: str) -> None:
    assert not notes.is_note(notes.tidy(note))


def test_a_note_is_tidied() -> None:
    assert notes.tidy("  fu\u0308r dich ") == "für dich"
    assert notes.is_note("福" * notes.LENGTH)


def test_a_site_adds_words_of_its_own() -> None:
    assert rules.checked(note=" 加我微信 ") == "加我微信"
    with override_settings(NOTE_WORDS=["加我微信", "casino*"]):
        for note in ("加 我 微 信 吧", "Online-CASINOS!"):
            with pytest.raises(errors.NoteRefused):
                rules.checked(note=note)
        assert rules.checked(note="微信") == "微信"


def test_what_no_serializer_lets_through_is_no_refusal() -> None:
    with pytest.raises(ValueError, match="serializer"):
        rules.checked(note="a\nb")
