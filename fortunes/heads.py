"""The audit's heads, kept outside the database: whoever changes the chain afterwards can't change these too.

A worker appends the newest head to a file and to the log, whenever it has moved; `check_invariants` compares the file
with the chain. A line is the entry's number, its hash in hex and when it was published.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from fortunes import audit, clock, sql

log = logging.getLogger("fortunes.audit")

MOST_FAULTS = 20
# What closes a line that couldn't be written whole.
CUT_OFF = " cut off"


class Head(NamedTuple):
    """The chain up to the entry `seq` had this hash."""

    seq: int
    hash: bytes


def publish() -> Head | None:
    """Tell the newest head to the log, and append it to AUDIT_HEADS_FILE if that is set; None if it's the last one."""
    newest = Head(*audit.head())
    file = Path(settings.AUDIT_HEADS_FILE) if settings.AUDIT_HEADS_FILE else None
    if newest.seq == 0 or newest == _told_last(file):
        return None
    if file is not None:
        _append(file, f"{newest.seq} {newest.hash.hex()} {clock.now().isoformat(timespec='seconds')}\n".encode())
    log.info("audit head", extra={"seq": newest.seq, "head": newest.hash.hex()})
    _remember(newest)
    return newest


def read(file: Path) -> Iterator[Head]:
    """The heads in a file. Raises ValueError for a line that is none; one that was cut off is left out."""
    text = file.read_text(encoding="ascii")
    for number, line in enumerate(text[: text.rfind("\n") + 1].split("\n")[:-1], 1):
        words = line.split(" ")
        if line.endswith(CUT_OFF):
            continue
        if len(words) != 3 or not words[0].isdecimal() or len(words[1]) != 64:
            raise ValueError(f"line {number} of {file} is no head")
        yield Head(int(words[0]), bytes.fromhex(words[1]))


def _append(file: Path, line: bytes) -> None:
    """In one write at the end, however many workers publish; on disk before it counts as published."""
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            # The disk was full, or a worker was killed: what it began must not become the beginning of this line.
            line = f"{CUT_OFF}\n".encode() + line
        if os.write(descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, "the head was cut off", str(file))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def faults(heads: Sequence[Head]) -> list[str]:
    """Which of the heads the chain in the database doesn't have, in words; at most 20."""
    rows = sql.fetch(
        "SELECT seq, hash FROM fortunes_auditentry WHERE seq = ANY(%(seqs)s)", {"seqs": [head.seq for head in heads]}
    )
    there = {row.seq: bytes(row.hash) for row in rows}
    wrong = []
    for head in sorted(set(heads)):
        if head.seq not in there:
            wrong.append(f"entry {head.seq} was published and is not there")
        elif there[head.seq] != head.hash:
            wrong.append(f"entry {head.seq} had another hash when it was published")
    return wrong[:MOST_FAULTS]


_published: Head | None = None


def _remember(head: Head) -> None:
    global _published
    _published = head


def _told_last(file: Path | None) -> Head | None:
    """The last that was published: by whoever wrote the file, or, without one, by this process."""
    if file is None:
        return _published
    if not file.exists():
        return None
    *_, last = [None, *read(file)]
    return last
