"""What players write to each other beside a trade: one line, so long at most. Pure."""

from __future__ import annotations

from fortunes import wording

LENGTH = 140

tidy = wording.tidy


def is_note(tidied: str) -> bool:
    """Any script, up to 140 code points, and nothing that moves the cursor or turns the line around."""
    return len(tidied) <= LENGTH and wording.is_one_line(tidied)
