"""How far it is: one line with a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

BAR = 24
PLAIN_EVERY_S = 10.0


class Progress:
    """Phases one after the other, each from 0 to 1."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._tty = stream.isatty()
        self._title = ""
        self._began = self._said = time.monotonic()
        self._open_line = False

    def phase(self, title: str) -> None:
        """A new phase begins; the line of the last one stays."""
        self._title, self._began, self._said = title, time.monotonic(), time.monotonic()
        if self._tty:
            self.show(0.0)
        else:
            self._line(f"{title} …")

    def show(self, share: float, note: str = "") -> None:
        """The present phase is at `share` (0 to 1); `note` says what there is to count."""
        if self._tty:
            filled = round(BAR * min(max(share, 0.0), 1.0))
            text = f"{self._title:<12} [{'█' * filled}{'·' * (BAR - filled)}] {share:4.0%}  {note}"
            self._write(f"\r{text[: shutil.get_terminal_size().columns - 1]}\x1b[K")
            self._open_line = True
        elif time.monotonic() - self._said >= PLAIN_EVERY_S:
            self._said = time.monotonic()
            self._line(f"{self._title}: {share:.0%}  {note}".rstrip())

    def done(self, note: str = "") -> None:
        """The present phase is over."""
        seconds = time.monotonic() - self._began
        if self._tty:
            self.show(1.0, f"{note}  {seconds:.1f} s".strip())
        else:
            self._line(f"{self._title}: {note}  {seconds:.1f} s")
        self.close()

    def close(self) -> None:
        """End a line that is still being rewritten."""
        if self._open_line:
            self._write("\n")
            self._open_line = False

    def _line(self, text: str) -> None:
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
