"""Amounts as people read them. Pure."""

from __future__ import annotations

import re

# As the errors of the stages speak of them.
_FEN = re.compile(r"\b(\d{1,18}) fen\b")


def yuan(fen: int | None) -> str:
    """An amount of fen for people."""
    return "-" if fen is None else f"¥{fen // 100:,}.{fen % 100:02}"


def in_yuan(text: str) -> str:
    """A text with its amounts of fen in yuan."""
    return _FEN.sub(lambda found: yuan(int(found[1])), text)
