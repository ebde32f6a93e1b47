"""The phases of a campaign as staff read them: a name, and the colour that the theme gives it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from fortunes.phases import Phase

NAMES = {
    Phase.DRAFT: (_("draft"), ""),
    Phase.WARMUP: (_("warm-up"), "info"),
    Phase.LIVE: (_("live"), "success"),
    Phase.FROZEN: (_("frozen"), "warning"),
    Phase.SETTLING: (_("settling"), "warning"),
    Phase.SETTLED: (_("settled"), "info"),
    Phase.ARCHIVED: (_("archived"), ""),
}
