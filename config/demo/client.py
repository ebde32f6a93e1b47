"""The API as an app would speak it: typed, and safe to retry. It knows nothing of Django.

`./dev demo` and the tests use it, so the API is proven usable. Sockets are in sockets.py.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any, Self

import httpx

from config.demo.outages import Outage
from config.demo.sockets import ATTEMPTS, Line, Position, Refused, Socket, pause

# A token is renewed this long before it expires.
MARGIN = timedelta(seconds=10)
# Refusals of a refresh token after which only signing in helps: its answer was lost, and the server spent it.
SIGN_IN_AGAIN = frozenset({"refresh-reused", "refresh-invalid", "refresh-expired"})


class Client:
    """One player over REST. `requests` counts all that was sent, `repeats` the writes that were sent again.

    `outages` are the requests that failed at first, from the failure to the answer.
    """

    def __init__(self, base_url: str, *, http: httpx.AsyncClient | None = None) -> None:
        """`http` may be shared by many clients; without one the client makes its own, and `close` ends it."""
        self.base_url = base_url.rstrip("/")
        self.player: dict[str, Any] = {}
        self.access = ""
        self.requests = self.repeats = 0
        self.outages: list[Outage] = []
        self._refresh = ""
        self._sign_in_again: Callable[[], Awaitable[None]] | None = None
        self._renewing = asyncio.Lock()
        self._own_http = http is None
        # No proxy of the environment: the servers are this machine's.
        self._http = http or httpx.AsyncClient(timeout=20, trust_env=False)

    async def close(self) -> None:
        if self._own_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def sign_up(self, username: str, password: str, nickname: str = "", invitation: str = "") -> None:
        """`invitation` is the code of somebody's link, if the player came by one."""
        body = {"username": username, "password": password, "nickname": nickname}
        self._signed_in(await self._once("players", body | ({"invitation": invitation} if invitation else {})))
        self._sign_in_again = partial(self.sign_in, username, password)

    async def sign_in(self, username: str, password: str) -> None:
        """Repeated if its answer is lost: at worst there is one session too many."""
        session = await self._persist("POST", "sessions", json={"username": username, "password": password})
        self._signed_in(session)
        self._sign_in_again = partial(self.sign_in, username, password)

    async def sign_in_from_host(self, token: Callable[[], str], invitation: str = "") -> None:
        """With a host app's token, which is good once: whoever sends the request again needs another."""
        body = {"token": token()} | ({"invitation": invitation} if invitation else {})
        self._signed_in(await self._once("sessions/federated", body))
        self._sign_in_again = partial(self.sign_in_from_host, token)

    async def refresh(self) -> None:
        """The session's next tokens."""
        self._signed_in({"player": self.player} | await self._once("sessions/refresh", {"refresh": self._refresh}))

    async def get(self, path: str, **query: Any) -> Any:
        """What is at `path` below /api/v1/. Raises Refused."""
        return await self._persist("GET", path, params=query or None)

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """A write under an Idempotency-Key, a fresh one unless given; sent again until there is an answer."""
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return await self._persist("POST", path, json={} if body is None else body, headers=headers)

    async def put(self, path: str, body: Any = None) -> Any:
        return await self._persist("PUT", path, json={} if body is None else body)

    async def delete(self, path: str) -> Any:
        return await self._persist("DELETE", path)

    async def items(self, path: str) -> AsyncIterator[Any]:
        """All items of a list, page by page."""
        address: str | None = path
        while address:
            page = await self.get(address)
            for item in page["items"]:
                yield item
            address = page["next"]

    async def socket(self, campaign: str, *, resume: Position | None = None, **options: Any) -> Socket:
        """A connected socket. Raises Refused or Lost, and OSError where nobody listens."""
        return await Socket.open(self.base_url, self.access, campaign, resume=resume, **options)

    def line(self, campaign: str, *, resume: Position | None = None) -> Line:
        """A socket that stays."""
        return Line(self.base_url, self._fresh_access, campaign, resume)

    async def _fresh_access(self) -> str:
        """An access token that is good for a while yet, by this machine's clock."""
        if self._refresh and self._expires_at - datetime.now(UTC) < MARGIN:
            await self._renew(self.access)
        return self.access

    async def _renew(self, stale: str) -> None:
        """Once, whoever asks: a refresh token that is used twice ends the session."""
        async with self._renewing:
            if self.access != stale:
                return
            try:
                await self.refresh()
            except (httpx.TransportError, Refused) as error:
                lost = isinstance(error, httpx.TransportError) or error.code in SIGN_IN_AGAIN
                if not lost or self._sign_in_again is None:
                    raise
                await self._sign_in_again()

    def _signed_in(self, session: Mapping[str, Any]) -> None:
        tokens = session["tokens"]
        self.player = session["player"]
        self.access, self._refresh = tokens["access"], tokens["refresh"]
        self._expires_at = datetime.fromisoformat(tokens["access_expires_at"])

    async def _once(self, path: str, body: Any) -> Any:
        """A write without a key: whether it was done can't be found out by sending it again."""
        return await self._persist("POST", path, repeat_lost=False, json=body)

    async def _persist(self, method: str, path: str, *, repeat_lost: bool = True, **request: Any) -> Any:
        failed_at: float | None = None
        try:
            for attempt in range(ATTEMPTS):
                is_last = attempt == ATTEMPTS - 1
                self.repeats += attempt > 0 and method != "GET"
                access = self.access
                try:
                    return await self._send(method, path, **request)
                except httpx.TransportError as error:
                    failed_at = failed_at or monotonic()
                    if is_last or not (repeat_lost or isinstance(error, httpx.ConnectError)):
                        raise
                    await pause(attempt)
                except Refused as refused:
                    if refused.status == 503:
                        failed_at = failed_at or monotonic()
                    if is_last or not await self._worth_repeating(refused, attempt, access):
                        raise
            raise AssertionError("the last attempt returns or raises")
        finally:
            if failed_at is not None:
                self.outages.append(Outage("request", failed_at, monotonic()))

    async def _worth_repeating(self, refused: Refused, attempt: int, access: str) -> bool:
        """Wait, or get new tokens, where the same request may then succeed."""
        if refused.code == "token-expired" and self._refresh:
            await self._renew(access)
        elif refused.status in (429, 503) or refused.code == "still-in-progress":
            await pause(attempt, refused.retry_after)
        else:
            return False
        return True

    async def _send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **request: Any) -> Any:
        self.requests += 1
        signed = {"Authorization": f"Bearer {self.access}"} if self.access else {}
        address = path if path.startswith("http") else f"{self.base_url}/api/v1/{path}"
        response = await self._http.request(method, address, headers={**signed, **(headers or {})}, **request)
        if response.is_success:
            return response.json() if response.content else None
        raise _refused(response)


def _refused(response: httpx.Response) -> Refused:
    """The refusal of a problem document; other answers, a proxy's say, have a code made of their status."""
    kind = response.headers.get("Content-Type", "")
    body = response.json() if kind.startswith("application/problem+json") else {"detail": response.text[:200]}
    seconds = response.headers.get("Retry-After", "")
    retry_after = float(seconds) if seconds.isdigit() else None
    code = body.get("code", f"http-{response.status_code}")
    return Refused(code, body, status=response.status_code, retry_after=retry_after)
