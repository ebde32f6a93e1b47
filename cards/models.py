"""Cards: kinds, stock, hands, sources, draws and trades.

Kinds and sources are numbered inside a campaign (`ordinal`, from 0); hot tables keep the ordinal, so a Hand is one
array and a Draw is one narrow row. Draws and Transfers are append-only: a Hand is a cache of them and can be rebuilt.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fortunes.models import BilingualName, Campaign, DatabaseNow


class NoneNegative(models.Func):
    """True where no element of an array is below zero."""

    template = "(0 <= ALL (%(expressions)s))"
    output_field = models.BooleanField()


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


class SupportReason(models.TextChoices):
    """Why support gives an extra draw."""

    FAULT = "fault", _("a fault of ours")
    LOST_CODE = "lost-code", _("a code that could not be used")
    GOODWILL = "goodwill", _("goodwill")


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


class Hand(models.Model):
    """What one player holds in one campaign, and the lock on all of it.

    `counts` and `escrow` are indexed by a kind's ordinal, `used_today` and `used` (scans) by a source's ordinal.
    `used_today` is of the local day `day`. Every change adds one to `version`.
    """

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    player = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    counts = ArrayField(models.SmallIntegerField(), verbose_name=_("cards"))
    escrow = ArrayField(models.SmallIntegerField(), verbose_name=_("in escrow"))
    day = models.DateField(_("day"), null=True)
    used_today = ArrayField(models.SmallIntegerField(), verbose_name=_("scans today"))
    used = ArrayField(models.SmallIntegerField(), verbose_name=_("scans"))
    version = models.BigIntegerField(_("version"), default=0)

    class Meta:
        verbose_name = _("hand")
        verbose_name_plural = _("hands")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "player"], name="hand_once"),
            models.CheckConstraint(
                name="hand_not_negative",
                condition=NoneNegative("counts") & NoneNegative("escrow"),
            ),
        ]
        permissions = [("compensate_player", _("Can give a player an extra draw"))]


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


class Trade(models.Model):
    """A gift (gives only), a request (takes only) or a swap (both); see `cards.trading` for the state machine.

    `gives` and `takes` are kind ordinals, one element a card, from the proposer's point of view.
    """

    class Type(models.TextChoices):
        GIFT = "gift", _("gift")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, related_name="+")
    type = models.CharField(_("type"), max_length=8, choices=Type)
    state = models.CharField(_("state"), max_length=9, choices=State)
    proposer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")
    # No foreign key from one player's row to another player.
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, null=True, db_index=False, related_name="+"
    )
    gives = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("gives"))
    takes = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("takes"))
    rulebook_version = models.PositiveIntegerField(_("rulebook"))
    created_at = models.DateTimeField(_("created"), db_default=DatabaseNow())
    closed_at = models.DateTimeField(_("closed"), null=True)

    class Meta:
        verbose_name = _("trade")
        verbose_name_plural = _("trades")
        constraints = [
            models.CheckConstraint(
                name="trade_type_matches_cards",
                condition=Q(type="gift", gives__len__gt=0, takes__len=0),
            ),
            models.CheckConstraint(
                name="trade_closed_or_open",
                condition=Q(state="open", closed_at=None) | (~Q(state="open") & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="trade_not_with_oneself", condition=Q(recipient=None) | ~Q(recipient=F("proposer"))
            ),
        ]
        indexes = [
            models.Index(fields=["proposer", "campaign", "id"], name="trade_of_proposer"),
            models.Index(fields=["recipient", "campaign", "id"], name="trade_of_recipient"),
        ]


class Transfer(models.Model):
    """One card from giver to receiver, or consumed where the receiver is null. Append-only."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, db_constraint=False, related_name="+")
    kind = models.PositiveSmallIntegerField(_("kind"))
    giver = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")
    receiver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, null=True, db_index=False, related_name="+"
    )
    trade = models.ForeignKey(Trade, models.PROTECT, db_index=False, related_name="transfers")
    position = models.PositiveSmallIntegerField(_("position"))
    at = models.DateTimeField(_("at"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        constraints = [
            models.UniqueConstraint(fields=["trade", "position"], name="transfer_once"),
            models.CheckConstraint(name="transfer_not_to_oneself", condition=~Q(receiver=F("giver"))),
        ]
        indexes = [
            models.Index(fields=["giver", "campaign", "id"], name="transfer_of_giver"),
            models.Index(fields=["receiver", "campaign", "id"], name="transfer_of_receiver"),
        ]
