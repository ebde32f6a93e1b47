"""What staff say to players, and what players say under a proposal: written, published, answered, hidden."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.forms import AdminForm

from fortunes.actions import announcements, comments
from fortunes.admin import talkforms
from fortunes.adminsite import Button, ReadOnlyAdmin, back, by_number, by_player, by_public_id, refusals_told, who
from fortunes.models import Announcement, Comment

PUBLISH = "fortunes.publish_announcements"
MODERATE = "fortunes.moderate_comments"
# So much of a comment is in the list.
GLIMPSE = 80


class TalkAdmin(ReadOnlyAdmin):
    """Rows that change by actions only, behind buttons and forms of their own."""

    right: ClassVar[str]

    def may(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(self.right))

    def require(self, request: HttpRequest) -> None:
        if not self.may(request):
            raise PermissionDenied

    def press(self, request: HttpRequest, pk: int, act: Callable[[int, int], Any], said: str | Promise) -> HttpResponse:
        """Call an action with the row's id and who asks."""
        self.require(request)
        with refusals_told(request):
            act(pk, who(request))
            messages.success(request, str(said))
        return back(request, self.page_of(pk))

    def page_of(self, pk: int) -> str:
        return reverse(f"admin:fortunes_{self.opts.model_name}_change", args=[pk])

    def form_page(self, request: HttpRequest, form: Form, title: str, **context: Any) -> TemplateResponse:
        names = tuple(name for name, field in form.fields.items() if not field.widget.is_hidden)
        context |= {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "adminform": AdminForm(form, ((None, {"fields": names}),), {}, model_admin=self),
        }
        return TemplateResponse(request, "fortunes/admin/form.html", context)


@admin.register(Announcement)
class AnnouncementAdmin(TalkAdmin):
    """Written on a form; published by a job when its time has come, or by a button. What players have read stays as it
    was, or is withdrawn.
    """

    right = PUBLISH
    in_lines = ("body_zh", "body_en")
    list_display = ("id", "title", "campaign", "state", "publish_at", "pinned", "written_by")
    list_display_links = ("id", "title")
    list_filter = ("campaign",)
    list_select_related = ("campaign", "written_by")
    search_by = (by_number(), by_public_id())
    search_help_text: ClassVar = _("Number or id")

    @admin.display(description=_("title"))
    def title(self, row: Announcement) -> str:
        return str(row)

    @display(description=_("state"), label={"waiting": "info", "published": "success", "withdrawn": "danger"})
    def state(self, row: Announcement) -> tuple[str, str]:
        if row.withdrawn_at:
            return "withdrawn", gettext("withdrawn")
        return ("published", gettext("published")) if row.published_at else ("waiting", gettext("waiting"))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request)

    def buttons(self, request: HttpRequest, row: Announcement) -> Sequence[Button]:
        if row.withdrawn_at or not self.may(request):
            return ()

        def button(label: str, what: str, **looks: bool) -> Button:
            return Button(label, reverse(f"admin:fortunes_announcement_{what}", args=[row.pk]), **looks)

        pin = button(gettext("Unpin"), "unpinning") if row.pinned else button(gettext("Pin"), "pinning")
        withdraw = button(gettext("Withdraw"), "withdrawal")
        if row.published_at:
            return [pin, withdraw]
        publish = button(gettext("Publish now"), "publication", primary=True)
        return [publish, button(gettext("Edit"), "edit", asks=True), pin, withdraw]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        self.require(request)
        form = talkforms.NewAnnouncementForm(_posted(request))
        if form.is_valid():
            with refusals_told(request):
                row = announcements.write(by=who(request), plan=form.plan(), **form.place())
                messages.success(request, gettext("It is written, and will be published when its time has come."))
                return redirect(self.page_of(row.pk))
        return self.form_page(request, form, gettext("New announcement"))

    def edit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.require(request)
        row = Announcement.objects.filter(pk=pk).first()
        if row is None:
            raise Http404
        form = talkforms.AnnouncementForm(_posted(request), initial=talkforms.written(row))
        if form.is_valid():
            with refusals_told(request):
                announcements.edit(announcement_id=pk, plan=form.plan(), by=who(request))
                messages.success(request, gettext("It has been changed."))
            return redirect(self.page_of(pk))
        return self.form_page(request, form, gettext("Announcement %(number)s") % {"number": pk})

    def get_urls(self) -> list[URLPattern]:
        def button(name: str, act: Callable[[int, int], Any], said: str | Promise) -> URLPattern:
            def view(request: HttpRequest, pk: int) -> HttpResponse:
                return self.press(request, pk, act, said)

            wrapped = self.admin_site.admin_view(require_POST(view))
            return path(f"<int:pk>/{name}/", wrapped, name=f"fortunes_announcement_{name}")

        edit = self.admin_site.admin_view(self.edit_view)
        return [
            path("<int:pk>/edit/", edit, name="fortunes_announcement_edit"),
            button(
                "publication",
                lambda pk, by: announcements.publish_now(announcement_id=pk, by=by),
                _("It is being published."),
            ),
            button(
                "withdrawal",
                lambda pk, by: announcements.withdraw(announcement_id=pk, by=by),
                _("It has been withdrawn."),
            ),
            button(
                "pinning", lambda pk, by: announcements.pin(announcement_id=pk, pinned=True, by=by), _("It is on top.")
            ),
            button(
                "unpinning",
                lambda pk, by: announcements.pin(announcement_id=pk, pinned=False, by=by),
                _("It isn't on top any more."),
            ),
            *super().get_urls(),
        ]


@admin.register(Comment)
class CommentAdmin(TalkAdmin):
    """What players wrote under proposals. Staff reply in the organiser's name, and hide what doesn't belong."""

    right = MODERATE
    in_lines = ("text",)
    list_display = ("id", "glimpse", "player", "by_staff", "condition", "proposal", "at")
    list_display_links = ("id", "glimpse")
    list_filter = ("proposal",)
    list_select_related = ("player", "proposal")
    search_by = (by_number(), by_public_id(), by_player("player_id"))
    search_help_text: ClassVar = _("Username or id of the player, number or id of the comment")

    @admin.display(description=_("text"))
    def glimpse(self, row: Comment) -> str:
        return Truncator(row.text).chars(GLIMPSE) or "-"

    @display(description=_("state"), label={"shown": "success", "hidden": "warning", "deleted": ""})
    def condition(self, row: Comment) -> tuple[str, str]:
        if row.deleted_at:
            return "deleted", gettext("deleted by its author")
        return ("hidden", gettext("hidden")) if row.hidden_at else ("shown", gettext("shown"))

    def buttons(self, request: HttpRequest, row: Comment) -> Sequence[Button]:
        if row.deleted_at or not self.may(request):
            return ()
        if row.hidden_at:
            return [Button(gettext("Show again"), reverse("admin:fortunes_comment_showing", args=[row.pk]))]
        hide = Button(gettext("Hide"), reverse("admin:fortunes_comment_hiding", args=[row.pk]))
        if row.by_staff:
            return [hide]
        reply = reverse("admin:fortunes_comment_reply", args=[row.pk])
        return [Button(gettext("Reply"), reply, primary=True, asks=True), hide]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/hiding/", view(require_POST(self.hide_view)), name="fortunes_comment_hiding"),
            path("<int:pk>/showing/", view(require_POST(self.show_view)), name="fortunes_comment_showing"),
            path("<int:pk>/reply/", view(self.reply_view), name="fortunes_comment_reply"),
            *super().get_urls(),
        ]

    def hide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        said = gettext("Nobody but its author sees it any more.")
        return self.press(request, pk, lambda pk, by: comments.hide(comment_id=pk, by=by), said)

    def show_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        said = gettext("Everybody sees it again.")
        return self.press(request, pk, lambda pk, by: comments.unhide(comment_id=pk, by=by), said)

    def reply_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.require(request)
        row = Comment.objects.filter(pk=pk).first()
        if row is None:
            raise Http404
        form = talkforms.ReplyForm(_posted(request))
        if form.is_valid():
            with refusals_told(request):
                comments.answer(comment_id=pk, by=who(request), **form.reply())
                messages.success(request, gettext("The reply has been published."))
            return redirect(self.page_of(pk))
        return self.form_page(request, form, gettext("Reply to comment %(number)s") % {"number": pk}, quoted=row.text)


def _posted(request: HttpRequest) -> Any:
    """What was sent, also if it's nothing at all; None if nothing was sent yet."""
    return request.POST if request.method == "POST" else None
