"""Which words are welcome: how unwelcome ones are found, and what hides none. And what can be read at all."""

from __future__ import annotations

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from fortunes import wording
from fortunes.actions import wording as here

SHIPPED = wording.words(wording.shipped())


@pytest.mark.parametrize(
    "text",
    [
        "fuck", "FUCK you", "f u c k", "f.u-c_k", "fuuuuck", "ｆｕｃｋ", "fu\u200bck", "fúck", "fu\u00adck",
        "f\u3164uck", "fuсk", "motherfucker!", "sh1t", "5h1t", "a$$", "p0rn", "piss  off", "pi s s s off", "f🎁u🎁c🎁k",
        "𝓯𝓾𝓬𝓴", "Ⓕⓤⓒⓚ", "f\u0336u\u0336ck", "f\nu\nc\nk", "first line\nfuck",
        "你傻逼吗", "傻 逼", "傻\u200b逼", "傻1逼", "傻。逼", "傻-B", "傻Ｂ", "CNM", "c n m", "操你媽", "他 妈 的",
        "傻\n逼",
    ],
)  # fmt: skip
def test_unwelcome(text: str) -> None:
    assert not wording.is_welcome(text, SHIPPED)


@pytest.mark.parametrize(
    "text",
    [
        "", "请给我一张敬业福，谢谢！", "could you give me 富强福? 🎉👨‍👩‍👧",
        "class assist pass Scunthorpe", "shiitake",
        "room 455, call 7175", "as soon as I can", "cockpit and cocktail", "he's spicy", "grapes", "push it",
        "体操你喜欢吗",
        "去死海玩", "document", "1 2 3 4 5", "！！！", "Ünïcödé", "مرحبا",
    ],
)  # fmt: skip
def test_welcome(text: str) -> None:
    assert wording.is_welcome(text, SHIPPED)


@pytest.mark.parametrize("line", sorted({line.partition("#")[0].strip() for line in wording.shipped()} - {""}))
def test_every_word_is_found(line: str) -> None:
    word = line.removesuffix("*")
    for spelt in (word, word.upper(), f"¡{word}!", " ".join(word), f"好{word}好"):
        assert not wording.is_welcome(spelt, SHIPPED)


@given(st.text(max_size=500))
def test_any_text_is_judged(text: str) -> None:
    assert wording.is_welcome(text, wording.words([]))
    wording.is_welcome(text, SHIPPED)
    wording.is_readable(wording.tidy(text))


def test_long_rows_of_letters_are_judged_at_once() -> None:
    """Were there more than one way to read them, nobody would live to see this pass."""
    many = 20_000
    assert wording.is_welcome(f"pi{'s' * many}o{'f' * many}x", SHIPPED)
    assert not wording.is_welcome(f"pi{'s ' * many}o{'f ' * many}", SHIPPED)


def test_a_site_adds_words_of_its_own() -> None:
    assert here.is_welcome(text="加我微信")
    with override_settings(UNWELCOME_WORDS=["加我微信", "casino*"]):
        assert not here.is_welcome(text="加 我 微 信 吧")
        assert not here.is_welcome(text="Online-CASINOS!")
        assert here.is_welcome(text="微信")


@pytest.mark.parametrize(
    "text",
    [
        "keep it", "留下\n吧", "🎉", "👨‍👩‍👧", "❤️", "مرحبا بالعالم", "ไม่เอาการ์ดขโมย", "ខ្មែរ", "हिन्दी में",
        "e\u0301\u0323", "\U0001fae9",
    ],
)  # fmt: skip
def test_readable(text: str) -> None:
    assert wording.is_readable(wording.tidy(text))


@pytest.mark.parametrize(
    "text",
    [
        "", " \n\t ", "\u200b", "\u3164\u115f", "\ufe0f", "\u0301\u0323", "a\x00b", "\x1b[31mred", "tab\tulator",
        "\u202eabc", "a\u2066b", "a\u2028b", "a\u2029b", "a\x85b", "a\x0bb", "\ud800",
        "Z\u0310\u0352\u0306\u0309\u0342algo", "fine\nz\u0335\u0321\u0322\u0327\u0328",
    ],
)  # fmt: skip
def test_unreadable(text: str) -> None:
    assert not wording.is_readable(wording.tidy(text))


def test_one_spelling() -> None:
    assert wording.tidy("  fu\u0308r\r\ndich\rund \n mich ") == "für\ndich\nund \n mich"
