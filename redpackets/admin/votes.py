"""Votes: drafted with what each option would change, looked at with its effects, opened, extended, cancelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.forms import AdminForm

from fortunes import clock, naming, rulebooks
from fortunes.actions import proposals
from fortunes.adminsite import ReadOnlyAdmin, by_public_id, refusals_shown, refusals_told, who
from fortunes.errors import ProposalNotFound
from fortunes.models import Amendment, Campaign, Option, Proposal
from redpackets.actions import motions, voting
from redpackets.actions.motions import Foreseen
from redpackets.admin import foresight, motionforms, tallying
from redpackets.admin.motionforms import CancellationForm, ExtensionForm, MotionForm, Options
from redpackets.admin.ruling import Tongue

RUN = "fortunes.run_votes"
MOST_SEASONS = 5
# Until somebody types another time.
A_WHILE, A_DAY = timedelta(minutes=10), timedelta(days=1)


@admin.register(Proposal)
class ProposalAdmin(ReadOnlyAdmin):
    """A draft has a form; what becomes of it is done by buttons. Nobody changes what players are voting on."""

    list_display = ("id", "question", "campaign", "coloured_state", "opens_at", "closes_at", "outcome")
    list_display_links = ("id", "question")
    list_filter = ("campaign",)
    list_select_related = ("campaign",)
    search_by = (by_public_id(),)
    search_help_text = gettext_lazy("Id")
    list_before_template = "redpackets/admin/vote_start.html"

    @admin.display(description=gettext_lazy("question"))
    def question(self, proposal: Proposal) -> str:
        return str(proposal)

    @display(description=gettext_lazy("state"), label=tallying.COLOURS)
    def coloured_state(self, proposal: Proposal) -> tuple[str, str]:
        return proposal.state, str(tallying.NAMES[Proposal.State(proposal.state)])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        seasons: QuerySet[Campaign] | tuple[()] = ()
        if request.user.has_perm(RUN):
            seasons = Campaign.objects.filter(frozen_at=None).order_by("-pk")[:MOST_SEASONS]
        return super().changelist_view(request, {"seasons": seasons} | (extra_context or {}))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view

        def ours(address: str, name: str, look: Callable[..., HttpResponse]) -> URLPattern:
            return path(address, view(look), name=f"fortunes_proposal_{name}")

        return [
            ours("draft/<int:campaign_id>/", "draft", self.draft_view),
            ours("<int:pk>/edit/", "edit", self.edit_view),
            ours("<int:pk>/effects/", "effects", require_POST(self.effects_view)),
            ours("<int:pk>/opening/", "opening", require_POST(self.opening_view)),
            ours("<int:pk>/extension/", "extension", self.extension_view),
            ours("<int:pk>/cancellation/", "cancellation", self.cancellation_view),
            ours("<int:pk>/figures/", "figures", self.figures_view),
            *super().get_urls(),
        ]

    # To look at

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_object(request, object_id)
        if found is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return self._vote_page(request, voting.vote(proposal_id=found.pk))

    def figures_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            vote = voting.vote(proposal_id=pk)
        except ProposalNotFound as refusal:
            raise Http404 from refusal
        return JsonResponse(tallying.figures(vote, may_run=request.user.has_perm(RUN)))

    def effects_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A vote's page with what its options would do now. By POST, since it reads every hand."""
        self._require(request)
        found: tuple[voting.Vote, Sequence[Foreseen]] | None = None
        with refusals_told(request):
            found = voting.vote(proposal_id=pk), motions.preview(proposal_id=pk)
        return self._vote_page(request, *found) if found else self._page_of(pk)

    def _vote_page(self, request: HttpRequest, vote: voting.Vote, found: Sequence[Foreseen] = ()) -> HttpResponse:
        proposal, may_run = vote.proposal, request.user.has_perm(RUN)
        tongue = Tongue(proposal.campaign_id)
        context = {
            "original": proposal,
            "may_run": may_run,
            "parts": tallying.parts(vote, may_run=may_run),
            "options": foresight.options(vote, found, tongue),
            "foreseen": bool(found),
            "may_open": all(one.may_open for one in found),
            "facts": tallying.facts(vote),
            "seen": proposals.fingerprint(proposal),
            **tallying.renewal(reverse("admin:fortunes_proposal_figures", args=[proposal.pk]), vote.now),
        }
        return self._page(request, "vote.html", str(proposal), **context)

    # To do

    def draft_view(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        self._require(request)
        campaign = Campaign.objects.filter(pk=campaign_id).first()
        if campaign is None:
            raise Http404
        now = clock.now().replace(microsecond=0)
        initial = {"opens_at": now + A_WHILE, "closes_at": now + A_WHILE + A_DAY}
        form, options = self._forms(request, campaign, initial, _asked_to_strike(request, campaign))
        if self._are_valid(request, form, options):
            with refusals_shown(form):
                draft = proposals.draft(
                    campaign_id=campaign_id, by=who(request), options=options.given(), **form.given()
                )
                self.log_addition(request, draft, "drafted")
                return self._page_of(draft.pk)
        return self._motion_page(request, form, options, _("New vote in %(campaign)s") % {"campaign": campaign})

    def edit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._require(request)
        draft = Proposal.objects.select_related("campaign").filter(pk=pk).first()
        if draft is None:
            raise Http404
        plans = list(Option.objects.filter(proposal=draft).order_by("number"))
        initial = MotionForm.shown(draft) | {"seen": proposals.fingerprint(draft)}
        form, options = self._forms(request, draft.campaign, initial, [_plan(option) for option in plans])
        if self._are_valid(request, form, options):
            with refusals_shown(form):
                proposals.edit(
                    proposal_id=pk, by=who(request), seen=form.cleaned_data["seen"], options=options.given(),
                    **form.given(),
                )  # fmt: skip
                self.log_change(request, draft, "edited")
                return self._page_of(pk)
        return self._motion_page(request, form, options, _("Draft: %(question)s") % {"question": draft})

    def opening_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._require(request)
        with refusals_told(request):
            opened = motions.open_(proposal_id=pk, by=who(request), seen=request.POST.get("seen", ""))
            self.log_change(request, opened, "opened")
            messages.success(request, _("The vote has been opened: players see it from now on."))
        return self._page_of(pk)

    def extension_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        title, said = _("Extend the vote: %(question)s"), _("Ballots are taken for longer.")
        return self._ask(request, pk, ExtensionForm, proposals.extend, title, said)

    def cancellation_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        title, said = _("Cancel the vote: %(question)s"), _("The vote has been cancelled.")
        return self._ask(request, pk, CancellationForm, proposals.cancel, title, said)

    def _ask(
        self, request: HttpRequest, pk: int, asked: Any, act: Callable[..., Proposal], title: str, said: str
    ) -> HttpResponse:
        """A page with a form, and the one action that it calls."""
        self._require(request)
        proposal = Proposal.objects.filter(pk=pk).first()
        if proposal is None:
            raise Http404
        form = asked(request.POST if request.method == "POST" else None, initial={"closes_at": proposal.closes_at})
        if form.is_valid():
            with refusals_told(request):
                act(proposal_id=pk, by=who(request), **form.given())
                self.log_change(request, proposal, act.__name__)
                messages.success(request, said)
            return self._page_of(pk)
        fieldsets = ((None, {"fields": tuple(form.fields)}),)
        adminform = AdminForm(form, fieldsets, {}, model_admin=self)
        return self._page(request, "form.html", title % {"question": proposal}, adminform=adminform)

    def _forms(
        self, request: HttpRequest, campaign: Campaign, initial: dict[str, Any], plans: list[dict[str, Any]]
    ) -> tuple[MotionForm, Options]:
        sent = request.POST if request.method == "POST" else None
        pending = {"applied_at": None, "struck_at": None, "impossible__isnull": True}
        announced = list(Amendment.objects.filter(campaign=campaign, **pending))
        options = Options(
            sent, plans=plans, announced=announced, now=rulebooks.current(campaign.pk), tongue=Tongue(campaign.pk)
        )  # fmt: skip
        return MotionForm(sent, initial=initial), options

    def _are_valid(self, request: HttpRequest, form: MotionForm, options: Options) -> bool:
        """Not while another option is asked for: then all is shown again as it was typed."""
        if request.method != "POST" or motionforms.MORE in request.POST:
            return False
        # Both are asked, so that both show what is wrong.
        return all([form.is_valid(), options.is_valid()])

    def _motion_page(self, request: HttpRequest, form: MotionForm, options: Options, title: str) -> HttpResponse:
        def shown(one: Any, fieldsets: Any) -> AdminForm:
            return AdminForm(one, fieldsets, {}, model_admin=self)

        context = {
            "adminform": shown(form, motionforms.MOTION_FIELDSETS),
            "options": options,
            "optionforms": [shown(one, one.fieldsets()) for one in options.forms],
        }
        return self._page(request, "motion.html", title, **context)

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        site = self.admin_site.each_context(request)
        return TemplateResponse(
            request, f"redpackets/admin/{template}", {**site, "title": title, "opts": self.opts, **context}
        )

    def _page_of(self, pk: int) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:fortunes_proposal_change", args=[pk]))

    def _require(self, request: HttpRequest) -> None:
        if not request.user.has_perm(RUN):
            raise PermissionDenied


def _plan(option: Option) -> dict[str, Any]:
    names = ("name_zh", "name_en", "changes", "compensations")
    return {name: getattr(option, name) for name in names} | {"strikes": option.strikes_id}


def _asked_to_strike(request: HttpRequest, campaign: Campaign) -> list[dict[str, Any]]:
    """An announced change that the page was asked to put to the vote: one option keeps it, the other strikes it."""
    asked = request.GET.get("strikes", "")
    number = naming.number(asked)
    amendment = Amendment.objects.filter(campaign=campaign, pk=number).first() if number is not None else None
    if amendment is None:
        return []
    nothing: dict[str, Any] = {"changes": {}, "compensations": {}}
    return [
        {"name_zh": "保留", "name_en": "Keep it", "strikes": None, **nothing},
        {"name_zh": "取消", "name_en": "Strike it", "strikes": amendment.pk, **nothing},
    ]
