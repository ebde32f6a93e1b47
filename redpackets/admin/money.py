"""Money to look at. A settlement can be paused and resumed; its stages belong to the worker alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from fortunes import naming
from fortunes.adminsite import Button, ReadOnlyAdmin, back, by_player, by_text, refusals_told
from fortunes.amounts import in_yuan, yuan
from redpackets.actions import settlements
from redpackets.admin import words
from redpackets.models import (
    AccountKind,
    CompensationFund,
    LedgerEntry,
    LiveShare,
    Packet,
    Pool,
    Settlement,
    SettlementChunk,
    Wallet,
)

PACKET_ID = re.compile(r"payout:(\d{1,18}):(\d{1,18})")


def yuan_column(name: str, description: Any) -> Callable[[Any], str]:
    """Column `name`, in fen, as yuan."""

    @admin.display(description=description)
    def column(row: Any) -> str:
        return yuan(getattr(row, name))

    return column


def by_wallet_owner(word: str) -> Q | None:
    """Entries of a player's wallet, through the two indexes that exist for wallets."""
    ids = naming.players(word)
    into = Q(destination_kind=AccountKind.WALLET, destination_owner__in=ids)
    out_of = Q(source_kind=AccountKind.WALLET, source_owner__in=ids)
    return into | out_of if ids else None


def by_winner(word: str) -> Q | None:
    """Payouts have an index by pool and player only. Pools are few, so they are all named."""
    ids = naming.players(word)
    return Q(pool_id__in=list(Pool.objects.values_list("pk", flat=True)), player_id__in=ids) if ids else None


class SeasonFilter(admin.RelatedFieldListFilter):
    """Pools and settlements are named after their campaigns, which come along in the one query."""

    CAMPAIGNS: ClassVar = {"pool": "campaign", "settlement": "pool__campaign"}

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        rows = field.remote_field.model._default_manager.select_related(self.CAMPAIGNS[field.name])
        return [(row.pk, str(row)) for row in rows.order_by("pk")]


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


@admin.register(CompensationFund)
class CompensationFundAdmin(ReadOnlyAdmin):
    funded = staticmethod(yuan_column("funded_fen", gettext_lazy("set aside")))
    paid = staticmethod(yuan_column("paid_fen", gettext_lazy("paid")))
    list_display = ("campaign", "funded", "paid")
    list_select_related = ("campaign",)


@admin.register(LiveShare)
class LiveShareAdmin(ReadOnlyAdmin):
    each = staticmethod(yuan_column("each_fen", gettext_lazy("each")))
    list_display = ("campaign", "complete", "each", "counted_at", "due_at")
    list_select_related = ("campaign",)


@admin.register(Pool)
class PoolAdmin(ReadOnlyAdmin):
    amount = staticmethod(yuan_column("amount_fen", gettext_lazy("amount")))
    unshown = ("key_id",)
    list_display = ("campaign", "amount", "credit_after_s", "created_at")
    list_select_related = ("campaign",)


@admin.register(Settlement)
class SettlementAdmin(ReadOnlyAdmin):
    amount = staticmethod(yuan_column("amount_fen", gettext_lazy("pool")))
    returned = staticmethod(yuan_column("returned_fen", gettext_lazy("returned")))
    list_display = ("pool", "state", "due_at", "amount", "winners", "returned", "sealed_at", "paused_at", "attempts")
    list_filter = ("state",)
    list_select_related = ("pool__campaign",)
    unshown = ("last_error",)

    @admin.display(description=gettext_lazy("last error"))
    def told_error(self, run: Settlement) -> str:
        return in_yuan(run.last_error) or "-"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_fields(request, obj), "told_error"]

    def buttons(self, request: HttpRequest, row: Settlement) -> list[Button]:
        if row.state == Settlement.State.DONE or not self._may_operate(request):
            return []
        if row.paused_at or row.attempts:
            url = reverse("admin:redpackets_settlement_resumption", args=[row.pk])
            resume = [Button(_("Run again") if row.attempts else _("Resume"), url, primary=True)]
        else:
            resume = []
        pause = Button(_("Pause"), reverse("admin:redpackets_settlement_pause", args=[row.pk]))
        return resume if row.paused_at else [*resume, pause]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/pause/", view(require_POST(self.pause_view)), name="redpackets_settlement_pause"),
            path("<int:pk>/resumption/", view(require_POST(self.resume_view)), name="redpackets_settlement_resumption"),
            *super().get_urls(),
        ]

    def pause_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        said, found = _("The settlement has been paused."), _("It had been paused before, at %(at)s.")
        return self._press(request, pk, settlements.pause, said, found)

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        said, found = _("The settlement goes on."), _("It was going on already, without a failure.")
        return self._press(request, pk, settlements.resume, said, found)

    def _press(
        self, request: HttpRequest, pk: int, action: Callable[..., settlements.Change], said: str, found: str
    ) -> HttpResponse:
        """Says what was done, or what was found where there was nothing to do."""
        if not self._may_operate(request):
            raise PermissionDenied
        with refusals_told(request):
            change = action(settlement_id=pk, by=request.user.pk)
            if change.changed:
                self.log_change(request, change.settlement, action.__name__)
                messages.success(request, said)
            else:
                at = change.settlement.paused_at
                messages.info(request, found % {"at": words.instant(at) if at else "-"})
        return back(request, reverse("admin:redpackets_settlement_change", args=[pk]))

    def _may_operate(self, request: HttpRequest) -> bool:
        """The row itself is read-only for everybody."""
        return request.user.has_perm("redpackets.operate_settlement")


@admin.register(SettlementChunk)
class SettlementChunkAdmin(ReadOnlyAdmin):
    pot = staticmethod(yuan_column("pot_fen", gettext_lazy("pot")))
    list_display = (
        "id", "settlement", "number", "low", "high", "winners", "pot", "bonus", "posted_at", "credited_at",
    )  # fmt: skip
    list_filter = (("settlement", SeasonFilter),)
    ordering = ("-settlement_id", "-number")
    list_select_related = ("settlement__pool__campaign",)


@admin.register(Packet)
class PacketAdmin(ReadOnlyAdmin):
    """Payouts, by way of a view: the admin knows no composite keys."""

    amount = staticmethod(yuan_column("amount_fen", gettext_lazy("amount")))
    list_display = ("id", "pool", "player", "amount", "opened_at")
    list_filter = (("pool", SeasonFilter),)
    list_select_related = ("pool__campaign", "player")
    ordering = ("-pool_id", "-player_id")
    search_by = (by_winner,)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Packet | None:
        """By the columns that have an index; the id that is made of them has none."""
        match = PACKET_ID.fullmatch(object_id)
        if match is None:
            return None
        return self.get_queryset(request).filter(pool_id=int(match[1]), player_id=int(match[2])).first()
