"""Players and staff. Players come in by signing up; here they are looked at, or made staff. What is done for a player
and against one is on their page (`redpackets.admin.players`), since that shows all that they have.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminOwnPasswordChangeForm, AdminPasswordChangeForm, UserChangeForm

from accounts import errors, families, names
from accounts.models import (
    Ban,
    FederatedIdentity,
    Friendship,
    InvitationLink,
    Message,
    Player,
    Push,
    PushHost,
    Referral,
    RefreshFamily,
)
from fortunes import audit
from fortunes.adminsite import (
    AuditedAdmin,
    IndexedAdmin,
    ReadOnlyAdmin,
    by_number,
    by_player,
    by_public_id,
    by_text,
    who,
)

admin.site.unregister(Group)


def by_username_prefix(word: str) -> Q:
    return Q(username__startswith=names.normalise_username(word))


class OneColumn(forms.Form):
    """Saves the password alone: the row's other columns, the count of friends for one, may change meanwhile. Whoever
    has signed in with the old one is signed out.
    """

    def set_password_and_save(self, user: Any, password_field_name: str = "password1", commit: bool = True) -> Any:
        # The form for somebody else's can also turn passwords off for them.
        usable = self.cleaned_data.get("set_usable_password", True)
        user.set_password(self.cleaned_data[password_field_name] if usable else None)
        user.save(update_fields=["password"])
        families.end(RefreshFamily.objects.filter(player=user.pk))
        return user


class PasswordForm(OneColumn, AdminPasswordChangeForm):
    """Somebody else's password."""


class OwnPasswordForm(OneColumn, AdminOwnPasswordChangeForm):
    """One's own."""


class OwnPasswordView(PasswordChangeView):
    """The site's own page for it saves all columns."""

    form_class = OwnPasswordForm
    success_url = reverse_lazy("admin:password_change_done")

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic(durable=True):
            response = super().form_valid(form)
            _record_password(self.request, who(self.request))
        return response


def change_own_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
    context = admin.site.each_context(request) | (extra_context or {})
    return OwnPasswordView.as_view(extra_context=context)(request)


def _record_password(request: HttpRequest, player_id: int) -> None:
    audit.record(
        actor=request.user.pk, action="player.password_set", subject="accounts.player", subject_id=player_id
    )  # fmt: skip


admin.site.password_change = change_own_password


class PlayerForm(UserChangeForm):
    """Nicknames are of the same kind here as everywhere."""

    def clean_nickname(self) -> str:
        nickname = names.normalise_nickname(self.cleaned_data["nickname"])
        if not names.is_nickname(nickname):
            raise forms.ValidationError(errors.InvalidNickname.title)
        return nickname


@admin.register(Player)
class PlayerAdmin(IndexedAdmin, UserAdmin):
    """Nobody is added or deleted here: staff sign up too, and erasing a player is more than deleting a row."""

    form = PlayerForm
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
        """Only superusers hand out rights, or staff could take them. A colleague's account is closed here; a player is
        banned, with a reason.
        """
        rights = () if request.user.is_superuser else ("is_staff", "is_superuser", "groups", "user_permissions")
        closable = request.user.is_superuser and obj is not None and obj.is_staff
        return (*self.readonly_fields, *rights, *(() if closable else ("is_active",)))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Colleagues are changed by superusers: whoever may set a superuser's password is one."""
        may = super().has_change_permission(request, obj)
        colleague = obj is not None and (obj.is_staff or obj.is_superuser)
        return may and (obj is None or obj.erased_at is None) and (not colleague or request.user.is_superuser)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Under the public id: the log is append-only, and a player's words must be erasable."""
        nameless = copy(obj)
        nameless.username = str(obj.public_id)
        return super().log_change(request, nameless, message)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        with transaction.atomic(durable=True):
            player = self.get_object(request, unquote(id))
            response = super().user_change_password(request, id, form_url)
            # By the row, for an address can spell it in more than one way, and some that change nothing lead on too.
            if player is not None and Player.objects.filter(pk=player.pk).exclude(password=player.password).exists():
                _record_password(request, player.pk)
        return response

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
class GroupAdmin(AuditedAdmin):
    """Whoever may change a group may do what it may, so only superusers can."""

    filter_horizontal = ("permissions",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A permission's name begins with that of its model: all of them with one query."""
        kwargs["queryset"] = Permission.objects.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(Ban)
class BanAdmin(ReadOnlyAdmin):
    list_display = ("id", "player", "reason", "by", "at", "lifted_at", "lifted_by")
    list_select_related = ("player", "by", "lifted_by")
    search_by = (by_number(), by_player("player_id"))


@admin.register(InvitationLink)
class InvitationLinkAdmin(ReadOnlyAdmin):
    list_display = ("id", "player", "channel", "code", "opens", "acceptances", "created_at", "revoked_at")
    list_select_related = ("player",)
    search_by = (by_player("player_id"), by_text("code"))


@admin.register(Referral)
class ReferralAdmin(ReadOnlyAdmin):
    list_display = ("invited", "inviter", "at")
    list_select_related = ("invited", "inviter")
    search_by = (by_player("invited_id", "inviter_id"),)


@admin.register(FederatedIdentity)
class FederatedIdentityAdmin(ReadOnlyAdmin):
    """Which host app knows a player. As whom is that app's word for a person: on the row's page only."""

    list_display = ("id", "player", "issuer", "created_at")
    list_select_related = ("player",)
    search_by = (by_number(), by_player("player_id"))


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """The outbox of text messages: how it goes with them, and neither to whom nor what."""

    list_display = ("id", "state", "attempts", "created_at", "next_try_at", "sent_at", "expires_at", "last_error")
    search_by = (by_number(), by_public_id())
    search_help_text = _("Id")
    unshown = ("number_hash", "sealed", "seal_key_id")


@admin.register(Push)
class PushAdmin(ReadOnlyAdmin):
    """What host apps' push services are told: how it goes with that."""

    list_display = ("id", "host", "state", "attempts", "created_at", "next_try_at", "sent_at", "last_error")
    search_by = (by_number(), by_public_id())
    search_help_text = _("Id")


@admin.register(PushHost)
class PushHostAdmin(ReadOnlyAdmin):
    """Push services, as far as any of them has ever failed."""

    list_display = ("host", "failures", "failing_since", "rests_until", "last_error")


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """What staff did in the admin."""

    list_display = ("id", "action_time", "user", "content_type", "object_repr", "get_change_message")
    list_select_related = ("user", "content_type")
    search_by = (by_player("user_id"),)
