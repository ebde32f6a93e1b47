"""What every request of the API passes."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from config import problems

API = "/api/v1/"
# What a page of another origin may send, and may read besides the body.
CORS_METHODS = "GET, POST, PUT, PATCH, DELETE"
CORS_HEADERS = "authorization, content-type, idempotency-key, if-none-match, accept-language"
CORS_EXPOSED = "ETag, Location, Retry-After, RateLimit, RateLimit-Policy"
CORS_MAX_AGE_S = 600


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
        if not request.path_info.startswith(API):
            return self.get_response(request)
        if is_too_large(request.META.get("CONTENT_LENGTH", ""), settings.MAX_BODY_BYTES):
            return problems.plain(problems.too_large(settings.MAX_BODY_BYTES))
        response = self.get_response(request)
        response.setdefault("Cache-Control", "no-store")
        return response


class CorsMiddleware:
    """Lets pages of the origins in CORS_ORIGINS use the API, each named in full. Cookies never count here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.origins = frozenset(settings.CORS_ORIGINS)
        if wrong := [origin for origin in self.origins if not _is_origin(origin)]:
            raise ImproperlyConfigured(f"CORS_ORIGINS: {wrong} are no origins such as https://play.example.com")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not (self.origins and request.path_info.startswith(API)):
            return self.get_response(request)
        known = request.headers.get("Origin", "") in self.origins
        asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if known and asks else self.get_response(request)
        patch_vary_headers(response, ["Origin"])
        if known:
            response["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response["Access-Control-Expose-Headers"] = CORS_EXPOSED
        if known and asks:
            response["Access-Control-Allow-Methods"] = CORS_METHODS
            response["Access-Control-Allow-Headers"] = CORS_HEADERS
            response["Access-Control-Max-Age"] = str(CORS_MAX_AGE_S)
        return response


def _is_origin(text: str) -> bool:
    """Scheme, host and perhaps a port: no wildcard, no path, and no slash at the end, which browsers don't send."""
    scheme, _, host = text.partition("://")
    return scheme in ("https", "http") and bool(host) and not set(host) & set("*/?# ")
