"""Players and staff. Players come in by signing up; here they are looked at, shut out, or made staff."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm

from accounts import names
from accounts.models import Friendship, Player, RefreshFamily
from fortunes.adminsite import IndexedAdmin, ReadOnlyAdmin, by_number, by_player, by_public_id

admin.site.unregister(Group)


def by_username_prefix(word: str) -> Q:
    return Q(username__startswith=names.normalise_username(word))


class PasswordForm(AdminPasswordChangeForm):
    def set_password_and_save(self, user: Any, password_field_name: str = "password1", commit: bool = True) -> Any:
        """One column: the row's others, the count of friends for one, may change meanwhile."""
        user.set_password(self.cleaned_data[password_field_name])
        user.save(update_fields=["password"])
        return user


@admin.register(Player)
class PlayerAdmin(IndexedAdmin, UserAdmin):
    """Nobody is added or deleted here: staff sign up too, and erasing a player is more than deleting a row."""

    form = UserChangeForm
    change_password_form = PasswordForm
    list_display = ("id", "username", "nickname", "friend_count", "is_active", "is_staff", "joined_at")
    list_display_links = ("id", "username")
    list_filter = ("is_staff", "is_active")
    search_by = (by_number(), by_public_id(), by_username_prefix)
    search_help_text = _("Beginning of the username, or id")
    ordering = ("-pk",)
    readonly_fields = ("id", "public_id", "username", "joined_at", "friend_count")
    filter_horizontal = ()
    actions = None
    fieldsets = (
        (None, {"fields": ("username", "nickname", "password")}),
        (None, {"fields": ("id", "public_id", "joined_at", "friend_count")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Only superusers hand out rights, or staff could take them."""
        rights = () if request.user.is_superuser else ("is_staff", "is_superuser", "groups", "user_permissions")
        return (*self.readonly_fields, *rights)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Colleagues are changed by superusers: whoever may set a superuser's password is one."""
        may = super().has_change_permission(request, obj)
        return may and (obj is None or not obj.is_staff or request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Friendship)
class FriendshipAdmin(ReadOnlyAdmin):
    list_display = ("id", "player", "state", "friend", "since")
    list_select_related = ("player", "friend")
    search_by = (by_player("player_id"),)


@admin.register(RefreshFamily)
class RefreshFamilyAdmin(ReadOnlyAdmin):
    list_display = ("id", "player", "created_at", "refreshed_at", "expires_at", "revoked_at")
    list_select_related = ("player",)
    search_by = (by_public_id(), by_player("player_id"))
    unshown = ("token_hash",)


@admin.register(Group)
class GroupAdmin(ModelAdmin):
    filter_horizontal = ("permissions",)


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """What staff did in the admin."""

    list_display = ("id", "action_time", "user", "content_type", "object_repr", "get_change_message")
    list_select_related = ("user", "content_type")
    search_by = (by_player("user_id"),)
