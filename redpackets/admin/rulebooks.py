"""Versions of the rules, each as what it changed; the rules of a season with all that is announced and voted on; and
what staff may change of them by themselves.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminForm

from fortunes import rulebooks
from fortunes.actions import rulechanges
from fortunes.admin import RulebookAdmin
from fortunes.adminsite import indented, refusals_shown, who
from fortunes.models import Amendment, Campaign, Proposal, Rulebook
from redpackets.admin import changing, tallying
from redpackets.admin.changing import ChangeForm, DraftRulesForm, StaffChangeForm
from redpackets.admin.ruling import Tongue

RUN = "fortunes.run_votes"
# A season has a few.
MOST = 100

admin.site.unregister(Rulebook)


@admin.register(Rulebook)
class ReadableRulebookAdmin(RulebookAdmin):
    """A version says in words what it changed. Nobody edits one: the next is written by a change of the rules."""

    list_display = ("campaign", "version", "reason", "in_force_at", "decided_by", "what_changed")
    fields = (
        "campaign", "version", "reason", "in_force_at", "decided_by", "of_proposal", "of_amendment", "promised",
        "differences", "in_words", "as_json",
    )  # fmt: skip

    class Media:
        css: ClassVar = {"all": ("redpackets/admin/console.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rulebook]:
        return super().get_queryset(request).select_related("campaign", "decided_by", "proposal", "amendment")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return list(self.fields)

    @admin.display(description=gettext_lazy("what changed"))
    def what_changed(self, rulebook: Rulebook) -> str:
        return ", ".join(change["path"] for change in rulebook.changes) or "-"

    @admin.display(description=gettext_lazy("what changed"))
    def differences(self, rulebook: Rulebook) -> str:
        lines = _tongue(rulebook).lines(rulebook.changes)
        return _lines(lines, is_ahead=True) if lines else "-"

    @admin.display(description=gettext_lazy("all rules of this version"))
    def in_words(self, rulebook: Rulebook) -> str:
        return _lines(_tongue(rulebook).whole(rulebook.rules), is_ahead=False)

    @admin.display(description=gettext_lazy("as JSON"))
    def as_json(self, rulebook: Rulebook) -> str:
        return indented(rulebook.rules)

    @admin.display(description=gettext_lazy("compensations promised"))
    def promised(self, rulebook: Rulebook) -> str:
        if "told_promises" not in vars(rulebook):
            rows = rulebook.compensations.order_by("role")
            promises = {row.role: {"into": row.into, "amount_fen": row.amount_fen} for row in rows}
            vars(rulebook)["told_promises"] = " ".join(_tongue(rulebook).promises(promises)) or "-"
        return str(vars(rulebook)["told_promises"])

    @admin.display(description=gettext_lazy("by the vote"))
    def of_proposal(self, rulebook: Rulebook) -> str:
        return _link("fortunes_proposal_change", rulebook.proposal)

    @admin.display(description=gettext_lazy("as announced"))
    def of_amendment(self, rulebook: Rulebook) -> str:
        return _link("fortunes_amendment_change", rulebook.amendment)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("of/<int:campaign_id>/", view(self.season_view), name="fortunes_rulebook_season"),
            path("of/<int:campaign_id>/change/", view(self.staff_view), name="fortunes_rulebook_staff"),
            *super().get_urls(),
        ]

    def season_view(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        """All versions of a season's rules, newest first, and what may still change them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        campaign, tongue = _campaign(campaign_id), Tongue(campaign_id)
        versions = Rulebook.objects.filter(campaign=campaign).select_related("decided_by", "proposal", "amendment")
        rows = list(versions.order_by("-version")[:MOST])
        votes = Proposal.objects.filter(campaign=campaign).order_by("-pk")
        if not request.user.has_perm("fortunes.view_proposal"):
            votes = votes.filter(opened_at__isnull=False)
        context = {
            "campaign": campaign,
            "may_run": request.user.has_perm(RUN),
            "is_draft": campaign.opened_at is None,
            "is_over": campaign.frozen_at is not None,
            "versions": [{"row": row, "lines": tongue.lines(row.changes)} for row in rows],
            "whole": tongue.whole(rows[0].rules),
            "amendments": Amendment.objects.filter(campaign=campaign).order_by("takes_force_at", "pk")[:MOST],
            "proposals": [_in_brief(row) for row in votes[:MOST]],
        }
        return self._page(request, "rules.html", _("Rules of %(campaign)s") % {"campaign": campaign}, context)

    def staff_view(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        if not request.user.has_perm(RUN):
            raise PermissionDenied
        campaign = _campaign(campaign_id)
        form = self._form(request, campaign)
        if form.is_valid():
            with refusals_shown(form):
                version = rulechanges.change_by_staff(campaign_id=campaign_id, patch=form.patch(), by=who(request))
                self.log_addition(request, version, "by staff")
                messages.success(request, _("Version %(version)s is in force.") % {"version": version.version})
                return redirect("admin:fortunes_rulebook_season", campaign_id)
        adminform = AdminForm(form, form.fieldsets(), {}, model_admin=self)
        title = _("Change the rules of %(campaign)s") % {"campaign": campaign}
        return self._page(request, "rules_change.html", title, {"adminform": adminform, "campaign": campaign})

    def _form(self, request: HttpRequest, campaign: Campaign) -> ChangeForm:
        """After the opening staff only let players do more; before it all of a draft is theirs."""
        asked: Any = {"now": rulebooks.current(campaign.pk), "tongue": Tongue(campaign.pk)}
        sent = request.POST if request.method == "POST" else None
        if campaign.opened_at is None:
            return DraftRulesForm(sent, **asked)
        return StaffChangeForm(sent, groups=changing.STAFF, **asked)

    def _page(self, request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> TemplateResponse:
        site = self.admin_site.each_context(request)
        shown = {**site, "title": title, "opts": self.opts, **context}
        return TemplateResponse(request, f"redpackets/admin/{template}", shown)


def _tongue(rulebook: Any) -> Tongue:
    """Of its campaign, kept with the row: a page asks for each of its columns several times."""
    if not hasattr(rulebook, "tongue"):
        rulebook.tongue = Tongue(rulebook.campaign_id)
    tongue: Tongue = rulebook.tongue
    return tongue


def _campaign(campaign_id: int) -> Campaign:
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None:
        raise Http404
    return campaign


def _in_brief(proposal: Proposal) -> tuple[Proposal, Any, str]:
    state = Proposal.State(proposal.state)
    return proposal, tallying.NAMES[state], tallying.COLOURS[state]


def _lines(lines: Any, *, is_ahead: bool) -> str:
    found = render_to_string("redpackets/admin/rules/lines.html", {"lines": lines, "is_ahead": is_ahead})
    return mark_safe(found)  # noqa: S308 - a template of ours, which escapes what it is given


def _link(address: str, row: Any) -> str:
    if row is None:
        return "-"
    url = reverse(f"admin:{address}", args=[row.pk])
    return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, row)
