"""What a campaign has to offer: kinds of card and sources, and the codes that were printed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fortunes.models import BilingualName, Campaign, DatabaseNow


class CardKind(BilingualName):
    """A kind of card. Weights and caps live in the Rulebook, keyed by the slug; here is identity and art."""

    class Role(models.TextChoices):
        FORTUNE = "fortune", _("fortune")
        WILD = "wild", _("wild")
        STEAL = "steal", _("steal")
        COPY = "copy", _("copy")

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_index=False, related_name="kinds")
    ordinal = models.PositiveSmallIntegerField(_("number"))
    slug = models.SlugField(_("slug"), max_length=32)
    role = models.CharField(_("role"), max_length=8, choices=Role, default=Role.FORTUNE)
    glyph = models.CharField(_("glyph"), max_length=4, help_text=_("The character on the card's face."))
    colour = models.CharField(_("colour"), max_length=7, help_text=_("As #rrggbb."))

    class Meta:
        verbose_name = _("card kind")
        verbose_name_plural = _("card kinds")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "ordinal"], name="kind_ordinal"),
            models.UniqueConstraint(fields=["campaign", "slug"], name="kind_slug"),
        ]


class Source(BilingualName):
    """Where scans come from; each source has its own quotas in the Rulebook."""

    class Type(models.TextChoices):
        CODE = "code", _("signed code")
        CHECK_IN = "check-in", _("daily check-in")
        INVITATION = "invitation", _("invitation")
        SUPPORT = "support", _("support")

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_index=False, related_name="sources")
    ordinal = models.PositiveSmallIntegerField(_("number"))
    slug = models.SlugField(_("slug"), max_length=32)
    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.CODE)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "ordinal"], name="source_ordinal"),
            models.UniqueConstraint(fields=["campaign", "slug"], name="source_slug"),
            # A check-in names no source, so there is one of each type but codes.
            models.UniqueConstraint(fields=["campaign", "type"], condition=~Q(type="code"), name="source_type_once"),
        ]


class CodeBatch(models.Model):
    """Codes that were printed together, and can be revoked together. The codes themselves are stored nowhere.

    `source` is an ordinal. A code carries its batch's `number`, and counts only while that batch is known and not
    revoked.
    """

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("campaign")
    )
    number = models.PositiveIntegerField(_("number"))
    source = models.PositiveSmallIntegerField(_("source"))
    count = models.BigIntegerField(_("codes"))
    expires_at = models.DateTimeField(_("good until"))
    printed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("printed by"),
    )
    printed_at = models.DateTimeField(_("printed"), db_default=DatabaseNow())
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("revoked by"),
    )

    class Meta:
        verbose_name = _("batch of codes")
        verbose_name_plural = _("batches of codes")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="batch_number"),
            models.CheckConstraint(name="batch_has_codes", condition=Q(count__gt=0, number__gt=0)),
        ]
        permissions = [("revoke_codebatch", _("Can revoke a batch of codes"))]

    def __str__(self) -> str:
        return f"{self.campaign.slug} #{self.number}"
