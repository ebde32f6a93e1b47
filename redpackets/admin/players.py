"""A player's page for those who help: all that the player has, and what can be done for them and against them.

It is here and not in `accounts`, since cards and money are shown too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminForm

from accounts.actions import bans, erasure
from accounts.admin import PlayerAdmin
from accounts.errors import PlayerNotFound
from accounts.models import Player
from cards.actions import compensations as draws
from fortunes.adminsite import refusals_told, who
from fortunes.amounts import yuan
from redpackets.actions import compensations, looking
from redpackets.admin import dossiers, support

LOOK = "accounts.support_player"


@dataclass(frozen=True)
class Help:
    """Something that is done for a player or against one: who may, what it asks for, and the one action it calls."""

    slug: str
    permission: str
    title: Any
    form: Any
    act: Callable[..., str]


def _draw(**given: Any) -> str:
    given_card = draws.grant_draw(**given).draw
    return _("The player has drawn a card: %(kind)s.") % {"kind": given_card.kind}


def _pay(**given: Any) -> str:
    paid = compensations.pay(**given)
    if paid.paid:
        return _("%(sum)s have been paid to the player.") % {"sum": yuan(paid.amount_fen)}
    return _("This case had been paid before, with the same amount: nothing was paid now.")


def _ban(**given: Any) -> str:
    bans.ban(**given)
    return _("The player has been banned, and is being signed out everywhere.")


def _unban(**given: Any) -> str:
    bans.unban(**given)
    return _("The ban has been lifted.")


def _erase(**given: Any) -> str:
    erasure.erase(**given)
    return _("The player has been erased.")


def _posted(request: HttpRequest) -> Any:
    """What was sent, also if it's nothing at all; None if nothing was sent yet."""
    return request.POST if request.method == "POST" else None


HELP = (
    Help("draw", "cards.compensate_player", gettext_lazy("Give a draw"), support.DrawForm, _draw),
    Help("money", "redpackets.compensate_player", gettext_lazy("Pay a compensation"), support.MoneyForm, _pay),
    Help("ban", "accounts.ban_player", gettext_lazy("Ban"), support.BanForm, _ban),
    Help("unban", "accounts.ban_player", gettext_lazy("Lift the ban"), support.UnbanForm, _unban),
    Help("erasure", "accounts.delete_player", gettext_lazy("Erase"), support.ErasureForm, _erase),
)

admin.site.unregister(Player)


@admin.register(Player)
class SupportedPlayerAdmin(PlayerAdmin):
    change_form_outer_before_template = "redpackets/admin/player_head.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("look-up/", view(self.look_up_view), name="accounts_player_look_up"),
            path("<int:player_id>/support/", view(self.support_view), name="accounts_player_support"),
            path("<int:player_id>/support/<slug:slug>/", view(self.help_view), name="accounts_player_help"),
            *super().get_urls(),
        ]

    def look_up_view(self, request: HttpRequest) -> HttpResponse:
        """By POST, so that no phone is in an address, which logs keep."""
        self._require(request, LOOK)
        form = support.LookUpForm(_posted(request))
        found: list[int] = []
        if form.is_valid():
            found = looking.find(word=form.cleaned_data["word"], by=who(request))
            if len(found) == 1:
                return redirect("admin:accounts_player_support", found[0])
            if not found:
                messages.warning(request, _("Nobody was found."))
        players = Player.objects.filter(pk__in=found).order_by("pk") if found else ()
        return self._page(
            request, "player_look_up.html", _("Look a player up"), players=players, **self._form(form)
        )  # fmt: skip

    def support_view(self, request: HttpRequest, player_id: int) -> HttpResponse:
        self._require(request, LOOK)
        try:
            dossier = looking.player(player_id=player_id)
        except PlayerNotFound as refusal:
            raise Http404 from refusal
        shown = dossiers.shown(dossier, offered=self._offered(request, dossier.player))
        return self._page(request, "player.html", dossier.player.username, **shown)

    def help_view(self, request: HttpRequest, player_id: int, slug: str) -> HttpResponse:
        asked = next((way for way in HELP if way.slug == slug), None)
        if asked is None:
            raise Http404
        self._require(request, LOOK)
        self._require(request, asked.permission)
        player = Player.objects.filter(pk=player_id, erased_at=None).first()
        if player is None:
            raise Http404
        form = asked.form(_posted(request))
        if form.is_valid():
            with refusals_told(request):
                messages.success(request, asked.act(player_id=player_id, by=who(request), **form.given()))
            return redirect("admin:accounts_player_support", player_id)
        title = _("%(what)s: %(player)s") % {"what": asked.title, "player": player.username}
        return self._page(request, "form.html", title, press=asked.title, **self._form(form))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_support"] = request.user.has_perm(LOOK)
        return super().render_change_form(request, context, *args, **kwargs)

    def _offered(self, request: HttpRequest, player: Player) -> list[dict[str, Any]]:
        """What this member of staff may do, as far as it makes sense for this player."""
        if player.erased_at is not None or player.is_staff:
            return []
        senseless = {"ban"} if not player.is_active else {"unban"}
        return [
            {"title": way.title, "url": reverse("admin:accounts_player_help", args=[player.pk, way.slug])}
            for way in HELP
            if way.slug not in senseless and request.user.has_perm(way.permission)
        ]

    def _require(self, request: HttpRequest, permission: str) -> None:
        if not request.user.has_perm(permission):
            raise PermissionDenied

    def _form(self, form: Any) -> dict[str, Any]:
        fieldsets = ((None, {"fields": tuple(form.fields)}),)
        return {"adminform": AdminForm(form, fieldsets, {}, model_admin=self)}

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        site = self.admin_site.each_context(request)
        context |= {**site, "title": title, "opts": self.opts}
        return TemplateResponse(request, f"redpackets/admin/{template}", context)
