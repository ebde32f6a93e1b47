"""Brakes on guessing passwords, on signing up in heaps and on pestering.

Comfort only: they count in Redis, and without Redis they let everybody pass.
"""

from __future__ import annotations

import hashlib
import logging
import time
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts import addresses, names, serializers
from accounts.authentication import player_id
from fortunes import clock

log = logging.getLogger("fortunes.throttles")

LEAVE_REDIS_ALONE_S = 5.0

_redis_is_ill_until = 0.0


class Throttle(BaseThrottle, ABC):
    """So many requests in a window of time, POSTs unless told otherwise.

    What is left goes into `request.rate_limits`, for the view to tell.
    """

    policy: ClassVar[str]
    window_s: ClassVar[int] = 60
    method: ClassVar[str] = "POST"

    @property
    @abstractmethod
    def quota(self) -> int:
        """How many."""

    @abstractmethod
    def whose(self, request: Request) -> str | None:
        """Who or what is counted; None counts nothing."""

    def allow_request(self, request: Request, view: Any) -> bool:
        # What HEAD costs and tells is what GET does.
        method = "GET" if request.method == "HEAD" else request.method
        who = self.whose(request) if method == self.method else None
        if who is None:
            return True
        window, passed = divmod(int(clock.estimate().timestamp()), self.window_s)
        self._wait = self.window_s - passed
        # Hashed: names and addresses are personal.
        digest = hashlib.sha256(who.encode(errors="replace")).hexdigest()[:32]
        count = _count(f"{self.policy}:{window}:{digest}", keep_s=2 * self.window_s)
        if count is None:
            return True
        left = max(0, self.quota - count)
        told = (f'"{self.policy}";q={self.quota};w={self.window_s}', f'"{self.policy}";r={left};t={self._wait}')
        request.rate_limits = [*getattr(request, "rate_limits", ()), told]  # type: ignore[attr-defined]
        return count <= self.quota

    def wait(self) -> float:
        return self._wait


class SignInThrottle(Throttle):
    """Ten tries a minute for one username from one address."""

    policy = "sign-in"
    quota = 10

    def whose(self, request: Request) -> str:
        username = request.data.get("username") if isinstance(request.data, dict) else None
        return f"{address(request)}\n{names.normalise_username(username) if isinstance(username, str) else ''}"


class AddressThrottle(Throttle):
    """For what costs much or can be guessed: by address, since nobody is signed in yet."""

    def whose(self, request: Request) -> str:
        return address(request)


class SignInAddressThrottle(AddressThrottle):
    policy = "sign-in-address"

    @property
    def quota(self) -> int:
        return int(settings.SIGN_INS_PER_MINUTE)


class PhoneCodeThrottle(AddressThrottle):
    """What each number gets is limited in the database; this is against who goes through many numbers."""

    policy = "phone-codes"

    @property
    def quota(self) -> int:
        return int(settings.PHONE_CODES_PER_MINUTE)


class SignUpThrottle(AddressThrottle):
    policy = "sign-up"

    @property
    def quota(self) -> int:
        return int(settings.SIGN_UPS_PER_MINUTE)


class RefreshThrottle(AddressThrottle):
    policy = "refresh"

    @property
    def quota(self) -> int:
        return int(settings.REFRESHES_PER_MINUTE)


class PlayerThrottle(Throttle):
    """For what one player may do so often."""

    def whose(self, request: Request) -> str:
        return str(player_id(request))


class AskThrottle(PlayerThrottle):
    """How many players one may ask."""

    policy = "ask"

    @property
    def quota(self) -> int:
        return int(settings.ASKS_PER_MINUTE)


class AskAgainThrottle(Throttle):
    """One player asks another five times an hour: whoever asks and withdraws in turns would fill the other's feed."""

    policy = "ask-again"
    window_s = 3600
    quota = 5

    def whose(self, request: Request) -> str | None:
        asked = serializers.Ask(data=request.data)
        if not asked.is_valid():
            return None
        whom = asked.validated_data.get("player") or names.normalise_username(asked.validated_data["username"])
        return f"{player_id(request)}\n{whom}"


class InviteThrottle(PlayerThrottle):
    """A new link for a revoked one, again and again, would fill the table."""

    policy = "invite"
    window_s = 3600
    quota = 60


class LookThrottle(AddressThrottle):
    """Whose link is this: codes can't be guessed, and this is how slowly they can't be."""

    policy = "look"
    method = "GET"
    quota = 600


class ExportThrottle(PlayerThrottle):
    """An export reads all that there is about a player."""

    policy = "export"
    method = "GET"
    window_s = 3600
    quota = 6


class ErasureThrottle(PlayerThrottle):
    """The password is asked for: a stolen access token is no licence to guess it."""

    policy = "erasure"
    method = "DELETE"
    window_s = 3600
    quota = 6


class ThrottledView(APIView):
    """A view that tells what is left of its limits, in the fields `RateLimit-Policy` and `RateLimit`."""

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        limits = getattr(request, "rate_limits", ())
        if limits:
            policies, left = zip(*limits, strict=True)
            response["RateLimit-Policy"], response["RateLimit"] = ", ".join(policies), ", ".join(left)
        return super().finalize_response(request, response, *args, **kwargs)


def _count(name: str, *, keep_s: int) -> int | None:
    """How often this was counted, now included; None if Redis can't say."""
    global _redis_is_ill_until
    if time.monotonic() < _redis_is_ill_until:
        return None
    try:
        cache.add(name, 0, timeout=keep_s)
        return cache.incr(name)
    except RedisError as error:
        # A Redis that hangs costs a try its timeout, and a thread meanwhile: one finds out and the others go past.
        _redis_is_ill_until = time.monotonic() + LEAVE_REDIS_ALONE_S
        log.warning("nothing is throttled for %.0f s: %s", LEAVE_REDIS_ALONE_S, error)
    except ValueError:
        log.warning("nothing is throttled: the counter was evicted between two commands")
    return None


def address(request: Request) -> str:
    """Where a request comes from. Of IPv6 the network: everybody has 2⁶⁴ addresses."""
    return addresses.network(request.META.get("REMOTE_ADDR", ""))
