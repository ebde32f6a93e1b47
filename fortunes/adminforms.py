"""Fields of the admin's own forms, as the theme shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import gettext
from unfold.widgets import INPUT_CLASSES, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget


class InstantField(forms.DateTimeField):
    """A date and time in the time zone of the admin's pages; browsers bring their own calendar for it."""

    def __init__(self, label: Any, **options: Any) -> None:
        attrs = {"type": "datetime-local", "class": " ".join(INPUT_CLASSES), "step": "1"}
        widget = forms.DateTimeInput(attrs, format="%Y-%m-%dT%H:%M:%S")
        super().__init__(widget=widget, label=capfirst(label), help_text=lazy(_zone, str)(), **options)

    def to_python(self, value: Any) -> datetime | None:
        at: datetime | None = super().to_python(value)
        try:
            if at is not None:
                at.astimezone(UTC)
        except OverflowError as error:
            # PostgreSQL would keep it, in a year that nobody could read from it any more.
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        return at


def _zone() -> str:
    return gettext("In %(zone)s.") % {"zone": timezone.get_current_timezone_name()}


def text(label: Any, **options: Any) -> forms.CharField:
    return forms.CharField(label=capfirst(label), widget=UnfoldAdminTextInputWidget(), **options)


def paragraphs(label: Any, **options: Any) -> forms.CharField:
    """A text of several lines."""
    return forms.CharField(label=capfirst(label), widget=UnfoldAdminTextareaWidget(), **options)
