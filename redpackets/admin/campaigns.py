"""Campaigns: drafted from the preset, funded, checked, opened. Buttons post to addresses that call an action."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection
from django.db.models import QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.forms import AdminForm

from fortunes import rulebooks, rules
from fortunes.actions import rulechanges
from fortunes.adminsite import IndexedAdmin, by_public_id, by_text, indented, refusal_text, refusals_told
from fortunes.amounts import yuan
from fortunes.errors import DomainError
from fortunes.models import Campaign, DatabaseNow
from fortunes.phases import Phase
from redpackets import ledger
from redpackets.actions import compensations, openings, pools
from redpackets.admin import forms, live, phases, splitforms
from redpackets.models import Pool


@admin.register(Campaign)
class CampaignAdmin(IndexedAdmin):
    """A draft is changed on its form and by its buttons; from the opening on nothing here changes it any more."""

    form = forms.DraftForm
    list_display = ("slug", "name", "coloured_phase", "opens_at", "closes_at", "reveal_at", "pool_amount", "live_page")
    list_display_links = ("slug", "name")
    list_select_related = ("pool",)
    search_by = (by_public_id(), by_text("slug"))
    search_help_text = gettext_lazy("Slug or id")
    actions = None
    change_form_outer_before_template = "redpackets/admin/campaign_head.html"
    fieldsets = (
        (None, {"fields": ("slug", "shown_phase", ("name_zh", "name_en"))}),
        (gettext_lazy("Times"), {"fields": forms.TIMES}),
        (
            gettext_lazy("Steps taken"),
            {"fields": (("opened_at", "frozen_at"), ("settling_at", "settled_at"), "archived_at")},
        ),
        (gettext_lazy("Rules and fairness"), {"fields": ("public_id", "commitment", "rules_in_force")}),
    )
    readonly_fields: ClassVar = (
        "slug", "shown_phase", "opened_at", "frozen_at", "settling_at", "settled_at", "archived_at",
        "public_id", "commitment", "rules_in_force",
    )  # fmt: skip

    # What is shown

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).annotate(now=DatabaseNow())

    @admin.display(description=gettext_lazy("name"))
    def name(self, campaign: Campaign) -> str:
        return str(campaign)

    @display(
        description=gettext_lazy("phase"), label={phase: colour for phase, (_name, colour) in phases.NAMES.items()}
    )
    def coloured_phase(self, campaign: Any) -> tuple[Phase, str]:
        phase = campaign.phase(campaign.now)
        return phase, str(phases.NAMES[phase][0])

    @admin.display(description=gettext_lazy("phase"))
    def shown_phase(self, campaign: Any) -> str:
        return str(phases.NAMES[campaign.phase(campaign.now)][0])

    @admin.display(description=gettext_lazy("pool"))
    def pool_amount(self, campaign: Campaign) -> str:
        return yuan(campaign.pool.amount_fen) if hasattr(campaign, "pool") else "-"

    @admin.display(description=gettext_lazy("figures"))
    def live_page(self, campaign: Campaign) -> str:
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
            reverse("admin:fortunes_campaign_live", args=[campaign.pk]), _("Watch it live"),
        )  # fmt: skip

    @admin.display(description=gettext_lazy("commitment to the draw secret"))
    def commitment(self, campaign: Campaign) -> str:
        return bytes(campaign.draw_commitment).hex()

    @admin.display(description=gettext_lazy("rules in force"))
    def rules_in_force(self, campaign: Campaign) -> str:
        return indented(rulebooks.in_force(campaign.pk).rules)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None and obj.opened_at is None:
            checks = openings.checks(campaign_id=obj.pk)
            context |= {"checks": checks, "all_met": all(check.ok for check in checks)}
            context["may_change"] = self.has_change_permission(request)
            if pool := getattr(obj, "pool", None):
                funded = yuan(ledger.funded_fen(pool.pk))
                context |= {"pool": pool, "pool_amount": yuan(pool.amount_fen), "funded": funded}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    # What may be done

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.opened_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return False

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Campaign | None:
        """A draft that is being saved is locked, so that it isn't opened between being judged a draft and saved."""
        if request.method == "POST" and connection.in_atomic_block:
            self.get_queryset(request).select_for_update(of=("self",)).filter(pk=object_id).first()
        return super().get_object(request, object_id, from_field)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return redirect("admin:fortunes_campaign_preset")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("five-fortunes/", view(self.preset_view), name="fortunes_campaign_preset"),
            path("<int:campaign_id>/live/", view(self.live_view), name="fortunes_campaign_live"),
            path("<int:campaign_id>/live/figures/", view(self.figures_view), name="fortunes_campaign_figures"),
            path(
                "<int:campaign_id>/compensations/",
                view(self.compensations_view),
                name="fortunes_campaign_compensations",
            ),
            path("<int:campaign_id>/pool/", view(self.pool_view), name="fortunes_campaign_pool"),
            path("<int:campaign_id>/funding/", view(self.funding_view), name="fortunes_campaign_funding"),
            path("<int:campaign_id>/opening/", view(require_POST(self.opening_view)), name="fortunes_campaign_opening"),
            *super().get_urls(),
        ]

    # The night

    def live_view(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return live.page(request, campaign_id, self.admin_site.each_context(request))

    def figures_view(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return live.figures(request, campaign_id)

    # The buttons

    def preset_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = forms.PresetForm(request.POST or None)
        if form.is_valid() and (campaign := self._draft(request, form)):
            with refusals_told(request):
                pools.create(campaign_id=campaign.pk, by=request.user.pk, **form.pool())
            return self._page_of(campaign.pk)
        return self._form_page(request, form, _("New campaign from a preset"), forms.PRESET_FIELDSETS)

    def _draft(self, request: HttpRequest, form: forms.PresetForm) -> Campaign | None:
        try:
            campaign = form.make(by=request.user.pk)
        except DomainError as refusal:
            form.add_error(None, refusal_text(refusal))
            return None
        except IntegrityError:
            # Somebody else took the slug since the form looked.
            form.add_error("slug", _("There already is a campaign with this slug."))
            return None
        self.log_addition(request, campaign, f"from the preset {form.cleaned_data['preset']}")
        return campaign

    def pool_view(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        campaign = self._require_draft(request, campaign_id)
        now = rulebooks.current(campaign_id)
        form = forms.PoolForm(request.POST or None, initial=splitforms.initial(now.split))
        if form.is_valid():
            with refusals_told(request):
                if form.split() != rules.dump(now)["split"]:
                    asked = {"split": form.split()}
                    rulechanges.change_by_staff(campaign_id=campaign_id, patch=asked, by=request.user.pk)
                pool = pools.create(campaign_id=campaign_id, by=request.user.pk, **form.pool())
                self.log_change(request, campaign, f"pool of {yuan(pool.amount_fen)}")
            return self._page_of(campaign_id)
        return self._form_page(request, form, _("Pool of %(campaign)s") % {"campaign": campaign})

    def funding_view(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        campaign = self._require_draft(request, campaign_id)
        pool = Pool.objects.filter(campaign_id=campaign_id).first()
        if pool is None:
            return redirect("admin:fortunes_campaign_pool", campaign_id)
        missing = Decimal(pool.amount_fen - ledger.funded_fen(pool.pk)) / 100
        initial = {"yuan": missing, "business_key": forms.fresh_reference(pool.pk)}
        form = forms.FundingForm(request.POST or None, initial=initial)
        if form.is_valid():
            with refusals_told(request):
                funding = form.funding()
                pools.fund(pool_id=pool.pk, by=request.user.pk, **funding)
                self.log_change(request, campaign, f"funded {yuan(funding['amount_fen'])}, {funding['business_key']}")
            return self._page_of(campaign_id)
        return self._form_page(request, form, _("Fund the pool of %(campaign)s") % {"campaign": campaign})

    def compensations_view(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        campaign = Campaign.objects.filter(pk=campaign_id).first()
        if campaign is None:
            raise Http404
        # Also of a campaign that is open: what goes wrong does so then.
        if not self.has_change_permission(request):
            raise PermissionDenied
        form = forms.FundingForm(request.POST or None, initial={"business_key": forms.fresh_reference(campaign_id)})
        if form.is_valid():
            with refusals_told(request):
                new = compensations.fund(campaign_id=campaign_id, by=request.user.pk, **form.funding())
                said = _("The money has been set aside.") if new else _("It had been set aside before.")
                messages.success(request, said)
            return redirect("admin:fortunes_campaign_live", campaign_id)
        title = _("Set aside for compensations of %(campaign)s") % {"campaign": campaign}
        return self._form_page(request, form, title)

    def opening_view(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        with refusals_told(request):
            campaign = openings.open(campaign_id=campaign_id, by=request.user.pk)
            self.log_change(request, campaign, "opened")
            messages.success(request, _("%(campaign)s has been opened.") % {"campaign": campaign})
        return self._page_of(campaign_id)

    def _require_draft(self, request: HttpRequest, campaign_id: int) -> Campaign:
        campaign = Campaign.objects.filter(pk=campaign_id).first()
        if campaign is None:
            raise Http404
        if not self.has_change_permission(request, campaign):
            raise PermissionDenied
        return campaign

    def _page_of(self, campaign_id: int) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:fortunes_campaign_change", args=[campaign_id]))

    def _form_page(self, request: HttpRequest, form: Form, title: str, fieldsets: Any = None) -> TemplateResponse:
        fieldsets = fieldsets or ((None, {"fields": tuple(form.fields)}),)
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "adminform": AdminForm(form, fieldsets, {}, model_admin=self),
        }
        return TemplateResponse(request, "redpackets/admin/form.html", context)
