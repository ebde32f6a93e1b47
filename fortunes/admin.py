"""The ground to look at: rulebooks, who takes part, who is not counted, and what happened.

Campaigns are in `redpackets.admin`, since opening one needs its pool. Feeds and idempotency keys are not here: they are
locks and counters, and say nothing that an event or the thing itself doesn't.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from fortunes.adminsite import ReadOnlyAdmin, by_number, by_player
from fortunes.models import Broadcast, Event, Exclusion, Membership, Rulebook


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
