"""Places for hashing passwords, which takes a quarter of a second of a processor on purpose.

Without a bound, sign-ups from many addresses, each within its limits, would take all threads of a process. With it the
others go on, and who finds no place is told to come again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from fortunes.errors import Busy

RETRY_AFTER_S = 1

_places = threading.BoundedSemaphore(settings.PASSWORD_HASHES_AT_ONCE)


@contextmanager
def place() -> Iterator[None]:
    """One of the process's places for hashing. Raises Busy instead of waiting."""
    if not _places.acquire(blocking=False):
        raise Busy(retry_after_s=RETRY_AFTER_S)
    try:
        yield
    finally:
        _places.release()
