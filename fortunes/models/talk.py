"""What staff tell all players of a campaign, and what is written under a proposal. A person's words: erasable."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from fortunes.models.campaigns import Campaign, DatabaseNow
from fortunes.models.votes import Proposal


class Announcement(models.Model):
    """News from staff to everybody in a campaign, from `publish_at` on; `published_at` is when it was told."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, db_index=False, related_name="announcements")
    title_zh = models.CharField(_("title (Chinese)"), max_length=80)
    title_en = models.CharField(_("title (English)"), max_length=80)
    body_zh = models.TextField(_("text (Chinese)"), max_length=2000)
    body_en = models.TextField(_("text (English)"), max_length=2000)
    pinned = models.BooleanField(_("pinned"), default=False)
    publish_at = models.DateTimeField(_("to be published"))
    published_at = models.DateTimeField(_("published"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("by")
    )

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        permissions = [("publish_announcements", _("Can publish and withdraw announcements"))]
        indexes = [
            models.Index(
                fields=["publish_at"], condition=Q(published_at=None, withdrawn_at=None), name="announcement_due"
            ),
            models.Index(fields=["campaign", "id"], name="announcement_of_campaign"),
        ]

    def __str__(self) -> str:
        return self.title_zh if (get_language() or "").startswith("zh") else self.title_en


class Comment(models.Model):
    """What somebody wrote under a proposal. `by_staff` marks a reply of the organiser, `answers` what it replies to."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    proposal = models.ForeignKey(Proposal, models.PROTECT, db_index=False, related_name="+")
    player = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+", verbose_name=_("by")
    )
    text = models.CharField(_("text"), max_length=500)
    by_staff = models.BooleanField(_("by staff"), db_default=False)
    answers = models.ForeignKey(
        "self", models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("reply to")
    )
    at = models.DateTimeField(_("at"), db_default=DatabaseNow())
    deleted_at = models.DateTimeField(_("deleted by its author"), null=True)
    hidden_at = models.DateTimeField(_("hidden"), null=True)
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("hidden by"),
    )

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        permissions = [("moderate_comments", _("Can hide comments and reply to them"))]
        constraints = [
            # Whose words are taken back has none left here, their player's erasure included.
            models.CheckConstraint(
                name="comment_deleted_with_its_words",
                condition=(Q(deleted_at=None) & ~Q(text="")) | Q(deleted_at__isnull=False, text=""),
            ),
            models.CheckConstraint(
                name="comment_of_staff_is_a_reply",
                condition=Q(by_staff=True, answers__isnull=False) | Q(by_staff=False, answers=None),
            ),
            models.CheckConstraint(
                name="comment_hidden_by_somebody",
                condition=Q(hidden_at=None, hidden_by=None) | Q(hidden_at__isnull=False, hidden_by__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["proposal", "id"], name="comment_of_proposal"),
            models.Index(fields=["player", "at"], name="comment_of_player"),
        ]
