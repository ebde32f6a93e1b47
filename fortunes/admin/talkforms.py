"""The forms by which staff write to players. A new thing has its id from the form, so sending it twice makes one."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanWidget

from fortunes import clock, commenting, wording
from fortunes.actions import announcements
from fortunes.adminforms import InstantField, paragraphs, text
from fortunes.models import Announcement, Campaign

MOST_CAMPAIGNS = 20
MOST_TITLE, MOST_BODY = 80, 2000
COLUMNS = ("title_zh", "title_en", "body_zh", "body_en", "publish_at", "pinned")


def fresh_id() -> forms.UUIDField:
    return forms.UUIDField(widget=forms.HiddenInput(), initial=uuid.uuid4)


class AnnouncementForm(forms.Form):
    """An announcement in both languages. Its plain text is shown as it is, line by line."""

    title_zh = text(_("title (Chinese)"), max_length=MOST_TITLE)
    title_en = text(_("title (English)"), max_length=MOST_TITLE)
    body_zh = paragraphs(_("text (Chinese)"), max_length=MOST_BODY)
    body_en = paragraphs(_("text (English)"), max_length=MOST_BODY)
    publish_at = InstantField(_("to be published"), initial=clock.now)
    pinned = forms.BooleanField(label=_("On top of the list"), required=False, widget=UnfoldBooleanWidget())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("title_zh", "title_en", "body_zh", "body_en"):
            written = wording.tidy(cleaned.get(name) or "")
            readable = wording.is_one_line(written) if name.startswith("title") else wording.is_readable(written)
            if written and not readable:
                self.add_error(name, gettext("This has signs that can't be shown."))
            # Tidied, some signs are several.
            self._require_short(name, written)
            cleaned[name] = written
        return cleaned

    def _require_short(self, name: str, written: str) -> None:
        try:
            self.fields[name].run_validators(written)
        except ValidationError as error:
            self.add_error(name, error)

    def plan(self) -> announcements.Plan:
        return announcements.Plan(**{name: self.cleaned_data[name] for name in COLUMNS})


class NewAnnouncementForm(AnnouncementForm):
    """With the campaign, one of the newest."""

    campaign = forms.ModelChoiceField(
        label=_("Campaign"), queryset=Campaign.objects.none(), widget=UnfoldAdminSelectWidget(), empty_label=None
    )
    public_id = fresh_id()
    field_order = ("campaign", *COLUMNS)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        newest = list(Campaign.objects.order_by("-pk").values_list("pk", flat=True)[:MOST_CAMPAIGNS])
        self.fields["campaign"].queryset = Campaign.objects.filter(pk__in=newest).order_by("-pk")  # type: ignore[attr-defined]

    def place(self) -> dict[str, Any]:
        return {"campaign_id": self.cleaned_data["campaign"].pk, "public_id": self.cleaned_data["public_id"]}


class ReplyForm(forms.Form):
    """A reply in the organiser's name."""

    text = paragraphs(
        _("Reply"), max_length=commenting.LENGTH, help_text=_("Published at once, in the organiser's name.")
    )
    public_id = fresh_id()

    def clean_text(self) -> str:
        tidied = wording.tidy(self.cleaned_data["text"])
        if not commenting.is_comment(tidied):
            raise ValidationError(_("This has signs that can't be shown."))
        return tidied

    def reply(self) -> dict[str, Any]:
        """The arguments of `comments.answer`."""
        return {"text": self.cleaned_data["text"], "public_id": self.cleaned_data["public_id"]}


def written(row: Announcement) -> dict[str, Any]:
    """What the form of one that is written begins with."""
    return {name: getattr(row, name) for name in COLUMNS}
