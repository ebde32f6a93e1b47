"""Money to look at. A settlement can be paused and resumed; its stages belong to the worker alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from fortunes.adminsite import ReadOnlyAdmin, by_player, by_text, players, refusals_told, yuan
from redpackets.actions import settlements
from redpackets.models import AccountKind, LedgerEntry, Packet, Pool, Settlement, SettlementChunk, Wallet

PACKET_ID = re.compile(r"payout:(\d{1,18}):(\d{1,18})")


def yuan_column(name: str, description: Any) -> Callable[[Any], str]:
    """Column `name`, in fen, as yuan."""

    @admin.display(description=description)
    def column(row: Any) -> str:
        return yuan(getattr(row, name))

    return column


def by_wallet_owner(word: str) -> Q | None:
    """Entries of a player's wallet, through the two indexes that exist for wallets."""
    ids = players(word)
    into = Q(destination_kind=AccountKind.WALLET, destination_owner__in=ids)
    out_of = Q(source_kind=AccountKind.WALLET, source_owner__in=ids)
    return into | out_of if ids else None


def by_winner(word: str) -> Q | None:
    """Payouts have an index by pool and player only. Pools are few, so they are all named."""
    ids = players(word)
    return Q(pool_id__in=list(Pool.objects.values_list("pk", flat=True)), player_id__in=ids) if ids else None


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    amount = staticmethod(yuan_column("amount_fen", gettext_lazy("amount")))
    list_display = ("id", "source", "destination", "amount", "business_key", "at")
    search_by = (by_text("business_key"), by_wallet_owner)
    search_help_text: ClassVar = gettext_lazy("Player's username or id, or business key")

    @admin.display(description=gettext_lazy("from"))
    def source(self, entry: LedgerEntry) -> str:
        return f"{entry.get_source_kind_display()} {entry.source_owner}"

    @admin.display(description=gettext_lazy("to"))
    def destination(self, entry: LedgerEntry) -> str:
        return f"{entry.get_destination_kind_display()} {entry.destination_owner}"


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    balance = staticmethod(yuan_column("balance_fen", gettext_lazy("balance")))
    list_display = ("player", "balance")
    list_select_related = ("player",)
    search_by = (by_player("player_id"),)


@admin.register(Pool)
class PoolAdmin(ReadOnlyAdmin):
    amount = staticmethod(yuan_column("amount_fen", gettext_lazy("amount")))
    unshown = ("key_id",)
    list_display = ("campaign", "amount", "mode", "remainder", "credit_after_s", "created_at")
    list_select_related = ("campaign",)


@admin.register(Settlement)
class SettlementAdmin(ReadOnlyAdmin):
    amount = staticmethod(yuan_column("amount_fen", gettext_lazy("pool")))
    returned = staticmethod(yuan_column("returned_fen", gettext_lazy("returned")))
    list_display = ("pool", "state", "due_at", "amount", "winners", "returned", "sealed_at", "paused_at", "attempts")
    list_filter = ("state",)
    list_select_related = ("pool__campaign",)
    change_form_outer_before_template = "redpackets/admin/settlement_head.html"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        unfinished = obj is not None and obj.state != Settlement.State.DONE
        context["may_pause"] = unfinished and self._may_pause(request)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/pause/", view(require_POST(self.pause_view)), name="redpackets_settlement_pause"),
            path("<int:pk>/resumption/", view(require_POST(self.resume_view)), name="redpackets_settlement_resumption"),
            *super().get_urls(),
        ]

    def pause_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._press(request, pk, settlements.pause, "paused", _("The settlement has been paused."))

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._press(request, pk, settlements.resume, "resumed", _("The settlement goes on."))

    def _press(
        self, request: HttpRequest, pk: int, action: Callable[..., Settlement], log: str, said: str
    ) -> HttpResponse:
        if not self._may_pause(request):
            raise PermissionDenied
        with refusals_told(request):
            self.log_change(request, action(settlement_id=pk), log)
            messages.success(request, said)
        return redirect("admin:redpackets_settlement_change", pk)

    def _may_pause(self, request: HttpRequest) -> bool:
        """The row itself is read-only for everybody; the permission to change it is the one to pause it."""
        return request.user.has_perm("redpackets.change_settlement")


@admin.register(SettlementChunk)
class SettlementChunkAdmin(ReadOnlyAdmin):
    pot = staticmethod(yuan_column("pot_fen", gettext_lazy("pot")))
    list_display = (
        "id", "settlement", "number", "low", "high", "winners", "pot", "bonus", "posted_at", "credited_at",
    )  # fmt: skip
    list_filter = ("settlement",)
    ordering = ("-settlement_id", "-number")
    list_select_related = ("settlement__pool__campaign",)


@admin.register(Packet)
class PacketAdmin(ReadOnlyAdmin):
    """Payouts, by way of a view: the admin knows no composite keys."""

    amount = staticmethod(yuan_column("amount_fen", gettext_lazy("amount")))
    list_display = ("id", "pool", "player", "amount", "opened_at")
    list_filter = ("pool",)
    list_select_related = ("pool__campaign", "player")
    ordering = ("-pool_id", "-player_id")
    search_by = (by_winner,)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Packet | None:
        """By the columns that have an index; the id that is made of them has none."""
        match = PACKET_ID.fullmatch(object_id)
        if match is None:
            return None
        return self.get_queryset(request).filter(pool_id=int(match[1]), player_id=int(match[2])).first()
