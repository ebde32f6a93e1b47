"""What players are told through their host app while they are away, and how they want that."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Player
from fortunes.models import DatabaseNow


class NotificationSettings(models.Model):
    """How a player wants to be told of events while they are away; whoever has no row wants it as it is by default.

    Without quiet hours both are null. They may begin before midnight and end after it.
    """

    player = models.OneToOneField(Player, models.CASCADE, primary_key=True, related_name="+")
    enabled = models.BooleanField(_("told at all"))
    muted = ArrayField(models.CharField(max_length=40), verbose_name=_("types of events that aren't told"))
    quiet_from = models.TimeField(_("quiet from"), null=True)
    quiet_to = models.TimeField(_("quiet until"), null=True)
    tz = models.CharField(_("time zone"), max_length=64)

    class Meta:
        verbose_name = _("notification settings")
        verbose_name_plural = _("notification settings")
        constraints = [
            models.CheckConstraint(
                name="quiet_hours_whole",
                condition=Q(quiet_from=None, quiet_to=None)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False) & ~Q(quiet_from=F("quiet_to")),
            ),
        ]


class Push(models.Model):
    """News of a player for their host app's push service: the outbox (accounts/actions/pushes.py).

    It has no words, only which events it is about: those after `after`, up to `upto`. `next_try_at` is the lease too:
    whoever takes the push puts it beyond the time a try may take.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        DROPPED = "dropped", _("not wanted any more")
        EXPIRED = "expired", _("too late")
        GIVEN_UP = "given-up", _("given up")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    player = models.ForeignKey(Player, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    host = models.CharField(_("host app"), max_length=32)
    after = models.BigIntegerField()
    upto = models.BigIntegerField()
    state = models.CharField(_("state"), max_length=8, choices=State, db_default=State.WAITING)
    attempts = models.SmallIntegerField(_("attempts"), db_default=0)
    next_try_at = models.DateTimeField(_("next try"), db_default=DatabaseNow())
    last_error = models.CharField(_("last error"), max_length=200, db_default="")
    created_at = models.DateTimeField(_("written"), db_default=DatabaseNow())
    expires_at = models.DateTimeField(_("worthless from"))
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        verbose_name = _("push")
        verbose_name_plural = _("pushes")
        constraints = [
            models.CheckConstraint(
                name="push_state", condition=Q(state__in=["waiting", "sent", "dropped", "expired", "given-up"])
            ),
            models.CheckConstraint(name="push_has_events", condition=Q(upto__gt=F("after"))),
        ]
        indexes = [
            models.Index(fields=["host", "next_try_at"], condition=Q(state="waiting"), name="push_waiting"),
            models.Index(fields=["created_at"], name="push_age"),
        ]


class PushHost(models.Model):
    """How it goes with a host app's push service: after failures it is left alone for a while, and then probed."""

    host = models.CharField(_("host app"), max_length=32, primary_key=True)
    failures = models.SmallIntegerField(_("failures in a row"), db_default=0)
    rests_until = models.DateTimeField(_("left alone until"), db_default=DatabaseNow())
    failing_since = models.DateTimeField(_("failing since"), null=True)
    last_error = models.CharField(_("last error"), max_length=200, db_default="")

    class Meta:
        verbose_name = _("push service")
        verbose_name_plural = _("push services")

    def __str__(self) -> str:
        return self.host
