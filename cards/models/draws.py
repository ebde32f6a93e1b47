"""Draws, the stock that capped ones come from, and what follows from them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fortunes.models import Campaign, DatabaseNow


class StockTranche(models.Model):
    """A slice of a capped kind's units, released together at `available_at`; planned at the opening."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_index=False, related_name="+")
    kind = models.PositiveSmallIntegerField(_("kind"))
    number = models.PositiveSmallIntegerField(_("number"))
    first_serial = models.BigIntegerField(_("first serial"))
    units = models.BigIntegerField(_("units"))
    available_at = models.DateTimeField(_("available from"))
    released_at = models.DateTimeField(_("released"), null=True)

    class Meta:
        verbose_name = _("stock tranche")
        verbose_name_plural = _("stock tranches")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "kind", "number"], name="tranche_once"),
            models.CheckConstraint(name="tranche_has_units", condition=Q(units__gt=0)),
        ]
        indexes = [models.Index(fields=["available_at"], condition=Q(released_at=None), name="tranche_waiting")]


class Stock(models.Model):
    """One unit of a capped kind that can still be drawn. A draw deletes it and carries its serial from then on."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    kind = models.PositiveSmallIntegerField(_("kind"))
    serial = models.BigIntegerField(_("serial"))
    available_at = models.DateTimeField(_("available from"))

    class Meta:
        verbose_name = _("unit in stock")
        verbose_name_plural = _("units in stock")
        constraints = [models.UniqueConstraint(fields=["campaign", "kind", "serial"], name="stock_serial")]


class Draw(models.Model):
    """A redeemed scan and its card: the used code, the idempotency record and the mint in one row. Append-only.

    `wish` is what the roll asked for and `kind` what was given (the alternative when the wish was exhausted); `serial`
    is the unit's number where the kind is capped. `hand_after` to `hand_version` are what the first answer said, for
    its replays.
    """

    public_id = models.UUIDField(db_default=RandomUUID(), editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    player = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")
    source = models.PositiveSmallIntegerField(_("source"))
    nonce = models.BinaryField(_("nonce"), max_length=16)
    key = models.CharField(_("idempotency key"), max_length=64)
    body_hash = models.BinaryField(max_length=32)
    rulebook_version = models.PositiveIntegerField(_("rulebook"))
    wish = models.PositiveSmallIntegerField(_("wish"))
    kind = models.PositiveSmallIntegerField(_("kind"))
    serial = models.BigIntegerField(_("serial"), null=True)
    hand_after = ArrayField(models.SmallIntegerField())
    escrow_after = ArrayField(models.SmallIntegerField())
    used_today_after = models.SmallIntegerField()
    used_after = models.SmallIntegerField()
    hand_version = models.BigIntegerField()
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("draw")
        verbose_name_plural = _("draws")
        constraints = [
            # A code is nobody's own, so no player in this one.
            models.UniqueConstraint(fields=["campaign", "source", "nonce"], name="draw_nonce_once"),
            models.UniqueConstraint(fields=["player", "campaign", "key"], name="draw_key_once"),
            models.UniqueConstraint(
                fields=["campaign", "kind", "serial"], condition=Q(serial__isnull=False), name="draw_serial_once"
            ),
        ]


class DrawReader(models.Model):
    """How far a reader of the draws has come: all up to `last_id` are worked in (see `cards.drawlog`)."""

    name = models.CharField(max_length=32, primary_key=True)
    last_id = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(db_default=DatabaseNow())


class DrawCount(models.Model):
    """How many draws a campaign had in one minute, by source and kind; a worker counts them."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    minute = models.DateTimeField(_("minute"))
    source = models.PositiveSmallIntegerField(_("source"))
    kind = models.PositiveSmallIntegerField(_("kind"))
    draws = models.BigIntegerField(_("draws"))

    class Meta:
        verbose_name = _("draws in a minute")
        verbose_name_plural = _("draws by minute")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "minute", "source", "kind"], name="draw_count_once"),
        ]


class DrawTotal(models.Model):
    """The sum of a campaign's DrawCounts, by source and kind; written with them."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    source = models.PositiveSmallIntegerField(_("source"))
    kind = models.PositiveSmallIntegerField(_("kind"))
    draws = models.BigIntegerField(_("draws"))

    class Meta:
        verbose_name = _("draws in all")
        verbose_name_plural = _("draws in all")
        constraints = [models.UniqueConstraint(fields=["campaign", "source", "kind"], name="draw_total_once")]


class SupportReason(models.TextChoices):
    """Why support gives an extra draw."""

    FAULT = "fault", _("a fault of ours")
    LOST_CODE = "lost-code", _("a code that could not be used")
    GOODWILL = "goodwill", _("goodwill")


class InvitationCredit(models.Model):
    """What an inviter gets for a player who came by their invitation and has now drawn a first card by themselves.

    A row is made once that draw was found; while it waits, a worker looks at it again at `due_at`. `draw` is the
    public id of the inviter's draw.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        CREDITED = "credited", _("credited")
        REFUSED = "refused", _("refused, the inviter's quota is used up")
        CLOSED = "closed", _("closed by the deadline")

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    # No foreign key from one player's row to another player.
    invited = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    inviter = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    state = models.CharField(_("state"), max_length=8, choices=State)
    scanned_at = models.DateTimeField(_("first draw"))
    due_at = models.DateTimeField(_("looked at from"), null=True)
    draw = models.UUIDField(_("draw"), null=True)
    decided_at = models.DateTimeField(_("decided"), null=True)

    class Meta:
        verbose_name = _("credit for an invitation")
        verbose_name_plural = _("credits for invitations")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "invited"], name="credit_once"),
            models.CheckConstraint(name="credit_not_to_oneself", condition=~Q(inviter=F("invited"))),
            models.CheckConstraint(
                name="credit_waits_or_is_decided",
                condition=Q(state="waiting", due_at__isnull=False, decided_at=None, draw=None)
                | Q(state="credited", due_at=None, decided_at__isnull=False, draw__isnull=False)
                | Q(state__in=["refused", "closed"], due_at=None, decided_at__isnull=False, draw=None),
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="waiting"), name="credit_waiting")]
