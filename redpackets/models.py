"""Money: pools, the settlement that splits one, payouts, and the ledger with its wallets.

`LedgerEntry` and `Payout` are append-only, for the table's owner too. All amounts are integer fen.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fortunes.models import Campaign, DatabaseNow

# P′ · w must stay under 2⁶³ for weights up to 2²⁴, so that a winner's base is computed in bigint.
POOL_LIMIT_FEN = 2**39
# Hands per chunk. A chunk is one transaction: large enough for set-based speed, small enough to lose little in a crash.
CHUNK_HANDS = 50_000


class AccountKind(models.TextChoices):
    """Whose money: of a campaign's sponsor (owner: the campaign), of a pool, or of a player; or what a sponsor has set
    aside for compensations (owner: the campaign), which the ledger's narrow columns know as goodwill.
    """

    SPONSOR = "sponsor", _("sponsor")
    POOL = "pool", _("pool")
    WALLET = "wallet", _("wallet")
    COMPENSATION = "goodwill", _("compensation")


class LedgerEntry(models.Model):
    """One posting from an account to another: balanced by construction. Append-only; a correction is another entry.

    Accounts are (kind, owner) columns; only wallets cache a balance. The business key says what the posting is for and
    is never used twice: `payout:<pool>:<player>`, `return:<pool>`, and what the funder chose.
    """

    source_kind = models.CharField(_("from"), max_length=8, choices=AccountKind)
    source_owner = models.BigIntegerField(_("from (owner)"))
    destination_kind = models.CharField(_("to"), max_length=8, choices=AccountKind)
    destination_owner = models.BigIntegerField(_("to (owner)"))
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    business_key = models.TextField(_("business key"))
    at = models.DateTimeField(_("at"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        constraints = [
            # Not `unique=True`, which would bring a second index for LIKE.
            models.UniqueConstraint(fields=["business_key"], name="entry_business_key_once"),
            models.CheckConstraint(name="entry_moves_something", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="entry_between_two_accounts",
                condition=~Q(source_kind=F("destination_kind"), source_owner=F("destination_owner")),
            ),
        ]
        indexes = [
            # Both sides of a wallet, and what came into a pool: what is asked for by owner. Pools pay out through the
            # business key, so their other side needs no index in the busiest table.
            models.Index(
                fields=["destination_owner", "id"], condition=Q(destination_kind="wallet"), name="entry_to_wallet"
            ),
            models.Index(fields=["source_owner", "id"], condition=Q(source_kind="wallet"), name="entry_from_wallet"),
            models.Index(fields=["destination_owner"], condition=Q(destination_kind="pool"), name="entry_to_pool"),
        ]

    def __str__(self) -> str:
        return self.business_key


class Wallet(models.Model):
    """A player's balance: a cache of their ledger entries, changed only in the statement that inserts one."""

    # No constraint to the player: crediting is set-based, and a payout's player had a Hand.
    player = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, primary_key=True, related_name="+"
    )
    balance_fen = models.BigIntegerField(_("balance (fen)"))

    class Meta:
        verbose_name = _("wallet")
        verbose_name_plural = _("wallets")
        permissions = [("compensate_player", _("Can compensate players with money"))]
        constraints = [models.CheckConstraint(name="wallet_not_negative", condition=Q(balance_fen__gte=0))]


class CompensationFund(models.Model):
    """What a campaign's sponsor has set aside for compensations, and what was paid of it: a cache of the ledger.

    The row makes payments of one campaign take turns, and its constraint has the last word. `paused_at` says since when
    what was promised by vote waits for more money.
    """

    campaign = models.OneToOneField(Campaign, models.PROTECT, primary_key=True, related_name="+")
    funded_fen = models.BigIntegerField(_("set aside (fen)"))
    paid_fen = models.BigIntegerField(_("paid (fen)"), db_default=0)
    paused_at = models.DateTimeField(_("short of money since"), null=True)

    class Meta:
        verbose_name = _("compensation fund")
        verbose_name_plural = _("compensation funds")
        constraints = [
            models.CheckConstraint(
                name="compensation_fund_not_overspent", condition=Q(paid_fen__gte=0, paid_fen__lte=F("funded_fen"))
            )
        ]

    def __str__(self) -> str:
        return str(self.campaign)


class Pool(models.Model):
    """The money of one campaign; nothing of it changes after the opening. How it is shared is in the rulebook.

    `commitment` is the SHA-256 of the settlement's secret, published beforehand. It is empty until a process that holds
    the settlement keys has stamped it (web processes hold none).
    """

    campaign = models.OneToOneField(Campaign, models.PROTECT, related_name="pool")
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    credit_after_s = models.PositiveIntegerField(
        _("unopened packets are credited after (s)"),
        null=True,
        help_text=_("Seconds after the reveal; 0 is at once, empty is never."),
    )
    key_id = models.CharField(max_length=32, null=True, editable=False)
    commitment = models.BinaryField(_("commitment to the settlement's secret"), max_length=32, null=True)
    created_at = models.DateTimeField(_("created"), db_default=DatabaseNow(), editable=False)

    class Meta:
        verbose_name = _("pool")
        verbose_name_plural = _("pools")
        constraints = [
            models.CheckConstraint(
                name="pool_amount_in_range", condition=Q(amount_fen__gt=0, amount_fen__lt=POOL_LIMIT_FEN)
            ),
            models.CheckConstraint(
                name="pool_commitment_with_its_key",
                condition=Q(key_id=None, commitment=None) | Q(key_id__isnull=False, commitment__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.campaign)


class Settlement(models.Model):
    """The resumable run that splits a pool; `state` names the stage that is due next (docs/money.md).

    Shares: P = `amount_fen`, n = `winners`, m = `minimum_fen`, W = `weight`, P′ = `share_fen`. They are null until
    their stage has run. `jackpots` are the tiers that were drawn, as splitting.Tier, and cost `prizes_fen`. `secret`
    and `manifest` exist from the seal on. `wild_kind` is null where no rule lets wild cards stand for missing ones.
    """

    class State(models.TextChoices):
        FREEZE = "freeze", _("freeze")
        COUNT = "count", _("count")
        WEIGH = "weigh", _("weigh")
        ALLOT = "allot", _("allot")
        POST = "post", _("post")
        SEAL = "seal", _("seal")
        CREDIT = "credit", _("credit")
        DONE = "done", _("done")

    # The states in which the split itself is unfinished.
    SPLITTING: ClassVar = (State.FREEZE, State.COUNT, State.WEIGH, State.ALLOT, State.POST, State.SEAL)

    pool = models.OneToOneField(Pool, models.PROTECT, related_name="settlement")
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.FREEZE)
    due_at = models.DateTimeField(_("due"))
    credit_at = models.DateTimeField(_("credit of unopened packets due"), null=True)
    chunk_hands = models.PositiveIntegerField(_("hands per chunk"), default=CHUNK_HANDS)
    amount_fen = models.BigIntegerField(_("pool (fen)"))
    minimum_fen = models.BigIntegerField(_("minimum (fen)"), default=0)
    frozen_at = models.DateTimeField(_("frozen"), null=True)
    last_player = models.BigIntegerField(_("last player with a hand"), null=True)
    rulebook_version = models.PositiveIntegerField(_("rulebook"), null=True)
    complete_kinds = ArrayField(
        models.PositiveSmallIntegerField(), verbose_name=_("kinds of a complete set"), null=True
    )
    wild_kind = models.PositiveSmallIntegerField(_("card that stands for missing ones"), null=True)
    winners = models.BigIntegerField(_("winners"), null=True)
    weight = models.BigIntegerField(_("sum of weights"), null=True)
    jackpots = models.JSONField(_("jackpots"), default=list, db_default=[])
    prizes_fen = models.BigIntegerField(_("jackpots (fen)"), default=0, db_default=0)
    share_fen = models.BigIntegerField(_("shared by weight (fen)"), null=True)
    returned_fen = models.BigIntegerField(_("returned (fen)"), null=True)
    secret = models.BinaryField(_("secret, published after the seal"), max_length=32, null=True)
    manifest = models.JSONField(_("manifest"), null=True)
    sealed_at = models.DateTimeField(_("sealed"), null=True)
    paused_at = models.DateTimeField(_("paused"), null=True)
    attempts = models.PositiveIntegerField(_("failed attempts at this stage"), default=0)
    last_error = models.TextField(_("last error"), blank=True, default="")

    class Meta:
        verbose_name = _("settlement")
        verbose_name_plural = _("settlements")
        permissions = [("operate_settlement", _("Can pause and resume settlements"))]
        constraints = [
            models.CheckConstraint(
                name="settlement_sealed_whole",
                condition=Q(sealed_at=None, secret=None, manifest=None)
                | Q(
                    sealed_at__isnull=False,
                    secret__isnull=False,
                    manifest__isnull=False,
                    winners__isnull=False,
                    returned_fen__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="settlement_sealed_from_credit_on",
                condition=Q(state__in=["credit", "done"], sealed_at__isnull=False)
                | (~Q(state__in=["credit", "done"]) & Q(sealed_at=None)),
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=~Q(state__in=["credit", "done"]), name="settlement_due"),
            models.Index(fields=["credit_at"], condition=Q(state="credit"), name="settlement_credit_due"),
        ]

    def __str__(self) -> str:
        return str(self.pool)


class SettlementChunk(models.Model):
    """A range of player ids that is counted, posted and credited in one transaction each; claimed with SKIP LOCKED.

    n_k = `winners`, W_k = `weight`, C_k−1 = `weight_before`, A_k = `pot_fen`, R_k = `bonus`, τ_k = (`threshold_h`,
    `threshold_player`): winners up to and including τ_k get one fen more. A stage's columns are null until it has run;
    nothing says "in progress", so a crash only releases the row's lock.
    """

    settlement = models.ForeignKey(Settlement, models.PROTECT, db_index=False, related_name="chunks")
    number = models.PositiveIntegerField(_("number"))
    low = models.BigIntegerField(_("first player"))
    high = models.BigIntegerField(_("last player"))
    winners = models.BigIntegerField(_("winners"), null=True)
    ids_hash = models.BinaryField(_("hash of the winners' ids"), max_length=32, null=True)
    weight = models.BigIntegerField(_("weight"), null=True)
    weight_before = models.BigIntegerField(_("weight of the chunks before"), null=True)
    pot_fen = models.BigIntegerField(_("pot (fen)"), null=True)
    prizes_fen = models.BigIntegerField(_("jackpots (fen)"), default=0, db_default=0)
    bonus = models.BigIntegerField(_("winners with one fen more"), null=True)
    threshold_h = models.BigIntegerField(_("threshold (h)"), null=True)
    threshold_player = models.BigIntegerField(_("threshold (player)"), null=True)
    payouts_hash = models.BinaryField(_("hash of the payouts"), max_length=32, null=True)
    posted_at = models.DateTimeField(_("posted"), null=True)
    credited_at = models.DateTimeField(_("credited"), null=True)
    unopened = models.BigIntegerField(_("unopened packets credited"), null=True)
    unopened_fen = models.BigIntegerField(_("unopened packets credited (fen)"), null=True)

    class Meta:
        verbose_name = _("settlement chunk")
        verbose_name_plural = _("settlement chunks")
        constraints = [
            models.UniqueConstraint(fields=["settlement", "number"], name="chunk_once"),
            models.CheckConstraint(name="chunk_range", condition=Q(low__lte=F("high"))),
            models.CheckConstraint(name="chunk_bonus_in_range", condition=Q(bonus__gte=0, bonus__lte=F("winners"))),
            models.CheckConstraint(
                name="chunk_posted_whole",
                condition=Q(posted_at=None) | Q(bonus__isnull=False, payouts_hash__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["settlement", "number"], condition=Q(posted_at=None), name="chunk_to_post"),
            models.Index(fields=["settlement", "number"], condition=Q(credited_at=None), name="chunk_to_credit"),
        ]


class Contender(models.Model):
    """A winner of a tiered split whose j is so small that they may have drawn a jackpot; forgotten once it is drawn."""

    pk = models.CompositePrimaryKey("settlement", "j", "player")
    settlement = models.ForeignKey(Settlement, models.PROTECT, db_index=False, related_name="contenders")
    j = models.BigIntegerField()
    player = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, related_name="+", db_index=False
    )


class Payout(models.Model):
    """What one winner gets: one row per winner, written once by the settlement. Append-only.

    The money moves when the packet is opened or credited, under the business key `payout:<pool>:<player>`.
    """

    pk = models.CompositePrimaryKey("pool", "player")
    # No constraints: 250,000 rows a second are written from Hands, which have them.
    pool = models.ForeignKey(Pool, models.PROTECT, db_constraint=False, related_name="+", db_index=False)
    player = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_constraint=False, related_name="+", db_index=False
    )
    amount_fen = models.BigIntegerField(_("amount (fen)"))

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        constraints = [models.CheckConstraint(name="payout_not_negative", condition=Q(amount_fen__gte=0))]


class LiveShare(models.Model):
    """How many complete hands a live campaign had at the last count, and what each would get "if it closed now".

    Counted by a worker every now and then, never on a request (actions/shares.py). Null until the first count. One that
    comes too late for the freeze does no harm, since soon after it the settlement's own count is told.
    """

    campaign = models.OneToOneField(Campaign, models.PROTECT, primary_key=True, related_name="+")
    complete = models.BigIntegerField(_("complete sets"), null=True)
    each_fen = models.BigIntegerField(_("each (fen)"), null=True)
    counted_at = models.DateTimeField(_("counted"), null=True)
    took_ms = models.PositiveIntegerField(_("time of the count (ms)"), default=0)
    due_at = models.DateTimeField(_("next count due"), null=True)

    class Meta:
        verbose_name = _("live share")
        verbose_name_plural = _("live shares")
        constraints = [
            models.CheckConstraint(
                name="share_counted_whole",
                condition=Q(complete=None, counted_at=None, each_fen=None)
                | Q(complete__isnull=False, complete=0, counted_at__isnull=False, each_fen=None)
                | Q(complete__gt=0, counted_at__isnull=False, each_fen__isnull=False, each_fen__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return str(self.campaign)


class Packet(models.Model):
    """A payout with the instant at which its money moved: a view for people who look (the admin has no composite keys).

    The id is the business key, which has no index here: look packets up by pool and player.
    """

    id = models.TextField(primary_key=True)
    pool = models.ForeignKey(Pool, models.DO_NOTHING, related_name="+")
    player = models.ForeignKey(settings.AUTH_USER_MODEL, models.DO_NOTHING, related_name="+")
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    opened_at = models.DateTimeField(_("opened or credited"), null=True)

    class Meta:
        managed = False
        db_table = "redpackets_packet"
        verbose_name = _("packet")
        verbose_name_plural = _("packets")
