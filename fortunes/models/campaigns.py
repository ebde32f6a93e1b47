"""Campaigns, their rulebooks and who takes part."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from fortunes import phases


class DatabaseNow(models.Func):
    """`fortunes_clock()`: the database's clock, which tests can shift. Never `now()`, the transaction's start."""

    function = "fortunes_clock"
    template = "%(function)s()"
    output_field = models.DateTimeField()


class BilingualName(models.Model):
    """A name in both languages of the product."""

    name_zh = models.CharField(_("name (Chinese)"), max_length=64)
    name_en = models.CharField(_("name (English)"), max_length=64)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name_zh if (get_language() or "").startswith("zh") else self.name_en


class Campaign(BilingualName):
    """One season. Its phase follows from its timestamps and completed steps, see `fortunes.phases`."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(_("slug"), max_length=50, unique=True, help_text=_("In the address of its pages."))
    tz = models.CharField(_("time zone"), max_length=64, help_text=_("Quota days begin at midnight here."))
    opens_at = models.DateTimeField(_("live from"))
    closes_at = models.DateTimeField(_("deadline"))
    reveal_at = models.DateTimeField(_("packets open from"))
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True, editable=False)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("opened by"),
    )
    frozen_at = models.DateTimeField(_("frozen"), null=True, blank=True, editable=False)
    settling_at = models.DateTimeField(_("settling since"), null=True, blank=True, editable=False)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True, editable=False)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)
    draw_key_id = models.CharField(max_length=32, editable=False)
    draw_commitment = models.BinaryField(
        _("commitment to the draw secret"), max_length=32, help_text=_("SHA-256 of the secret.")
    )
    draw_secret = models.BinaryField(_("draw secret, published after the seal"), max_length=32, null=True)
    created_at = models.DateTimeField(db_default=DatabaseNow(), editable=False)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints = [
            models.CheckConstraint(
                name="campaign_instants_in_order",
                condition=Q(opens_at__lt=F("closes_at"), closes_at__lte=F("reveal_at")),
            ),
            models.CheckConstraint(
                name="campaign_steps_in_order",
                condition=(Q(frozen_at=None) | Q(opened_at__isnull=False, frozen_at__gte=F("closes_at")))
                & (Q(settling_at=None) | Q(frozen_at__isnull=False))
                & (Q(settled_at=None) | Q(settling_at__isnull=False))
                & (Q(archived_at=None) | Q(settled_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="campaign_secret_after_the_seal",
                condition=Q(draw_secret=None) | Q(settled_at__isnull=False),
            ),
        ]

    @property
    def timeline(self) -> phases.Timeline:
        return phases.Timeline(
            opens_at=self.opens_at,
            closes_at=self.closes_at,
            opened_at=self.opened_at,
            frozen_at=self.frozen_at,
            settling_at=self.settling_at,
            settled_at=self.settled_at,
            archived_at=self.archived_at,
        )

    def phase(self, now: datetime) -> phases.Phase:
        """The phase at `now`, an instant of the database's clock (`fortunes.clock.now()`)."""
        return phases.phase_at(self.timeline, now)


class Rulebook(models.Model):
    """One version of a campaign's rules; the one in force is the highest whose time has come. Append-only.

    `changes` says what is other than in the version before: a list of {path, before, after} with JSON Pointers. Where
    it was voted for, `proposal` is that vote; where it had been announced, `amendment` is the announcement.
    """

    class Reason(models.TextChoices):
        START = "start", _("start")
        STAFF = "staff", _("staff")
        VOTE = "vote", _("vote")

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_index=False, related_name="rulebooks")
    version = models.PositiveIntegerField(_("version"))
    rules = models.JSONField(_("rules"))
    reason = models.CharField(_("reason"), max_length=8, choices=Reason)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    in_force_at = models.DateTimeField(_("in force from"), db_default=DatabaseNow())
    changes = models.JSONField(_("changes"), default=list, db_default=[])
    proposal = models.ForeignKey(
        "fortunes.Proposal", models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("proposal")
    )
    amendment = models.ForeignKey(
        "fortunes.Amendment",
        models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("announcement"),
    )

    class Meta:
        verbose_name = _("rulebook")
        verbose_name_plural = _("rulebooks")
        constraints = [models.UniqueConstraint(fields=["campaign", "version"], name="rulebook_version")]

    def __str__(self) -> str:
        return f"v{self.version}"


class Membership(models.Model):
    """A player takes part in a campaign, from their first action in it."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, related_name="+")
    player = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")
    joined_at = models.DateTimeField(_("joined"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["player", "campaign"], name="membership_once")]


class Exclusion(models.Model):
    """A player who is not counted among a campaign's winners, with the reason. Append-only.

    The database stamps `at` under the gate (`fortunes/sql/functions/stamp_exclusion.sql`); what is later than the
    freeze doesn't count. Write it first in its transaction, and commit soon: the freeze waits for it.
    """

    class Reason(models.TextChoices):
        BANNED = "banned", _("banned")
        FRAUD = "fraud", _("fraud")
        STAFF = "staff", _("employee of the organiser")

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    player = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.CharField(_("reason"), max_length=8, choices=Reason)
    at = models.DateTimeField(_("at"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("exclusion")
        verbose_name_plural = _("exclusions")
        constraints = [models.UniqueConstraint(fields=["campaign", "player"], name="exclusion_once")]
