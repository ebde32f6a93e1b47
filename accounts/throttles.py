"""A brake on guessing passwords. Comfort only: it counts in Redis, and without Redis it lets everybody pass."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import names
from fortunes import clock

log = logging.getLogger("fortunes.throttles")


class SignInThrottle(BaseThrottle):
    """Ten tries a minute for one username from one address.

    Leaves the `RateLimit` fields in `request.rate_limit_headers`, for the view to add.
    """

    QUOTA = 10
    WINDOW_S = 60

    def allow_request(self, request: Request, view: Any) -> bool:
        window, passed = divmod(int(clock.estimate().timestamp()), self.WINDOW_S)
        self._wait = self.WINDOW_S - passed
        try:
            tries = self._count(f"sign-in:{window}:{self._who(request)}")
        except (RedisError, ValueError) as error:  # ValueError: the counter was evicted between two commands.
            log.warning("sign-in is not throttled: %s", error)
            return True
        request.rate_limit_headers = {  # type: ignore[attr-defined]
            "RateLimit-Policy": f'"sign-in";q={self.QUOTA};w={self.WINDOW_S}',
            "RateLimit": f'"sign-in";r={max(0, self.QUOTA - tries)};t={self._wait}',
        }
        return tries <= self.QUOTA

    def wait(self) -> float:
        return self._wait

    def _count(self, name: str) -> int:
        cache.add(name, 0, timeout=2 * self.WINDOW_S)
        return cache.incr(name)

    def _who(self, request: Request) -> str:
        """Hashed: a username is a personal word."""
        username = request.data.get("username") if isinstance(request.data, dict) else None
        address = request.META.get("REMOTE_ADDR", "")
        asked = f"{address}\n{names.normalise_username(username) if isinstance(username, str) else ''}"
        return hashlib.sha256(asked.encode(errors="replace")).hexdigest()[:32]
