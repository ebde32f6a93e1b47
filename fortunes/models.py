"""The ground: campaigns, their rulebooks, who takes part, and the feeds of events.

Tables that only grow (`Rulebook`, `Event`, `Broadcast`, `Exclusion`) are append-only for the application's role; see
the migrations.
"""

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
    """One version of a campaign's rules; the one in force is the highest whose time has come. Append-only."""

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


class AuditEntry(models.Model):
    """One thing that staff did, or the system by itself, in a chain of hashes; see `fortunes.audit`. Append-only.

    `hash` covers the entry and the hash of the one before. `data` holds ids, enums and numbers.
    """

    seq = models.BigIntegerField(_("number"), primary_key=True)
    at = models.DateTimeField(_("at"))
    # Null where nobody asked for it: the system did what was due.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, null=True, related_name="+", verbose_name=_("by")
    )
    action = models.CharField(_("action"), max_length=48)
    subject = models.CharField(_("what"), max_length=48)
    subject_id = models.BigIntegerField(_("its id"), null=True)
    data = models.JSONField(_("data"))
    hash = models.BinaryField(_("hash"), max_length=32)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit")
        indexes = [models.Index(fields=["subject", "subject_id", "seq"], name="audit_of_subject")]


class IdempotencyKey(models.Model):
    """The first answer to a write, kept 48 hours under the key that the client chose; see `fortunes.keys`."""

    player = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    route = models.CharField(max_length=40)
    key = models.CharField(max_length=64)
    body_hash = models.BinaryField(max_length=32)
    result = models.TextField(null=True)
    at = models.DateTimeField(db_default=DatabaseNow())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["player", "route", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["at"], name="idempotency_key_at")]


class Job(models.Model):
    """How a job of beat's schedule is doing. Rows are written beside the work, so they are news and no proof.

    `interval_s` is null for a job that is no longer in the schedule.
    """

    name = models.CharField(_("name"), max_length=80, primary_key=True)
    interval_s = models.FloatField(_("every so many seconds"), null=True)
    known_since = models.DateTimeField(_("known since"), db_default=DatabaseNow())
    rung_at = models.DateTimeField(_("last rung for"), null=True)
    started_at = models.DateTimeField(_("last started"), null=True)
    finished_at = models.DateTimeField(_("last done"), null=True)
    failures = models.IntegerField(_("failures in a row"), db_default=0)
    last_error = models.CharField(_("last error"), max_length=500, db_default="")

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        permissions = [("operate_jobs", _("Can run jobs again and handle dead letters"))]

    def __str__(self) -> str:
        return self.name


class Process(models.Model):
    """A running process by its last sign of life."""

    class Kind(models.TextChoices):
        WEB = "web", _("web")
        WORKER = "worker", _("worker")
        BEAT = "beat", _("beat")

    name = models.CharField(_("name"), max_length=120, primary_key=True)
    kind = models.CharField(_("kind of process"), max_length=8, choices=Kind)
    seen_at = models.DateTimeField(_("last seen"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")

    def __str__(self) -> str:
        return self.name


class DeadLetter(models.Model):
    """One subject of a job that was given up, until a person revives or dismisses it; see `fortunes.deadletters`."""

    class Outcome(models.TextChoices):
        REVIVED = "revived", _("revived")
        DISMISSED = "dismissed", _("dismissed")

    job = models.CharField(_("job"), max_length=80)
    subject_id = models.BigIntegerField(_("its id"))
    error = models.CharField(_("error"), max_length=500)
    buried_at = models.DateTimeField(_("given up"), db_default=DatabaseNow())
    outcome = models.CharField(_("outcome"), max_length=9, choices=Outcome, null=True)
    decided_at = models.DateTimeField(_("decided"), null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("by")
    )

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        constraints = [
            models.UniqueConstraint(
                fields=["job", "subject_id"], condition=Q(outcome=None), name="dead_letter_open_once"
            ),
            models.CheckConstraint(
                name="dead_letter_decided",
                condition=Q(outcome=None, decided_at=None, decided_by=None)
                | Q(outcome__isnull=False, decided_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.subject_id}"
