"""Which notes may be written on this installation."""

from __future__ import annotations

from cards import errors, notes
from fortunes.actions import wording


def checked(*, note: str) -> str:
    """A note as it is kept; the empty string is none. Raises NoteRefused.

    Its length and its signs are what a serializer has looked at.
    """
    tidied = notes.tidy(note)
    if not notes.is_note(tidied):
        raise ValueError("a note that no serializer lets through")
    if not wording.is_welcome(text=tidied):
        raise errors.NoteRefused
    return tidied
