"""Django on one thread from the first signal of a request to the last."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, NamedTuple

from django.core import signals
from django.core.handlers.asgi import ASGIRequest, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http import FileResponse, HttpResponseBase
from django.urls import set_script_prefix

from config import logs, problems

CHUNK = 64 * 1024


class Answer(NamedTuple):
    """What became of a request. `file` is still to be read and closed; `route` and `player` are for the log."""

    status: int
    headers: list[tuple[bytes, bytes]]
    content: bytes = b""
    file: FileResponse | None = None
    route: str = "unmatched"
    player: int | None = None


class Handler(BaseHandler):
    """Requests come as to Django's handler for ASGI, and run as in that for WSGI: without a hop between threads."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware()

    def answer(self, scope: Mapping[str, Any], body: bytes) -> Answer:
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=Handler, scope=scope)
        response, route, player = self._response(_with_length(scope, body), body)
        # The sender of request_finished, which is sent by the response's end.
        response._handler_class = Handler  # type: ignore[attr-defined]
        if isinstance(response, FileResponse) and response.file_to_stream is not None:
            response.block_size = CHUNK
            return answer_of(response, file=response)._replace(route=route, player=player)
        try:
            return answer_of(response)._replace(route=route, player=player)
        finally:
            response.close()

    def _response(self, scope: Mapping[str, Any], body: bytes) -> tuple[HttpResponseBase, str, int | None]:
        """The response, the route that gave it, and the number of the player who asked."""
        try:
            request = ASGIRequest(scope, BytesIO(body))
        except UnicodeDecodeError:  # A query that is not UTF-8.
            return problems.plain(problems.protocol("invalid-request")), "unmatched", None
        response = self.get_response(request)
        return response, logs.route_of(request), logs.player_of(request)


def answer_of(response: HttpResponseBase, *, file: FileResponse | None = None) -> Answer:
    """Status and headers of a response, and its content unless that is a file."""
    headers = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    headers += [(b"set-cookie", cookie.OutputString().encode("latin-1")) for cookie in response.cookies.values()]
    return Answer(response.status_code, headers, b"" if file else b"".join(response), file)


def _with_length(scope: Mapping[str, Any], body: bytes) -> Mapping[str, Any]:
    """Django reads no body without a length, and chunked ones come without."""
    headers = [header for header in scope["headers"] if header[0] not in (b"content-length", b"transfer-encoding")]
    return {**scope, "headers": [*headers, (b"content-length", str(len(body)).encode())]}
