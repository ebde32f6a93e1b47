"""Rulebooks, who takes part, who is not counted, what happened, and how the jobs are doing.

Campaigns are in `redpackets.admin`, since opening one needs its pool. Feeds and idempotency keys are not here: they are
locks and counters, and say nothing that an event or the thing itself doesn't.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from fortunes import audit, deadletters, invariants, jobs
from fortunes.adminsite import (
    Button,
    ReadOnlyAdmin,
    back,
    by_number,
    by_player,
    refusals_told,
    who,
)
from fortunes.models import (
    AuditEntry,
    Broadcast,
    DatabaseNow,
    DeadLetter,
    Event,
    Exclusion,
    Job,
    Membership,
    Process,
    Rulebook,
)

AUDIT_CHAIN = "fortunes/audit_unbroken"


@admin.register(Rulebook)
class RulebookAdmin(ReadOnlyAdmin):
    list_display = ("campaign", "version", "reason", "in_force_at", "decided_by")
    list_display_links = ("campaign", "version")
    list_filter = ("campaign",)
    ordering = ("-campaign_id", "-version")
    list_select_related = ("campaign", "decided_by")


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("id", "campaign", "player", "joined_at")
    narrow_by = ("campaign",)
    list_select_related = ("campaign", "player")
    search_by = (by_player("player_id"),)


@admin.register(Exclusion)
class ExclusionAdmin(ReadOnlyAdmin):
    list_display = ("id", "campaign", "player", "reason", "at")
    list_filter = ("campaign",)
    ordering = ("-campaign_id", "-player_id")
    list_select_related = ("campaign", "player")
    search_by = (by_player("player_id"),)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("id", "player", "seq", "type", "campaign", "at")
    narrow_by = ("campaign",)
    list_select_related = ("campaign", "player")
    search_by = (by_number(), by_player("player_id"))
    search_help_text: ClassVar = _("Username or id of the player, or id of the event")


@admin.register(Broadcast)
class BroadcastAdmin(ReadOnlyAdmin):
    list_display = ("id", "campaign", "seq", "type", "at")
    list_filter = ("campaign",)
    ordering = ("-campaign_id", "-seq")
    list_select_related = ("campaign",)


def by_subject(word: str) -> Q | None:
    """What an entry is about, as in `accounts.player:12`."""
    subject, colon, number = word.partition(":")
    if not colon or by_number()(number) is None:
        return None
    return Q(subject=subject.lower(), subject_id=int(number))


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what. The button reads the whole chain, and compares every hash with what it covers."""

    list_display = ("seq", "at", "actor", "action", "about")
    list_select_related = ("actor",)
    search_by = (by_number(), by_player("actor_id"), by_subject)
    search_help_text: ClassVar = _("Username of who did it, number, or what it was about as in accounts.player:12")
    list_before_template = "fortunes/admin/audit_verification.html"

    @admin.display(description=_("what"))
    def about(self, entry: AuditEntry) -> str:
        what = f"{entry.subject} {entry.subject_id or ''}".strip()
        try:
            url = reverse(f"admin:{entry.subject.replace('.', '_')}_change", args=[entry.subject_id])
        except NoReverseMatch:
            return what
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, what)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_fields(request, obj), "about"]

    def get_urls(self) -> list[URLPattern]:
        verify = self.admin_site.admin_view(require_POST(self.verify_view))
        return [path("verification/", verify, name="fortunes_auditentry_verification"), *super().get_urls()]

    def verify_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        (chain,) = (known for known in invariants.every() if known.name == AUDIT_CHAIN)
        number, newest = audit.head()
        broken = invariants.violations(chain)
        if broken:
            messages.error(request, gettext("The chain is broken at entry %(number)s.") % {"number": broken[0][0]})
        else:
            said = gettext("The chain is unbroken up to entry %(number)s, whose hash is %(hash)s.")
            messages.success(request, said % {"number": number, "hash": newest.hex()})
        return back(request, reverse("admin:fortunes_auditentry_changelist"))


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """A job is run again by ringing for it now: it finds by itself what is due."""

    list_display = ("name", "condition", "interval_s", "rung_at", "started_at", "finished_at", "failures", "last_error")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).annotate(now=DatabaseNow())

    @display(description=_("state"), label={"stuck": "danger", "failing": "warning", "well": "success"})
    def condition(self, job: Any) -> tuple[str, str]:
        limit = jobs.limit_of(job)
        if limit is not None and job.now - (job.finished_at or job.known_since) > limit:
            return "stuck", gettext("stuck")
        return ("failing", gettext("failing")) if job.failures else ("well", gettext("well"))

    def buttons(self, request: HttpRequest, row: Job) -> list[Button]:
        if not request.user.has_perm("fortunes.operate_jobs"):
            return []
        return [Button(gettext("Run again"), reverse("admin:fortunes_job_run", args=[row.name]), primary=True)]

    def get_urls(self) -> list[URLPattern]:
        run = self.admin_site.admin_view(require_POST(self.run_view))
        return [path("<str:name>/run/", run, name="fortunes_job_run"), *super().get_urls()]

    def run_view(self, request: HttpRequest, name: str) -> HttpResponse:
        if not request.user.has_perm("fortunes.operate_jobs"):
            raise PermissionDenied
        with refusals_told(request):
            jobs.run_again(name=name, by=who(request))
            messages.success(request, gettext("%(job)s has been rung for.") % {"job": name})
        return back(request, reverse("admin:fortunes_job_changelist"))


@admin.register(Process)
class ProcessAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "seen_at")
    ordering = ("name",)


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    """What a job has given up. Somebody decides: it is taken up again, or left as it is."""

    list_display = ("id", "job", "subject_id", "error", "buried_at", "outcome", "decided_at", "decided_by")
    list_select_related = ("decided_by",)
    search_by = (by_number(),)
    search_help_text: ClassVar = _("Number")

    def buttons(self, request: HttpRequest, row: DeadLetter) -> list[Button]:
        if row.outcome is not None or not request.user.has_perm("fortunes.operate_jobs"):
            return []
        return [
            Button(gettext("Run again"), reverse("admin:fortunes_deadletter_revival", args=[row.pk]), primary=True),
            Button(gettext("Dismiss"), reverse("admin:fortunes_deadletter_dismissal", args=[row.pk])),
        ]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/revival/", view(require_POST(self.revive_view)), name="fortunes_deadletter_revival"),
            path("<int:pk>/dismissal/", view(require_POST(self.dismiss_view)), name="fortunes_deadletter_dismissal"),
            *super().get_urls(),
        ]

    def revive_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._decide(request, pk, deadletters.revive, gettext("It has been handed back to its job."))

    def dismiss_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._decide(request, pk, deadletters.dismiss, gettext("It stays as it is."))

    def _decide(self, request: HttpRequest, pk: int, decide: Callable[..., DeadLetter], said: str) -> HttpResponse:
        if not request.user.has_perm("fortunes.operate_jobs"):
            raise PermissionDenied
        with refusals_told(request):
            decide(letter_id=pk, by=who(request))
            messages.success(request, said)
        return back(request, reverse("admin:fortunes_deadletter_changelist"))
