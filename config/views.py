"""The few pages of the roof itself."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt

from config import problems


def index(request: HttpRequest) -> HttpResponseBase:
    """The API's documentation is the front page where the players' own is turned off."""
    return redirect("docs")


@csrf_exempt
def problem(request: HttpRequest, code: str) -> JsonResponse:
    """What a problem's `type` points at: the code, its status and its title in the reader's language."""
    if request.method not in ("GET", "HEAD"):
        refused = problems.plain(problems.protocol("method-not-allowed"))
        refused["Allow"] = "GET, HEAD"
        return refused
    for status, known, title in problems.known():
        if known == code:
            return JsonResponse({"code": code, "status": status, "title": str(title)})
    raise Http404
