"""Trades between friends, plays of special cards, and every move of a card after its draw."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fortunes.models import Campaign, DatabaseNow


class TradeFits(models.Func):
    """True where the columns of a trade fit together, see `cards/sql/functions/trade_fits.sql`."""

    function = "cards_trade_fits"
    output_field = models.BooleanField()


class Trade(models.Model):
    """A gift (gives only), a request (takes only) or a swap (both); see `cards.trading` for the state machine.

    `gives` and `takes` are kind ordinals, one element a card, from the proposer's point of view. `audience` says who
    may accept: one friend, `recipient` from the start; some friends, the Addressees; or whoever has the ShareLink. Of
    the latter two `recipient` is who did.
    """

    class Type(models.TextChoices):
        GIFT = "gift", _("gift")
        REQUEST = "request", _("request")
        SWAP = "swap", _("swap")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")
        VOIDED = "voided", _("made void by a change of the rules")

    class Audience(models.TextChoices):
        ONE = "one", _("one friend")
        SOME = "some", _("several friends")
        LINK = "link", _("whoever has the link")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, related_name="+")
    type = models.CharField(_("type"), max_length=8, choices=Type)
    state = models.CharField(_("state"), max_length=9, choices=State)
    audience = models.CharField(_("audience"), max_length=4, choices=Audience, db_default="one")
    proposer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")
    # No foreign key from one player's row to another player.
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, null=True, db_index=False, related_name="+"
    )
    gives = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("gives"))
    takes = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("takes"))
    rulebook_version = models.PositiveIntegerField(_("rulebook"))
    created_at = models.DateTimeField(_("created"), db_default=DatabaseNow())
    # Null for a direct gift, which is never open.
    expires_at = models.DateTimeField(_("open until"), null=True)
    closed_at = models.DateTimeField(_("closed"), null=True)

    class Meta:
        verbose_name = _("trade")
        verbose_name_plural = _("trades")
        constraints = [
            models.CheckConstraint(
                name="trade_fits",
                condition=TradeFits(
                    "type", "state", "audience", "recipient", "gives", "takes", "expires_at", "closed_at"
                ),
            ),
            models.CheckConstraint(
                name="trade_not_with_oneself", condition=Q(recipient=None) | ~Q(recipient=F("proposer"))
            ),
        ]
        indexes = [
            models.Index(fields=["proposer", "campaign", "id"], name="trade_of_proposer"),
            models.Index(fields=["recipient", "campaign", "id"], name="trade_of_recipient"),
            # How many a player has open, and what is to be closed next.
            models.Index(fields=["proposer", "campaign"], condition=Q(state="open"), name="trade_open"),
            models.Index(fields=["campaign", "expires_at"], condition=Q(state="open"), name="trade_expiring"),
            # How many a player has proposed today.
            models.Index(
                fields=["proposer", "campaign", "created_at"],
                condition=Q(expires_at__isnull=False),
                name="trade_proposed",
            ),
        ]


class Addressee(models.Model):
    """A friend who is asked by a trade that several are asked by."""

    trade = models.ForeignKey(Trade, models.PROTECT, db_index=False, related_name="addressees")
    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    player = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    declined_at = models.DateTimeField(_("declined"), null=True)

    class Meta:
        verbose_name = _("addressee")
        verbose_name_plural = _("addressees")
        constraints = [models.UniqueConstraint(fields=["trade", "player"], name="addressee_once")]
        indexes = [models.Index(fields=["player", "campaign", "trade"], name="addressee_of_player")]


class TradeNote(models.Model):
    """What the proposer wrote to those who are asked. Of a person's words there is no copy anywhere else."""

    trade = models.OneToOneField(Trade, models.PROTECT, primary_key=True, related_name="note")
    player = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.CharField(_("note"), max_length=140)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")


class ShareLink(models.Model):
    """The link of a trade that a player spreads outside, with its channel and what came of it."""

    trade = models.OneToOneField(Trade, models.PROTECT, primary_key=True, related_name="link")
    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    player = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")
    code = models.CharField(_("code"), max_length=16)
    channel = models.CharField(_("channel"), max_length=32)
    opens = models.BigIntegerField(_("opened"), db_default=0)
    created_at = models.DateTimeField(_("created"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        constraints = [
            models.UniqueConstraint(fields=["code"], name="link_code_once"),
        ]
        indexes = [models.Index(fields=["player", "campaign", "created_at"], name="link_of_player")]

    @property
    def claims(self) -> int:
        """How many have followed it to the end: the first one."""
        return int(self.trade.state == Trade.State.ACCEPTED)


class LinkOpen(models.Model):
    """One look at a link that isn't in its `opens` yet, because another one was being added at that moment.

    Whoever adds the next one takes these along. So thousands may look at one link at once, and none waits for its row.
    """

    link = models.ForeignKey(ShareLink, models.PROTECT, db_constraint=False, related_name="uncounted")

    class Meta:
        verbose_name = _("uncounted look at a link")
        verbose_name_plural = _("uncounted looks at links")


class Play(models.Model):
    """A special card that was played, and the `kind` that its player gained by it. Append-only.

    `friend` is from whom it was stolen or copied. Steals have a `number`, from 1 for each player and campaign; and
    where chance decided, `among` are the kinds from which it chose (see `cards.draws`).
    """

    class Type(models.TextChoices):
        STEAL = "steal", _("steal")
        WILD = "wild", _("wild")
        COPY = "copy", _("copy")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    type = models.CharField(_("type"), max_length=8, choices=Type)
    player = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")
    # No foreign key from one player's row to another player.
    friend = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, null=True, db_index=False, related_name="+"
    )
    kind = models.PositiveSmallIntegerField(_("kind"))
    number = models.PositiveIntegerField(_("number of the steal"), null=True)
    among = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("chosen by chance from"), null=True)
    rulebook_version = models.PositiveIntegerField(_("rulebook"))
    at = models.DateTimeField(_("at"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("play of a special card")
        verbose_name_plural = _("plays of special cards")
        constraints = [
            models.CheckConstraint(
                name="play_has_its_friend",
                condition=Q(type="wild", friend=None) | Q(type__in=["steal", "copy"], friend__isnull=False),
            ),
            models.CheckConstraint(name="play_not_on_oneself", condition=Q(friend=None) | ~Q(friend=F("player"))),
            models.CheckConstraint(
                name="play_steals_are_numbered",
                condition=Q(type="steal", number__gt=0) | (~Q(type="steal") & Q(number=None, among=None)),
            ),
        ]
        indexes = [models.Index(fields=["player", "campaign", "type", "at"], name="play_of_player")]


class Transfer(models.Model):
    """One card from giver to receiver, by a trade, by the play of a special card or by a conversion. Append-only.

    Without a receiver the card was consumed; without a giver it was minted by a play or a conversion.
    """

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, related_name="+")
    kind = models.PositiveSmallIntegerField(_("kind"))
    giver = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, db_index=False, related_name="+")
    receiver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, null=True, db_index=False, related_name="+"
    )
    trade = models.ForeignKey(Trade, models.PROTECT, null=True, db_index=False, related_name="transfers")
    play = models.ForeignKey(
        Play, models.PROTECT, db_constraint=False, null=True, db_index=False, related_name="transfers"
    )
    conversion = models.ForeignKey(
        "cards.Conversion", models.PROTECT, db_constraint=False, null=True, db_index=False, related_name="transfers"
    )
    position = models.PositiveSmallIntegerField(_("position"))
    at = models.DateTimeField(_("at"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        constraints = [
            models.UniqueConstraint(fields=["trade", "position"], name="transfer_once"),
            models.UniqueConstraint(
                fields=["play", "position"], condition=Q(play__isnull=False), name="transfer_of_play_once"
            ),
            models.UniqueConstraint(
                fields=["conversion", "position"],
                condition=Q(conversion__isnull=False),
                name="transfer_of_conversion_once",
            ),
            # A null on either side, which makes the comparison null, is told apart by the next one.
            models.CheckConstraint(name="transfer_not_to_oneself", condition=~Q(receiver=F("giver"))),
            models.CheckConstraint(
                name="transfer_has_one_cause",
                condition=Q(
                    trade__isnull=False, play=None, conversion=None, giver__isnull=False, receiver__isnull=False
                )
                | (
                    (
                        Q(trade=None, play__isnull=False, conversion=None)
                        | Q(trade=None, play=None, conversion__isnull=False)
                    )
                    & (Q(giver__isnull=False) | Q(receiver__isnull=False))
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["giver", "campaign", "id"], name="transfer_of_giver"),
            models.Index(fields=["receiver", "campaign", "id"], name="transfer_of_receiver"),
        ]
