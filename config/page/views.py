"""The plain page at `/`: one template, a few scripts, and nothing but the API behind it (docs/page.md)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from config import problems
from config.page import demo, words
from fortunes.errors import DomainError


class CodeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """For which campaign a code is wanted."""

    campaign: Annotated[str, msgspec.Meta(pattern=r"^[-\w]+$")]


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The page, in the reader's language."""
    demo_on = bool(settings.DEMO_SIGN_IN)
    phone_on = settings.SMS_SENDER != "off"
    options = {"demo": demo_on, "demo_code": reverse("demo-code") if demo_on else None, "phone": phone_on}
    context = {"words": words.said(), "options": options, "languages": settings.LANGUAGES, "docs": settings.PUBLIC_DOCS}
    response = render(request, "config/page.html", context)
    response["Cache-Control"] = "no-cache"
    patch_vary_headers(response, ["Cookie"])
    return response


# No cookie signs anybody in here, so there is nothing that another site's page could ride on.
@csrf_exempt
@require_POST
def demo_code(request: HttpRequest) -> JsonResponse:
    """A fresh code, as if the player had found one. Only where the settings make it a demo."""
    try:
        asked = msgspec.json.decode(request.body, type=CodeRequest)
        code = demo.code(campaign=asked.campaign)
    except DomainError as refused:
        return problems.plain(problems.document(refused))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return problems.plain(problems.protocol("invalid-request"))
    return JsonResponse({"code": code}, status=201)
