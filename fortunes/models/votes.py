"""How rules change: announcements of changes, proposals that are put to the vote, and the ballots."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from fortunes.models.campaigns import BilingualName, Campaign, DatabaseNow, Rulebook

# Counts of a vote are kept in so many rows an option, by player id modulo this, so that no row is hot.
SHARDS = 64


class Amendment(BilingualName):
    """A change of the rules that is announced for a date. It takes force then, unless a vote strikes it before.

    `changes` is a JSON Merge Patch (RFC 7396) of the rules that are in force by then.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="amendments")
    changes = models.JSONField(_("changes"))
    takes_force_at = models.DateTimeField(_("takes force"))
    announced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("by")
    )
    announced_at = models.DateTimeField(_("announced"), db_default=DatabaseNow())
    applied_at = models.DateTimeField(_("in force since"), null=True)
    struck_at = models.DateTimeField(_("struck"), null=True)
    struck_by = models.ForeignKey(
        "fortunes.Proposal", models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("struck by")
    )
    # Why it could not take force when its time came: a Sentence.
    impossible = models.JSONField(_("impossible"), null=True)

    class Meta:
        verbose_name = _("announced change")
        verbose_name_plural = _("announced changes")
        constraints = [
            models.CheckConstraint(name="amendment_one_end", condition=Q(applied_at=None) | Q(struck_at=None)),
            models.CheckConstraint(
                name="amendment_struck_by_a_vote",
                condition=Q(struck_at=None, struck_by=None) | Q(struck_at__isnull=False, struck_by__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["takes_force_at"], condition=Q(applied_at=None, struck_at=None), name="amendment_due")
        ]


class Proposal(models.Model):
    """A motion that players vote on; its options say what each would change. See `fortunes.voting`.

    `quorum` is the least number of ballots, `threshold_bp` the share of them, in hundredths of a percent, that the
    winner has to exceed. Voters are players who joined the campaign before `opens_at`. What is counted at the close
    stays here: how many were eligible, how many voted, the outcome, and the SHA-256 of all leaves in their order.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        COUNTING = "counting", _("being counted")
        CLOSED = "closed", _("closed")
        CANCELLED = "cancelled", _("cancelled")

    class Outcome(models.TextChoices):
        ADOPTED = "adopted", _("adopted")
        NO_QUORUM = "no-quorum", _("too few ballots")
        BELOW_THRESHOLD = "below-threshold", _("too small a majority")
        TIE = "tie", _("tie")
        # It was adopted, and its changes were not possible any more.
        IMPOSSIBLE = "impossible", _("adopted, but not possible any more")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="proposals")
    question_zh = models.CharField(_("question (Chinese)"), max_length=200)
    question_en = models.CharField(_("question (English)"), max_length=200)
    opens_at = models.DateTimeField(_("opens"))
    closes_at = models.DateTimeField(_("closes"))
    quorum = models.PositiveIntegerField(_("quorum (ballots)"), default=1)
    threshold_bp = models.PositiveIntegerField(_("threshold (hundredths of a percent)"), default=5000)
    may_change = models.BooleanField(_("ballots may be changed"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("drafted by"),
    )
    opened_at = models.DateTimeField(_("opened"), null=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("opened by"),
    )
    counting_at = models.DateTimeField(_("closed for ballots"), null=True)
    closed_at = models.DateTimeField(_("decided"), null=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)
    reason_zh = models.CharField(_("reason of the cancellation (Chinese)"), max_length=200, db_default="")
    reason_en = models.CharField(_("reason of the cancellation (English)"), max_length=200, db_default="")
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome, null=True)
    # Why an adopted change was impossible: a Sentence.
    impossible = models.JSONField(_("impossible"), null=True)
    winner = models.PositiveSmallIntegerField(_("winning option"), null=True)
    eligible = models.BigIntegerField(_("eligible"), null=True)
    cast = models.BigIntegerField(_("ballots cast"), null=True)
    ballots_hash = models.BinaryField(_("hash of the ballots"), max_length=32, null=True)
    created_at = models.DateTimeField(_("drafted"), db_default=DatabaseNow())
    # How often its close has failed; `given_up_at` since when nobody tries any more, until staff revive or cancel it.
    attempts = models.PositiveSmallIntegerField(_("failed attempts"), default=0, db_default=0)
    last_error = models.CharField(_("last error"), max_length=500, default="", db_default="")
    given_up_at = models.DateTimeField(_("given up"), null=True)

    class Meta:
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        permissions = [("run_votes", _("Can open, extend and cancel votes and announce changes of the rules"))]
        constraints = [
            models.CheckConstraint(name="proposal_instants_in_order", condition=Q(opens_at__lt=F("closes_at"))),
            models.CheckConstraint(name="proposal_threshold_in_range", condition=Q(threshold_bp__lt=10_000)),
            models.CheckConstraint(
                name="proposal_steps_with_their_state",
                condition=Q(state="draft", opened_at=None, counting_at=None, closed_at=None, cancelled_at=None)
                | Q(state="open", opened_at__isnull=False, counting_at=None, closed_at=None, cancelled_at=None)
                | Q(state="counting", counting_at__isnull=False, closed_at=None, cancelled_at=None)
                | Q(state="closed", counting_at__isnull=False, closed_at__isnull=False, cancelled_at=None)
                | Q(state="cancelled", closed_at=None, cancelled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="proposal_result_when_closed",
                condition=(
                    Q(state="closed")
                    & Q(outcome__isnull=False, eligible__isnull=False, cast__isnull=False, ballots_hash__isnull=False)
                )
                | (~Q(state="closed") & Q(outcome=None, winner=None)),
            ),
            models.CheckConstraint(
                name="proposal_never_counts_too_early",
                condition=Q(counting_at=None) | Q(counting_at__gte=F("closes_at")),
            ),
        ]
        indexes = [
            models.Index(fields=["closes_at"], condition=Q(state__in=["open", "counting"]), name="proposal_due"),
        ]

    def __str__(self) -> str:
        return self.question_zh if (get_language() or "").startswith("zh") else self.question_en


class Option(BilingualName):
    """One of a proposal's answers, `number` from 1. `changes` is a merge patch of the rules, empty for none.

    `strikes` is an announced change that it prevents. `compensations` say of the role of a special kind that it removes
    what becomes of each card held: {"steal": {"into": "wild" | "fortune" | "fen", "amount_fen": 100}}. `ballots` is the
    count at the close.
    """

    proposal = models.ForeignKey(Proposal, models.PROTECT, db_index=False, related_name="options")
    number = models.PositiveSmallIntegerField(_("number"))
    changes = models.JSONField(_("changes"), default=dict, blank=True)
    strikes = models.ForeignKey(
        Amendment, models.PROTECT, null=True, blank=True, db_index=False, related_name="+",
        verbose_name=_("strikes the announced change"),
    )  # fmt: skip
    compensations = models.JSONField(_("compensations"), default=dict, blank=True)
    ballots = models.BigIntegerField(_("ballots"), null=True)

    class Meta:
        verbose_name = _("option")
        verbose_name_plural = _("options")
        constraints = [models.UniqueConstraint(fields=["proposal", "number"], name="option_once")]


class Ballot(models.Model):
    """One player's vote. `receipt` are 16 random bytes that only the player is told, `leaf` what is published of it:
    SHA-256(proposal's public id, 16 bytes ‖ receipt ‖ option's number, one byte).
    """

    proposal = models.ForeignKey(Proposal, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    player = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="+")
    option = models.PositiveSmallIntegerField(_("option"))
    receipt = models.BinaryField(max_length=16)
    leaf = models.BinaryField(max_length=32)
    at = models.DateTimeField(_("at"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("ballot")
        verbose_name_plural = _("ballots")
        constraints = [models.UniqueConstraint(fields=["player", "proposal"], name="ballot_once")]
        indexes = [models.Index(fields=["proposal", "leaf"], include=["option"], name="ballot_by_leaf")]


class BallotCount(models.Model):
    """How many ballots of one shard of the players are for an option: changed with each ballot, so the sum is exact."""

    pk = models.CompositePrimaryKey("proposal", "option", "shard")
    proposal = models.ForeignKey(Proposal, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    option = models.PositiveSmallIntegerField()
    shard = models.PositiveSmallIntegerField()
    ballots = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(name="ballot_count_not_negative", condition=Q(ballots__gte=0))]


class Compensation(models.Model):
    """What a version of the rules promises for each card held of a kind that it removes. `cards` keeps the promise."""

    class Into(models.TextChoices):
        WILD = "wild", _("a wild card")
        FORTUNE = "fortune", _("a random fortune")
        FEN = "fen", _("money")

    rulebook = models.ForeignKey(Rulebook, models.PROTECT, db_index=False, related_name="compensations")
    role = models.CharField(_("special kind"), max_length=8)
    into = models.CharField(_("becomes"), max_length=8, choices=Into)
    amount_fen = models.BigIntegerField(_("amount (fen)"), null=True)

    class Meta:
        verbose_name = _("promised compensation")
        verbose_name_plural = _("promised compensations")
        constraints = [
            models.UniqueConstraint(fields=["rulebook", "role"], name="compensation_once"),
            models.CheckConstraint(
                name="compensation_amount_of_money",
                condition=Q(into="fen", amount_fen__gt=0) | (~Q(into="fen") & Q(amount_fen=None)),
            ),
        ]
