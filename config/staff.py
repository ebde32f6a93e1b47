"""What is different on the admin's pages: their sidebar, their time zone, and what their scripts and styles may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_replace, csp_update
from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from config import problems

PREFIX = "/admin/"
# What a page asks for by itself, whether somebody sits before it or not.
RENEWALS = "/figures/"

# In the order in which a season asks for them.
SIDEBAR: tuple[tuple[Any, dict[str, str]], ...] = (
    (
        _("Season"),
        {
            "fortunes.campaign": "festival",
            "fortunes.rulebook": "gavel",
            "fortunes.amendment": "event_upcoming",
            "fortunes.proposal": "how_to_vote",
            "fortunes.comment": "forum",
            "fortunes.announcement": "newspaper",
            "fortunes.broadcast": "campaign",
            "fortunes.membership": "how_to_reg",
            "fortunes.exclusion": "person_off",
            "redpackets.liveshare": "query_stats",
        },
    ),
    (
        _("Cards"),
        {
            "cards.cardkind": "style",
            "cards.source": "input",
            "cards.codebatch": "qr_code_2",
            "cards.draw": "playing_cards",
            "cards.trade": "handshake",
            "cards.sharelink": "share",
            "cards.play": "bolt",
            "cards.transfer": "swap_horiz",
            "cards.conversion": "published_with_changes",
            "cards.aftermath": "fact_check",
            "cards.hand": "back_hand",
            "cards.invitationcredit": "loyalty",
            "cards.stocktranche": "stacks",
            "cards.stock": "inventory_2",
        },
    ),
    (
        _("Money"),
        {
            "redpackets.pool": "savings",
            "redpackets.settlement": "calculate",
            "redpackets.settlementchunk": "view_module",
            "redpackets.packet": "redeem",
            "redpackets.ledgerentry": "receipt_long",
            "redpackets.wallet": "wallet",
            "redpackets.compensationfund": "volunteer_activism",
        },
    ),
    (
        _("Players"),
        {
            "accounts.player": "person",
            "accounts.ban": "block",
            "accounts.friendship": "group",
            "accounts.invitationlink": "link",
            "accounts.referral": "person_add",
            "accounts.refreshfamily": "devices",
            "accounts.federatedidentity": "badge",
            "accounts.message": "sms",
            "accounts.push": "notifications",
            "accounts.pushhost": "notifications_off",
            "fortunes.event": "notifications",
        },
    ),
    (
        _("Machines"),
        {"fortunes.job": "schedule", "fortunes.process": "memory", "fortunes.deadletter": "report"},
    ),
    (_("Staff"), {"auth.group": "groups", "fortunes.auditentry": "verified_user", "admin.logentry": "history"}),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar, with what this member of staff may see."""
    groups = [
        {
            "title": title,
            "separator": True,
            "items": [item for label, icon in models.items() if (item := _item(request, label, icon))],
        }
        for title, models in SIDEBAR
    ]
    if request.user.has_perm("accounts.support_player"):
        look_up = {"title": _("Look a player up"), "icon": "search", "link": reverse("admin:accounts_player_look_up")}
        groups.insert(0, {"title": _("Support"), "separator": False, "items": [look_up]})
    return [group for group in groups if group["items"]]


def _item(request: HttpRequest, label: str, icon: str) -> dict[str, Any] | None:
    app, model = label.split(".")
    if not (request.user.has_perm(f"{app}.view_{model}") or request.user.has_perm(f"{app}.change_{model}")):
        return None
    title = capfirst(apps.get_model(label)._meta.verbose_name_plural)
    return {"title": title, "icon": icon, "link": reverse(f"admin:{app}_{model}_changelist")}


class StaffMiddleware:
    """The admin's theme evaluates expressions in attributes (Alpine) and styles elements inline, so both are allowed
    there, and nowhere else. Scripts written into a page stay forbidden there too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.respond_to_staff = csp_update({"script-src": UNSAFE_EVAL})(
            csp_replace({"style-src": [SELF, UNSAFE_INLINE]})(self._respond_in_their_time_zone)
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not (settings.ADMIN_ENABLED and request.path_info.startswith(PREFIX)):
            return self.get_response(request)
        # No column can hold it, and the driver's refusal would look like a database that is out of reach.
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return problems.plain(problems.protocol("invalid-request"))
        if not request.path_info.endswith(RENEWALS):
            # Kept anew, so that the session ends when nobody has done anything for a while.
            request.session.modified = True
        response: HttpResponse = self.respond_to_staff(request)  # type: ignore[assignment]
        return response

    def _respond_in_their_time_zone(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(ZoneInfo(settings.STAFF_TIME_ZONE)):
            return self.get_response(request)
