"""What every request of the API passes."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config import problems


def is_too_large(content_length: str, limit: int) -> bool:
    """Whether a Content-Length is above the limit; what is no number, or one of absurd length, is."""
    if not content_length:
        return False
    number = content_length.isascii() and content_length.isdigit() and len(content_length) < 20
    return not number or int(content_length) > limit


class ApiMiddleware:
    """Refuses oversize bodies wherever Django is called from, and keeps answers out of caches unless they say so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/v1/"):
            return self.get_response(request)
        if is_too_large(request.META.get("CONTENT_LENGTH", ""), settings.MAX_BODY_BYTES):
            return problems.plain(problems.too_large(settings.MAX_BODY_BYTES))
        response = self.get_response(request)
        response.setdefault("Cache-Control", "no-store")
        return response
