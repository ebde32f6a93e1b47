"""Changes of the rules that are announced for a date: by staff before the opening, and only a vote strikes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.forms import AdminForm

from fortunes import rulebooks
from fortunes.actions import rulechanges
from fortunes.adminsite import Button, ReadOnlyAdmin, by_public_id, refusals_shown, who
from fortunes.models import Amendment, Campaign
from redpackets.admin import words
from redpackets.admin.motionforms import AnnouncementForm
from redpackets.admin.ruling import Tongue

RUN = "fortunes.run_votes"
STATES = {
    "ahead": (gettext_lazy("ahead"), "info"),
    "applied": (gettext_lazy("in force"), "success"),
    "struck": (gettext_lazy("struck"), "danger"),
    "impossible": (gettext_lazy("became impossible"), "warning"),
}


def state(amendment: Amendment) -> str:
    if amendment.applied_at:
        return "applied"
    if amendment.struck_at:
        return "struck"
    return "impossible" if amendment.impossible else "ahead"


@admin.register(Amendment)
class AmendmentAdmin(ReadOnlyAdmin):
    """Nobody takes back what was announced, except the players."""

    list_display = ("id", "name", "campaign", "takes_force_at", "coloured_state")
    list_display_links = ("id", "name")
    list_filter = ("campaign",)
    list_select_related = ("campaign", "announced_by", "struck_by")
    search_by = (by_public_id(),)
    search_help_text = gettext_lazy("Id")
    fields = (
        "public_id", "campaign", "name_zh", "name_en", "takes_force_at", "announced_at", "announced_by", "applied_at",
        "struck_at", "struck_by", "why_impossible", "differences",
    )  # fmt: skip

    class Media:
        css: ClassVar = {"all": ("redpackets/admin/console.css",)}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return list(self.fields)

    @admin.display(description=gettext_lazy("name"))
    def name(self, amendment: Amendment) -> str:
        return str(amendment)

    @display(description=gettext_lazy("state"), label={word: colour for word, (_name, colour) in STATES.items()})
    def coloured_state(self, amendment: Amendment) -> tuple[str, str]:
        found = state(amendment)
        return found, str(STATES[found][0])

    @admin.display(description=gettext_lazy("impossible"))
    def why_impossible(self, amendment: Amendment) -> str:
        return words.sentence(amendment.impossible) if amendment.impossible else ""

    @admin.display(description=gettext_lazy("what it changes"))
    def differences(self, amendment: Amendment) -> str:
        """Written once, and kept with the row: a page asks for each of its columns several times."""
        if "shown_changes" not in vars(amendment):
            now = rulebooks.in_force(amendment.campaign_id).rules
            lines = Tongue(amendment.campaign_id).patch(amendment.changes, now)
            shown = {"lines": lines, "is_ahead": state(amendment) == "ahead"}
            vars(amendment)["shown_changes"] = render_to_string("redpackets/admin/rules/lines.html", shown)
        return mark_safe(vars(amendment)["shown_changes"])  # noqa: S308 - a template of ours, which escapes

    def buttons(self, request: HttpRequest, row: Amendment) -> Sequence[Button]:
        if state(row) != "ahead" or not request.user.has_perm(RUN):
            return []
        url = reverse("admin:fortunes_amendment_motion", args=[row.pk])
        return [Button(_("Put it to the vote"), url, primary=True)]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("for/<int:campaign_id>/", view(self.announce_view), name="fortunes_amendment_announcement"),
            path("<int:pk>/motion/", view(require_POST(self.motion_view)), name="fortunes_amendment_motion"),
            *super().get_urls(),
        ]

    def motion_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """To the form of a new vote, one option of which strikes this announcement."""
        if not request.user.has_perm(RUN):
            raise PermissionDenied
        row = Amendment.objects.filter(pk=pk).first()
        if row is None:
            raise Http404
        url = reverse("admin:fortunes_proposal_draft", args=[row.campaign_id])
        return redirect(f"{url}?strikes={row.pk}")

    def announce_view(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        if not request.user.has_perm(RUN):
            raise PermissionDenied
        campaign = Campaign.objects.filter(pk=campaign_id).first()
        if campaign is None:
            raise Http404
        sent = request.POST if request.method == "POST" else None
        form = AnnouncementForm(sent, now=rulebooks.current(campaign_id), tongue=Tongue(campaign_id))
        if form.is_valid():
            with refusals_shown(form):
                made = rulechanges.announce(campaign_id=campaign_id, by=who(request), **form.given())
                self.log_addition(request, made, "announced")
                messages.success(request, _("The change has been announced."))
                return redirect("admin:fortunes_rulebook_season", campaign_id)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Announce a change of the rules of %(campaign)s") % {"campaign": campaign},
            "opts": self.opts,
            "adminform": AdminForm(form, form.fieldsets(), {}, model_admin=self),
            "press": _("Announce it for good"),
        }
        return TemplateResponse(request, "redpackets/admin/form.html", context)
