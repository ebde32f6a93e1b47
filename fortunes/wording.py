"""What people write for others to read: which signs it may have, and which words are not welcome. Pure.

The words lie in `fortunes/words/`, one a line. A word of a to z is found where it stands by itself, also with a `*` at
its end: where a word begins with it. Any other is found wherever its letters follow each other. Neither case nor
full-width letters, accents, look-alikes, digits for letters, repeated letters, or whatever is no letter in between hide
a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import groupby

LANGUAGES = ("en", "zh")
# They turn around the text that follows, on other people's screens.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters by name that show nothing: the fillers of Hangul.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0")
# What has no width (Cf) and what is put on top of a letter (Mn, Me).
_HIDDEN = frozenset({"Cf", "Mn", "Me"})
# Cyrillic and Greek letters that look like those of a to z.
_TWINS = str.maketrans(
    "\u0430\u0435\u043e\u0441\u0440\u0445\u0443\u043a\u043c\u0442\u043d\u0456\u0458\u0455\u0501"
    "\u03b1\u03bf\u03c1\u03bd\u03b9\u03ba\u03c4",
    "aeocpxykmthijsdaopvikt",
)
_DIGITS = str.maketrans("013457@$!|", "oieastasii")
_NEITHER = r"[\W_]*"
_LINE_ENDS = re.compile(r"\r\n?")
# Signs that one letter carries in any language; more are put there to cover the lines above and below.
MOST_MARKS = 4
_MARKS = frozenset({"Mn", "Me"})


@dataclass(frozen=True, slots=True)
class Words:
    """Unwelcome words: a pattern of those from a to z, and the others as letters that follow each other."""

    latin: re.Pattern[str]
    others: frozenset[str]


def tidy(typed: str) -> str:
    """The one spelling of what somebody typed; its lines end as everywhere."""
    return _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", typed)).strip()


def is_one_line(text: str) -> bool:
    """Whether nothing in a text moves the cursor or turns the line around."""
    return not any(
        character in _BIDI_CONTROLS or unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text
    )


def is_readable(tidied: str) -> bool:
    """Whether a text of some lines has something to read, and nothing in it spoils what others see around it."""
    lines = tidied.split("\n")
    return (
        all(is_one_line(line) for line in lines)
        and any(_shows(character) for character in tidied)
        and not any(_is_piled_up(line) for line in lines)
    )


def words(lines: Iterable[str]) -> Words:
    """The words of lines; what follows a `#` is a comment."""
    given = {line.partition("#")[0].strip() for line in lines} - {""}
    folded = {(_letters(_fold(word)), word.endswith("*")) for word in given}
    latin = sorted(_pattern(word, begins) for word, begins in folded if word.isascii() and word)
    return Words(
        # Without any word it matches nowhere.
        latin=re.compile("|".join(latin) or r"(?!)"),
        others=frozenset(word for word, _ in folded if not word.isascii()),
    )


@cache
def shipped() -> tuple[str, ...]:
    """The lines of the lists that come with the product."""
    folder = resources.files("fortunes").joinpath("words")
    texts = [folder.joinpath(f"{language}.txt").read_text(encoding="utf-8") for language in LANGUAGES]
    return tuple(line for text in texts for line in text.splitlines())


def is_welcome(text: str, unwelcome: Words) -> bool:
    """Whether none of the words is in a text, however it is spelt."""
    folded = _fold(text)
    read = folded.translate(_DIGITS)
    # A number is no word: among what is read as one is a letter that was written as one.
    if any(re.search("[a-z]", folded[slice(*found.span())]) for found in unwelcome.latin.finditer(read)):
        return False
    if unwelcome.latin.search(folded):
        return False
    letters = _letters(folded)
    return not any(word in letters for word in unwelcome.others)


def _shows(character: str) -> bool:
    category = unicodedata.category(character)
    return category not in _HIDDEN and category not in {"Cc", "Cs", "Zl", "Zp", "Zs"} and character not in _BLANK


def _is_piled_up(line: str) -> bool:
    marks = 0
    for character in line:
        marks = marks + 1 if unicodedata.category(character) in _MARKS else 0
        if marks > MOST_MARKS:
            return True
    return False


def _fold(text: str) -> str:
    """Lower case, without width, accents and what can't be seen."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    seen = (c for c in plain if unicodedata.category(c) not in _HIDDEN and c not in _BLANK)
    return "".join(seen).translate(_TWINS)


def _letters(folded: str) -> str:
    return "".join(c for c in folded if c.isalpha())


def _pattern(word: str, begins: bool) -> str:
    """A word of a to z, each letter once or more and nothing but what is neither letter nor digit between them."""
    letters = _NEITHER.join(_letter(letter, len(list(run))) for letter, run in groupby(word))
    return rf"(?<![a-z]){letters}{'' if begins else '(?![a-z])'}"


def _letter(letter: str, times: int) -> str:
    """So often or more. As `s+…s+` there would be so many ways to read a row of them that one comment took seconds."""
    return f"{letter}+" if times == 1 else rf"{letter}(?:{_NEITHER}{letter}){{{times - 1},}}"
