"""What players hold."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from fortunes.models import Campaign


class NoneNegative(models.Func):
    """True where no element of an array is below zero."""

    template = "(0 <= ALL (%(expressions)s))"
    output_field = models.BooleanField()


class Hand(models.Model):
    """What one player holds in one campaign, and the lock on all of it.

    `counts` and `escrow` are indexed by a kind's ordinal, `used_today` and `used` (scans) by a source's ordinal.
    `used_today` is of the local day `day`. Every change adds one to `version`.

    `completed_at` is since when the set is complete, null while it isn't. `fed_today` counts the cards of others
    that came by trades on the local day `fed_day`. `robbed_at` is when a card was last stolen from here.
    """

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    player = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    counts = ArrayField(models.SmallIntegerField(), verbose_name=_("cards"))
    escrow = ArrayField(models.SmallIntegerField(), verbose_name=_("in escrow"))
    day = models.DateField(_("day"), null=True)
    used_today = ArrayField(models.SmallIntegerField(), verbose_name=_("scans today"))
    used = ArrayField(models.SmallIntegerField(), verbose_name=_("scans"))
    version = models.BigIntegerField(_("version"), default=0)
    completed_at = models.DateTimeField(_("complete since"), null=True)
    fed_day = models.DateField(_("day of gifts"), null=True)
    fed_today = models.SmallIntegerField(_("cards given to them that day"), db_default=0)
    robbed_at = models.DateTimeField(_("robbed"), null=True)

    class Meta:
        verbose_name = _("hand")
        verbose_name_plural = _("hands")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "player"], name="hand_once"),
            models.CheckConstraint(
                name="hand_not_negative",
                condition=NoneNegative("counts") & NoneNegative("escrow"),
            ),
        ]
        permissions = [("compensate_player", _("Can give a player an extra draw"))]
