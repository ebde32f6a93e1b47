"""Fields of the admin's own forms, as the theme shows them."""

from __future__ import annotations

from typing import Any

from django import forms
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


def _zone() -> str:
    return gettext("In %(zone)s.") % {"zone": timezone.get_current_timezone_name()}


def text(label: Any, **options: Any) -> forms.CharField:
    return forms.CharField(label=capfirst(label), widget=UnfoldAdminTextInputWidget(), **options)


def paragraphs(label: Any, **options: Any) -> forms.CharField:
    """A text of several lines."""
    return forms.CharField(label=capfirst(label), widget=UnfoldAdminTextareaWidget(), **options)
