"""Tests of the suite that take longer when they are given more."""

from __future__ import annotations

import os

from config.management.commands import suite


def run(*words: str, **settings: str) -> int:
    """The exit code of `./dev test WORDS` in one process, with these variables in its environment."""
    os.environ.update(settings)
    try:
        suite.Command().handle("-n", "0", *words)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
