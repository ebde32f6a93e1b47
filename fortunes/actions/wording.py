"""Which words are welcome on this installation."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from fortunes import wording


def is_welcome(*, text: str) -> bool:
    """Whether nothing of the shipped lists and of the setting UNWELCOME_WORDS is in a text."""
    return wording.is_welcome(text, _unwelcome(tuple(settings.UNWELCOME_WORDS)))


@cache
def _unwelcome(more: tuple[str, ...]) -> wording.Words:
    return wording.words((*wording.shipped(), *more))
