"""What staff and machines do: the audit, idempotency keys, jobs, processes and dead letters."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fortunes.models.campaigns import DatabaseNow


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
