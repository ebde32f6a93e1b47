"""Sentences with values, for whoever reads them in their own language. Pure: what translates them is handed in.

`./dev translations` collects the texts where a Sentence or a RulesError is made.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Sentence(msgspec.Struct, frozen=True):
    """`text` is English with placeholders `%(name)s`, and the key of its translations; `path` is a JSON Pointer."""

    text: str
    values: dict[str, str | int] = {}
    path: str = ""

    def __str__(self) -> str:
        return self.translated(str)

    def translated(self, translate: Callable[[str], str]) -> str:
        """In the words that `translate` has for the text, after the path of what it is about."""
        words = translate(self.text) % self.values
        return f"{self.path}: {words}" if self.path else words
