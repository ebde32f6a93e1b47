"""What a change of the rules leaves to be done to cards, and what became of those that it took out of the game."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fortunes.models import Campaign, DatabaseNow


class Aftermath(models.Model):
    """What follows for cards from one version of the rules, done chunk by chunk (`cards.actions.aftermaths`).

    `state` is what is being done, and `last_player` how far: all up to that player's id is done.
    """

    class State(models.TextChoices):
        VOID = "void", _("closing open trades")
        CONVERT = "convert", _("converting cards")
        COMPLETE = "complete", _("looking for complete sets")
        DONE = "done", _("done")

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_index=False, related_name="+")
    version = models.PositiveIntegerField(_("rulebook"))
    state = models.CharField(_("state"), max_length=8, choices=State)
    last_player = models.BigIntegerField(_("done up to player"), db_default=0)
    made_at = models.DateTimeField(_("begun"), db_default=DatabaseNow())
    done_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("aftermath of a change of the rules")
        verbose_name_plural = _("aftermaths of changes of the rules")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "version"], name="aftermath_once"),
            models.CheckConstraint(
                name="aftermath_done_at_its_end",
                condition=Q(state="done", done_at__isnull=False) | (~Q(state="done") & Q(done_at=None)),
            ),
        ]


class Conversion(models.Model):
    """What became of a player's cards of a kind that the rules had removed: `cards` of them were used up.

    For each there is one of `into`, the ordinals of the kinds that were gained; where that was `by_chance`, in the
    order of the rolls (see `cards.draws`). Or money: `fen` in all, in the player's wallet since `paid_at`, which is the
    one column that is ever updated.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    aftermath = models.ForeignKey(Aftermath, models.PROTECT, db_index=False, related_name="conversions")
    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    player = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")
    kind = models.PositiveSmallIntegerField(_("kind"))
    cards = models.PositiveSmallIntegerField(_("cards"))
    into = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("became"))
    fen = models.BigIntegerField(_("amount (fen)"), db_default=0)
    by_chance = models.BooleanField(_("by chance"), db_default=False)
    paid_at = models.DateTimeField(_("paid"), null=True)
    at = models.DateTimeField(_("at"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("conversion of cards")
        verbose_name_plural = _("conversions of cards")
        constraints = [
            models.UniqueConstraint(fields=["aftermath", "kind", "player"], name="conversion_once"),
            models.CheckConstraint(
                name="conversion_into_cards_or_money",
                condition=Q(cards__gt=0)
                & (Q(into__len=F("cards"), fen=0, paid_at=None) | Q(into__len=0, fen__gt=0, by_chance=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["player", "campaign", "id"], name="conversion_of_player"),
            models.Index(fields=["id"], condition=Q(fen__gt=0, paid_at=None), name="conversion_unpaid"),
        ]
