"""What every request of the API passes."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config import problems


class ApiMiddleware:
    """Refuses oversize bodies before they are read, and sends API requests past what only pages need."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/v1/"):
            return self.get_response(request)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > settings.MAX_BODY_BYTES:
            detail = f"A body may have {settings.MAX_BODY_BYTES} bytes."
            return problems.plain(problems.protocol("body-too-large", detail=detail))
        response = self.get_response(request)
        response.setdefault("Cache-Control", "no-store")
        return response
