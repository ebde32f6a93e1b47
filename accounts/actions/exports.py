"""Everything that is held about a player, for the player."""

from __future__ import annotations

import tempfile
from typing import IO, Any

import msgspec

from accounts import friends
from fortunes import clock, personal
from fortunes.answers import instant

# Larger ones wait on disk to be sent.
IN_MEMORY = 256 * 1024


def document(*, player_id: int) -> IO[bytes]:
    """A JSON document with a list for each section, at its beginning; the caller closes it.

    It is written as it is read, a few hundred rows at a time, so a long history costs disk and no memory.
    """
    player = friends.player(player_id)
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - it outlives this function
    head = {"player": player.public_id, "exported_at": instant(clock.now())}
    file.write(_json(head)[:-1])
    for name, rows in personal.sections().items():
        file.write(b"," + _json(name) + b":[")
        for number, row in enumerate(rows(player_id)):
            file.write((b"," if number else b"") + _json(row))
        file.write(b"]")
    file.write(b"}")
    file.seek(0)
    return file


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value, enc_hook=str)
