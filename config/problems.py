"""Every error of the API, from one place, as RFC 9457 problem+json with a stable code."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from config import metrics
from fortunes.errors import Busy, DomainError, every
from fortunes.sqlstates import REFUSALS_BY_SQLSTATE

log = logging.getLogger("fortunes.problems")

DISK_FULL = "53100"
# When a statement of this process last found the database's disk full, by the process's monotonic clock.
_disk_full_at = float("-inf")

CONTENT_TYPE = "application/problem+json"

# What is refused before any action is asked: code → (status, title).
PROTOCOL: dict[str, tuple[int, Promise]] = {
    "malformed-json": (400, _("The body is not valid JSON.")),
    "malformed-frame": (400, _("This is not a frame of the socket's protocol.")),
    "invalid-request": (400, _("The request is not valid.")),
    "not-signed-in": (401, _("Sign in first.")),
    "forbidden": (403, _("You may not do that.")),
    "not-found": (404, _("There is nothing here.")),
    "unknown-op": (404, _("There is no such command.")),
    "method-not-allowed": (405, _("This method is not allowed here.")),
    "not-acceptable": (406, _("Only JSON is spoken here.")),
    "request-timeout": (408, _("The request took too long to arrive.")),
    "body-too-large": (413, _("The request is too large.")),
    "unsupported-media-type": (415, _("Only JSON is understood here.")),
    "too-many-requests": (429, _("Too many requests. Please wait.")),
    "internal-error": (500, _("Something that can't happen has happened.")),
}

FRAMEWORK_CODES: dict[type[exceptions.APIException], str] = {
    exceptions.ParseError: "malformed-json",
    exceptions.ValidationError: "invalid-request",
    exceptions.NotAuthenticated: "not-signed-in",
    exceptions.AuthenticationFailed: "not-signed-in",
    exceptions.PermissionDenied: "forbidden",
    exceptions.NotFound: "not-found",
    exceptions.MethodNotAllowed: "method-not-allowed",
    exceptions.NotAcceptable: "not-acceptable",
    exceptions.UnsupportedMediaType: "unsupported-media-type",
    exceptions.Throttled: "too-many-requests",
}


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's EXCEPTION_HANDLER. None lets an impossible state crash, loudly."""
    refusal = as_refusal(error)
    if refusal is not None:
        response = _respond(document(refusal), refusal.retry_after_s)
    elif isinstance(error, Http404):
        response = _respond(protocol("not-found"))
    elif isinstance(error, PermissionDenied):
        response = _respond(protocol("forbidden"))
    elif isinstance(error, exceptions.APIException):
        response = _framework(error)
    else:
        return None
    set_rollback()
    return response


def as_refusal(error: Exception) -> DomainError | None:
    """The refusal that an exception stands for: itself, or Busy for a database that timed out or is out of reach."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, DatabaseError):
        sqlstate = getattr(error.__cause__, "sqlstate", None)
        if sqlstate is None or sqlstate[:2] in REFUSALS_BY_SQLSTATE or sqlstate in REFUSALS_BY_SQLSTATE:
            metrics.database_refused(sqlstate)
            log.warning("the database refused: %s", sqlstate or type(error).__name__)
            return Busy(retry_after_s=_retry_after_s(sqlstate))
    return None


def _retry_after_s(sqlstate: str | None) -> int:
    """A full disk stays full until somebody comes; most other refusals are over in a moment."""
    global _disk_full_at
    if sqlstate != DISK_FULL:
        return 1
    _disk_full_at = time.monotonic()
    log.critical("the database's disk is full")
    return 30


def disk_full_at() -> float:
    """When a statement of this process last found the database's disk full; minus infinity for never."""
    return _disk_full_at


def document(refusal: DomainError) -> dict[str, Any]:
    """The problem document of a refusal."""
    return problem(refusal.code, refusal.status, str(refusal.title), detail=str(refusal.detail), **refusal.facts)


def protocol(code: str, *, detail: str = "", **facts: Any) -> dict[str, Any]:
    """The problem document of a code of PROTOCOL."""
    status_code, title = PROTOCOL[code]
    return problem(code, status_code, str(title), detail=detail, **facts)


def too_large(limit: int) -> dict[str, Any]:
    """The problem document of a body above the limit."""
    return protocol("body-too-large", detail=f"A body may have {limit} bytes.")


def problem(code: str, status_code: int, title: str, *, detail: str = "", **facts: Any) -> dict[str, Any]:
    """A problem document; `type` is where the API explains the code."""
    metrics.refused(code)
    body: dict[str, Any] = {"type": f"/api/v1/problems/{code}", "code": code, "title": title, "status": status_code}
    if detail and detail not in (title, code):
        body["detail"] = detail
    return body | facts


def known() -> Iterator[tuple[int, str, str | Promise]]:
    """(status, code, title) of everything that can be refused."""
    yield from ((status_code, code, title) for code, (status_code, title) in PROTOCOL.items())
    yield from ((kind.status, kind.code, kind.title) for kind in every())


def pointers(detail: Any, pointer: str = "") -> list[dict[str, str]]:
    """REST framework's nested validation errors as a flat list with JSON Pointers (RFC 6901)."""
    if isinstance(detail, dict):
        found = []
        for name, inner in detail.items():
            here = pointer if name == "non_field_errors" else f"{pointer}/{_escape(str(name))}"
            found += pointers(inner, here)
        return found
    if isinstance(detail, list):
        if all(isinstance(item, str) for item in detail):
            return [
                {"pointer": pointer, "code": getattr(item, "code", "invalid"), "detail": str(item)} for item in detail
            ]
        return [row for index, inner in enumerate(detail) for row in pointers(inner, f"{pointer}/{index}")]
    return [{"pointer": pointer, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}]


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _framework(error: exceptions.APIException) -> Response:
    code = next(c for kind, c in FRAMEWORK_CODES.items() if isinstance(error, kind))
    if isinstance(error, exceptions.ValidationError):
        return _respond(protocol(code, errors=pointers(error.detail)))
    wait = getattr(error, "wait", None)
    return _respond(protocol(code, detail=str(error.detail)), None if wait is None else int(wait) + 1)


def _respond(body: dict[str, Any], retry_after_s: int | None = None) -> Response:
    response = Response(body, status=body["status"], content_type=CONTENT_TYPE)
    if retry_after_s is not None:
        response["Retry-After"] = str(retry_after_s)
    if body["status"] == status.HTTP_401_UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response


def plain(body: dict[str, Any]) -> JsonResponse:
    """The same document outside REST framework: middleware and Django's own handlers."""
    return JsonResponse(body, status=body["status"], content_type=CONTENT_TYPE)


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Django's handler404, for addresses that no route knows."""
    return plain(protocol("not-found"))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Django's handler400."""
    return plain(protocol("invalid-request"))


def server_error(request: HttpRequest) -> JsonResponse:
    """Django's handler500: an impossible state, which has been logged, or a database that refuses."""
    error = sys.exception()
    refusal = as_refusal(error) if isinstance(error, DatabaseError) else None
    if refusal is None:
        return plain(protocol("internal-error"))
    response = plain(document(refusal))
    response["Retry-After"] = str(refusal.retry_after_s)
    return response
