"""The API as an app would speak it: typed, and safe to retry. It knows nothing of Django.

`./dev demo`, the tests and bench/ use it, so the API is proven usable. docs/mobile.md says how it goes.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from time import monotonic
from typing import Any, Self, TypeVar

import httpx
import msgspec

from config.client import operations, shapes
from config.client.line import MARGIN_S, Fetch, Line
from config.client.operations import Operation
from config.client.outages import Outage
from config.client.pauses import ATTEMPTS, is_worth_waiting, pause
from config.client.season import Season
from config.client.shapes import Page
from config.client.sockets import Position, Refused, Socket

T = TypeVar("T")

# Refusals of a refresh token after which only signing in helps: its answer was lost, and the server spent it.
SIGN_IN_AGAIN = frozenset({"refresh-reused", "refresh-invalid", "refresh-expired"})


class Client:
    """One player over REST. `requests` counts all that was sent, `repeats` the writes that were sent again.

    `outages` are the requests that failed at first, from the failure to the answer. Everything raises Refused where
    the server says no, and httpx.TransportError where none answers for half a minute.
    """

    def __init__(self, base_url: str, *, http: httpx.AsyncClient | None = None) -> None:
        """`http` may be shared by many clients; without one the client makes its own, and `close` ends it."""
        self.base_url = base_url.rstrip("/")
        self.access = ""
        self.requests = self.repeats = 0
        self.outages: list[Outage] = []
        self._player: shapes.Player | None = None
        self._refresh = ""
        self._renew_at = 0.0
        self._sign_in_again: Callable[[], Awaitable[None]] | None = None
        self._renewing = asyncio.Lock()
        self._own_http = http is None
        # No proxy of the environment: the servers are this machine's.
        self._http = http or httpx.AsyncClient(timeout=20, trust_env=False)
        self._answered_at: datetime | None = None

    async def close(self) -> None:
        if self._own_http:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def player(self) -> shapes.Player:
        """Who is signed in."""
        if self._player is None:
            raise RuntimeError("nobody is signed in")
        return self._player

    async def sign_up(self, username: str, password: str, nickname: str = "", invitation: str = "") -> None:
        """`invitation` is the code of somebody's link, if the player came by one."""
        words = {"username": username, "password": password, "nickname": nickname, "invitation": invitation or None}
        self._signed_in(await self.call(operations.SIGN_UP, repeat_lost=False, **words))
        self._sign_in_again = partial(self.sign_in, username, password)

    async def sign_in(self, username: str, password: str) -> None:
        """Repeated if its answer is lost: at worst there is one session too many."""
        self._signed_in(await self.call(operations.SIGN_IN, username=username, password=password))
        self._sign_in_again = partial(self.sign_in, username, password)

    async def sign_in_from_host(self, token: Callable[[], str], invitation: str = "") -> None:
        """With a host app's token, which is good once: whoever sends the request again needs another."""
        words = {"token": token(), "invitation": invitation or None}
        self._signed_in(await self.call(operations.SIGN_IN_FROM_HOST, repeat_lost=False, **words))
        self._sign_in_again = partial(self.sign_in_from_host, token)

    async def sign_out(self) -> None:
        """Here. The server closes this session's sockets."""
        await self.call(operations.SIGN_OUT)
        self.access = self._refresh = ""
        self._sign_in_again = None

    async def refresh(self) -> None:
        """The session's next tokens."""
        answer = await self.call(operations.REFRESH, repeat_lost=False, refresh=self._refresh)
        self._signed_in(shapes.Session(player=self.player, tokens=answer.tokens))

    async def call(
        self, operation: Operation[T], *, key: str | None = None, repeat_lost: bool = True, **words: Any
    ) -> T:
        """The operation's answer. One with a key is sent again until there is one."""
        request: dict[str, Any] = {"repeat_lost": repeat_lost}
        body = operation.body(words)
        if operation.method == "GET":
            request["params"] = body or None
        elif operation.method != "DELETE":
            request["json"] = body
        if operation.key:
            request["headers"] = {"Idempotency-Key": key or secrets.token_hex(16)}
        found = await self._persist(operation.method, operation.address(words), **request)
        return msgspec.convert(found, operation.answer)

    async def pages(self, operation: Operation[Page[T]], **words: Any) -> AsyncIterator[T]:
        """All items of a list, page by page."""
        page = await self.call(operation, **words)
        while True:
            for item in page.items:
                yield item
            if page.next is None:
                return
            page = msgspec.convert(await self._persist("GET", page.next), operation.answer)

    async def get(self, path: str, **query: Any) -> Any:
        """What is at `path` below /api/v1/, as it came."""
        return await self._persist("GET", path, params=query or None)

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """A write under an Idempotency-Key, a fresh one unless given; sent again until there is an answer."""
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return await self._persist("POST", path, json={} if body is None else body, headers=headers)

    async def put(self, path: str, body: Any = None) -> Any:
        return await self._persist("PUT", path, json={} if body is None else body)

    async def delete(self, path: str) -> Any:
        return await self._persist("DELETE", path)

    def season(self, campaign: str) -> Season:
        """What a player does in one campaign."""
        return Season(campaign, self.call)

    async def friends(self) -> list[shapes.Friendship]:
        return [friendship async for friendship in self.pages(operations.FRIENDS)]

    async def befriend(self, player: str) -> shapes.Friendship:
        """Ask, or accept if the other one has asked."""
        return await self.call(operations.BEFRIEND, player=player)

    async def accept_friend(self, player: str) -> shapes.Friendship:
        return await self.call(operations.ACCEPT_FRIEND, player=player)

    async def events(self, after: int = 0) -> list[shapes.Notice]:
        """Part of the player's feed, oldest first."""
        return (await self.call(operations.EVENTS, after=after)).items

    async def socket(self, campaign: str, *, resume: Position | None = None, **options: Any) -> Socket:
        """A connected socket. Raises Refused or Lost, and OSError where nobody listens."""
        return await Socket.open(self.base_url, self.access, campaign, resume=resume, **options)

    def line(self, campaign: str, *, resume: Position | None = None, fetch: Fetch | None = None) -> Line:
        """A socket that stays. `fetch` is told whenever something was missed that pushes won't make up for."""
        return Line(self.base_url, self.token, campaign, resume, fetch=fetch)

    async def token(self, refused: str = "") -> str:
        """An access token that is good for a while yet, and another one than was `refused`."""
        if self._refresh and (monotonic() > self._renew_at or self.access == refused):
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

    def _signed_in(self, session: shapes.Session) -> None:
        """Lifetimes are taken by the server's clock: this machine's may be wrong."""
        tokens = session.tokens
        self._player = session.player
        self.access, self._refresh = tokens.access, tokens.refresh
        now = self._answered_at or datetime.now().astimezone()
        left: timedelta = datetime.fromisoformat(tokens.access_expires_at) - now
        self._renew_at = monotonic() + left.total_seconds() - MARGIN_S

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
        elif is_worth_waiting(refused.retry_after) and (
            refused.status in (429, 503) or refused.code == "still-in-progress"
        ):
            await pause(attempt, refused.retry_after)
        else:
            return False
        return True

    async def _send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **request: Any) -> Any:
        self.requests += 1
        signed = {"Authorization": f"Bearer {self.access}"} if self.access else {}
        address = path if path.startswith("http") else f"{self.base_url}/api/v1/{path}"
        response = await self._http.request(method, address, headers={**signed, **(headers or {})}, **request)
        self._answered_at = _date_of(response)
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


def _date_of(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
