"""Which notes may be written on this installation."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from cards import errors, notes


def checked(*, note: str) -> str:
    """A note as it is kept; the empty string is none. Raises NoteRefused.

    Its length and its signs are what a serializer has looked at.
    """
    tidied = notes.tidy(note)
    if not notes.is_note(tidied):
        raise ValueError("a note that no serializer lets through")
    if tidied and not notes.is_welcome(tidied, _unwelcome(tuple(settings.NOTE_WORDS))):
        raise errors.NoteRefused
    return tidied


@cache
def _unwelcome(more: tuple[str, ...]) -> notes.Words:
    return notes.words((*notes.shipped(), *more))
