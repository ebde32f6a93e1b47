"""The feeds of events: of each player, and of each campaign."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from fortunes.models.campaigns import Campaign, DatabaseNow


class Feed(models.Model):
    """The counter behind a player's gapless event numbers; the row is also the lock under which they are given.

    `pushes` says that a host app tells the player of events while they are away, and up to `pushed_seq` that is done or
    isn't needed; see `fortunes.pushes`.
    """

    player = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="+")
    seq = models.BigIntegerField(default=0)
    pushes = models.BooleanField(db_default=False)
    pushed_seq = models.BigIntegerField(db_default=0)


class PushDue(models.Model):
    """There are events that a player, who may be away, hasn't been told of: one row, however many events.

    Made and deleted under the lock of the player's feed only.
    """

    player = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, db_constraint=False, related_name="+"
    )
    due_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="push_due_at")]


class Event(models.Model):
    """A past-tense fact addressed to one player, written in the transaction of the fact. Append-only.

    `data` holds ids, enums and numbers, never a person's words.
    """

    player = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    seq = models.BigIntegerField(_("seq"))
    # Null where the fact belongs to no campaign: a friendship, for one.
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, db_constraint=False, null=True, db_index=False, related_name="+"
    )
    type = models.CharField(_("type"), max_length=40)
    data = models.JSONField(_("data"))
    at = models.DateTimeField(_("at"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["player", "seq"], name="event_seq")]


class CampaignFeed(models.Model):
    """The counter behind a campaign's gapless broadcast numbers."""

    campaign = models.OneToOneField(Campaign, models.PROTECT, primary_key=True, related_name="+")
    seq = models.BigIntegerField(default=0)


class Broadcast(models.Model):
    """A past-tense fact addressed to everybody in a campaign. Append-only."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_index=False, related_name="+")
    seq = models.BigIntegerField(_("seq"))
    type = models.CharField(_("type"), max_length=40)
    data = models.JSONField(_("data"))
    at = models.DateTimeField(_("at"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("broadcast")
        verbose_name_plural = _("broadcasts")
        constraints = [models.UniqueConstraint(fields=["campaign", "seq"], name="broadcast_seq")]
