"""Cards to look at. What moves a card is history, and a hand is a cache of it: read-only, for superusers too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from cards.actions import batches
from cards.models import (
    Aftermath,
    CardKind,
    CodeBatch,
    Conversion,
    Draw,
    Hand,
    InvitationCredit,
    Play,
    ShareLink,
    Source,
    Stock,
    StockTranche,
    Trade,
    Transfer,
)
from fortunes import naming
from fortunes.adminsite import (
    Button,
    IndexedAdmin,
    ReadOnlyAdmin,
    back,
    by_number,
    by_player,
    by_public_id,
    refusals_told,
)
from fortunes.amounts import yuan
from fortunes.models import Campaign


class DraftCatalogueAdmin(IndexedAdmin):
    """Names and art may be changed until the opening; numbers and slugs are what rules and history rest on."""

    actions = None
    list_filter = ("campaign",)
    list_select_related = ("campaign",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.campaign.opened_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CardKind)
class CardKindAdmin(DraftCatalogueAdmin):
    list_display = ("id", "campaign", "ordinal", "slug", "name_zh", "name_en", "role", "glyph", "colour")
    fields = ("campaign", "ordinal", "slug", "role", "name_zh", "name_en", "glyph", "colour")
    readonly_fields = ("campaign", "ordinal", "slug", "role")


@admin.register(Source)
class SourceAdmin(DraftCatalogueAdmin):
    list_display = ("id", "campaign", "ordinal", "slug", "name_zh", "name_en", "type")
    fields = ("campaign", "ordinal", "slug", "type", "name_zh", "name_en")
    readonly_fields = ("campaign", "ordinal", "slug", "type")


@lru_cache(maxsize=64)
def kinds(campaign_id: int) -> tuple[CardKind, ...]:
    """The kinds of an opened campaign by ordinal; they don't change any more."""
    return tuple(CardKind.objects.filter(campaign_id=campaign_id).order_by("ordinal"))


def named(campaign_id: int, ordinals: Iterable[int]) -> str:
    return ", ".join(str(kinds(campaign_id)[ordinal]) for ordinal in ordinals) or "-"


def counted(campaign_id: int, counts: list[int]) -> str:
    held = (f"{kind} × {count}" for kind, count in zip(kinds(campaign_id), counts, strict=True) if count)
    return ", ".join(held) or "-"


def kind_column(description: Any, name: str = "kind") -> Callable[[Any], str]:
    """The name of the kind whose ordinal is in column `name`."""

    @admin.display(description=description)
    def column(row: Any) -> str:
        return named(row.campaign_id, [getattr(row, name)])

    return column


class NamedKindsAdmin(ReadOnlyAdmin):
    """Rows of a campaign that speak of kinds by ordinal; `kind_columns` show them by name, after the other columns."""

    kind_columns: tuple[str, ...] = ("kind_name",)
    unshown = ("kind",)
    kind_name = staticmethod(kind_column(_("kind")))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_fields(request, obj), *self.kind_columns]


@admin.register(Hand)
class HandAdmin(NamedKindsAdmin):
    kind_columns = ("cards", "in_escrow")
    unshown = ("counts", "escrow")
    list_filter = ("campaign",)
    ordering = ("-campaign_id", "-player_id")
    list_display = ("id", "campaign", "player", "cards", "in_escrow", "day", "used_today", "used", "version")
    list_select_related = ("campaign", "player")
    search_by = (by_player("player_id"),)

    @admin.display(description=_("cards"))
    def cards(self, row: Hand) -> str:
        return counted(row.campaign_id, row.counts)

    @admin.display(description=_("in escrow"))
    def in_escrow(self, row: Hand) -> str:
        return counted(row.campaign_id, row.escrow)


@admin.register(StockTranche)
class StockTrancheAdmin(NamedKindsAdmin):
    list_filter = ("campaign",)
    ordering = ("-campaign_id", "-kind", "-number")
    list_display = ("id", "campaign", "kind_name", "number", "first_serial", "units", "available_at", "released_at")
    list_select_related = ("campaign",)


@admin.register(Stock)
class StockAdmin(NamedKindsAdmin):
    list_filter = ("campaign",)
    ordering = ("-campaign_id", "-kind", "-serial")
    list_display = ("id", "campaign", "kind_name", "serial", "available_at")
    list_select_related = ("campaign",)


@admin.register(Draw)
class DrawAdmin(NamedKindsAdmin):
    kind_columns = ("kind_name", "wish_name")
    # What an answer is repeated from.
    unshown = (
        "kind", "wish", "body_hash", "hand_after", "escrow_after", "used_today_after", "used_after", "hand_version",
    )  # fmt: skip
    wish_name = staticmethod(kind_column(_("wish"), "wish"))
    narrow_by = ("campaign",)
    list_display = ("id", "campaign", "player", "kind_name", "serial", "wish_name", "rulebook_version", "at")
    list_select_related = ("campaign", "player")
    search_by = (by_number(), by_player("player_id"))
    search_help_text: ClassVar = _("Username or id of the player, or id of the draw")


@admin.register(Trade)
class TradeAdmin(NamedKindsAdmin):
    kind_columns = ("given", "taken")
    unshown = ("gives", "takes")
    narrow_by = ("campaign",)
    list_display = (
        "id",
        "campaign",
        "type",
        "audience",
        "proposer",
        "recipient",
        "given",
        "taken",
        "state",
        "created_at",
        "expires_at",
        "closed_at",
    )
    list_select_related = ("campaign", "proposer", "recipient")
    search_by = (by_number(), by_public_id(), by_player("proposer_id", "recipient_id"))
    search_help_text: ClassVar = _("Username or id of a player, or id of the trade")

    @admin.display(description=_("gives"))
    def given(self, row: Trade) -> str:
        return named(row.campaign_id, row.gives)

    @admin.display(description=_("takes"))
    def taken(self, row: Trade) -> str:
        return named(row.campaign_id, row.takes)


@admin.register(ShareLink)
class ShareLinkAdmin(ReadOnlyAdmin):
    # With its code whoever reads it could claim the card.
    unshown = ("code",)
    ordering = ("-trade_id",)
    list_display = ("trade_id", "campaign", "player", "channel", "opens", "claimed", "created_at")
    list_select_related = ("campaign", "player", "trade")
    search_by = (by_number("trade_id"),)
    search_help_text: ClassVar = _("Number of the trade")

    @admin.display(description=_("claimed"))
    def claimed(self, row: ShareLink) -> int:
        return row.claims


@admin.register(Play)
class PlayAdmin(NamedKindsAdmin):
    list_display = ("id", "campaign", "type", "player", "friend", "kind_name", "rulebook_version", "at")
    list_select_related = ("campaign", "player", "friend")
    search_by = (by_number(), by_public_id(), by_player("player_id"))
    search_help_text: ClassVar = _("Username or id of the player, or id of the play")


@admin.register(Transfer)
class TransferAdmin(NamedKindsAdmin):
    narrow_by = ("campaign",)
    list_display = ("id", "campaign", "kind_name", "giver", "receiver", "trade_id", "play_id", "at")
    list_select_related = ("campaign", "giver", "receiver")
    search_by = (by_number(), by_player("giver_id", "receiver_id"))
    search_help_text: ClassVar = _("Username or id of a player, or id of the transfer")


def by_invited(word: str) -> Q | None:
    """Credits have an index by campaign and invited player. Campaigns are few, so they are all named."""
    ids = naming.players(word)
    campaigns = list(Campaign.objects.values_list("pk", flat=True)) if ids else []
    return Q(campaign_id__in=campaigns, invited_id__in=ids) if ids else None


@lru_cache(maxsize=64)
def sources(campaign_id: int) -> tuple[Source, ...]:
    """The sources of an opened campaign by ordinal; they don't change any more."""
    return tuple(Source.objects.filter(campaign_id=campaign_id).order_by("ordinal"))


@admin.register(CodeBatch)
class CodeBatchAdmin(ReadOnlyAdmin):
    """Batches are printed by a command (`print_codes`) and revoked here: what is lost or stolen counts no more."""

    list_display = (
        "id", "campaign", "number", "source_name", "count", "expires_at", "printed_at", "printed_by", "revoked_at",
    )  # fmt: skip
    list_filter = ("campaign",)
    ordering = ("-campaign_id", "-number")
    list_select_related = ("campaign", "printed_by")
    unshown = ("source",)

    @admin.display(description=_("source"))
    def source_name(self, batch: CodeBatch) -> str:
        return str(sources(batch.campaign_id)[batch.source])

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_fields(request, obj), "source_name"]

    def buttons(self, request: HttpRequest, row: CodeBatch) -> list[Button]:
        if row.revoked_at or not request.user.has_perm("cards.revoke_codebatch"):
            return []
        url = reverse("admin:cards_codebatch_revocation", args=[row.pk])
        return [Button(gettext("Revoke all its codes, for good"), url, primary=True)]

    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(require_POST(self.revoke_view))
        return [path("<int:pk>/revocation/", revoke, name="cards_codebatch_revocation"), *super().get_urls()]

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm("cards.revoke_codebatch"):
            raise PermissionDenied
        with refusals_told(request):
            batch = batches.revoke(batch_id=pk, by=request.user.pk)
            messages.success(request, gettext("No code of %(batch)s counts any more.") % {"batch": batch})
        return back(request, reverse("admin:cards_codebatch_changelist"))


@admin.register(Aftermath)
class AftermathAdmin(ReadOnlyAdmin):
    list_display = ("id", "campaign", "version", "state", "last_player", "made_at", "done_at")
    list_filter = ("campaign",)
    list_select_related = ("campaign",)


@admin.register(Conversion)
class ConversionAdmin(NamedKindsAdmin):
    kind_columns = ("kind_name", "became")
    unshown = ("kind", "into")
    list_display = ("id", "campaign", "player", "kind_name", "cards", "became", "amount", "paid_at", "at")
    list_select_related = ("campaign", "player")
    narrow_by = ("campaign",)
    search_by = (by_public_id(), by_player("player_id"))

    @admin.display(description=_("became"))
    def became(self, row: Conversion) -> str:
        return named(row.campaign_id, row.into)

    @admin.display(description=_("amount"))
    def amount(self, row: Conversion) -> str:
        return yuan(row.fen) if row.fen else "-"


@admin.register(InvitationCredit)
class InvitationCreditAdmin(ReadOnlyAdmin):
    list_display = ("id", "campaign", "invited", "inviter", "state", "scanned_at", "due_at", "decided_at")
    list_filter = ("campaign",)
    ordering = ("-campaign_id", "-invited_id")
    list_select_related = ("campaign", "invited", "inviter")
    search_by = (by_invited,)
    search_help_text: ClassVar = _("Username or id of the invited player")
