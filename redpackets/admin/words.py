"""Figures and instants in words, in the language and the time zone of whoever asks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from fortunes.errors import said
from fortunes.sentences import Sentence


def number(value: int) -> str:
    return f"{value:,}"


def share(part: int, whole: int) -> int:
    """In percent, between 0 and 100."""
    return max(0, min(100, round(100 * part / whole))) if whole else 0


def percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def instant(at: datetime) -> str:
    return date_format(timezone.localtime(at), "Y-m-d H:i:s")


def ago(now: datetime, at: datetime) -> str:
    seconds = max(0, int((now - at).total_seconds()))
    if seconds < 120:
        return _("%(count)s s ago") % {"count": seconds}
    if seconds < 7200:
        return _("%(count)s min ago") % {"count": seconds // 60}
    return _("%(count)s h ago") % {"count": seconds // 3600}


def in_this_language(zh: str, en: str) -> str:
    return zh if (get_language() or "").startswith("zh") else en


def sentence(stored: Any) -> str:
    """A Sentence as a row keeps it."""
    return str(said(msgspec.convert(stored, Sentence)))
