"""Presence for processes without sockets, `settings.PRESENCE_ASKED`: what web processes write into Redis is read there.

What was read is good for a few seconds; who asks about many players asks Redis once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from functools import cache

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from config.sockets import beats
from fortunes.presence import Seen

log = logging.getLogger("fortunes.presence")

PATIENCE_S = 0.5
FRESH_S = 2.0

# When it was read, by this process's monotonic clock, and who was online then; None if that isn't known.
_read: tuple[float, frozenset[int] | None] = (float("-inf"), None)


def ask(players: Collection[int]) -> Seen:
    """Without Redis nobody is known to be online."""
    global _read
    if time.monotonic() - _read[0] > FRESH_S:
        _read = (time.monotonic(), _everybody())
    online = _read[1]
    return Seen(False, frozenset()) if online is None else Seen(True, online.intersection(players))


def _everybody() -> frozenset[int] | None:
    try:
        return beats.everybody(_redis())
    except RedisError as error:
        log.warning("nobody knows who is online: %s", type(error).__name__)
        return None


@cache
def _redis() -> Redis:
    """Its connections are a process's own: the client notices a fork."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)
