"""The few pages of the roof itself."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect

from config import problems


def index(request: HttpRequest) -> HttpResponseBase:
    """The API's documentation is the front page until there is one for players."""
    return redirect("docs")


def problem(request: HttpRequest, code: str) -> JsonResponse:
    """What a problem's `type` points at: the code, its status and its title in the reader's language."""
    for status, known, title in problems.known():
        if known == code:
            return JsonResponse({"code": code, "status": status, "title": str(title)})
    raise Http404
