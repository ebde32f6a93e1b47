"""Players, how they sign in, and their friendships."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.befriending import Side
from fortunes.models import DatabaseNow

FRIEND_LIMIT = 200


class PlayerManager(BaseUserManager["Player"]):
    """What Django's own commands and the admin's sign-in call; players come in by `actions.players.sign_up`."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> Player:
        player = self.model(username=names.normalise_username(username), **fields)
        player.set_password(password)
        player.save(using=self._db, force_insert=True)
        return player

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> Player:
        return self.create_user(username, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> Player:
        return self.get(username=names.normalise_username(username or ""))


class Player(AbstractBaseUser, PermissionsMixin):
    """A person who plays, or works here.

    The row is also the lock on all of its player's friendships (accounts/locks.py). `nickname` is the person's own
    word: it is shown to others from here only and never copied, so it can be erased.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    username = models.CharField(
        _("username"), max_length=30, unique=True, help_text=_("3 to 30 of a-z, 0-9, dot, dash and underscore.")
    )
    nickname = models.CharField(_("nickname"), max_length=names.NICKNAME_LENGTH, blank=True)
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May sign in to the admin."))
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Untick to shut a player out."))
    erased_at = models.DateTimeField(_("erased"), null=True, editable=False)
    joined_at = models.DateTimeField(_("joined"), db_default=DatabaseNow(), editable=False)
    friend_count = models.SmallIntegerField(_("friends"), default=0, editable=False)

    # Django would stamp it with the host's wall clock at each sign-in to the admin.
    last_login = None

    objects: ClassVar[PlayerManager] = PlayerManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("player")
        verbose_name_plural = _("players")
        constraints = [
            models.CheckConstraint(
                name="player_username_spelling", condition=Q(username__regex=names.USERNAME_PATTERN)
            ),
            models.CheckConstraint(
                name="player_friend_limit", condition=Q(friend_count__gte=0, friend_count__lte=FRIEND_LIMIT)
            ),
            # Nobody comes back from an erasure: whoever plays again is a new player.
            models.CheckConstraint(name="player_erased_for_good", condition=Q(erased_at=None) | Q(is_active=False)),
        ]
        # The few among the many, whom the admin lists.
        indexes = [
            models.Index(fields=["id"], condition=Q(is_staff=True), name="player_staff"),
            models.Index(fields=["id"], condition=Q(is_active=False), name="player_shut_out"),
        ]
        permissions = [
            ("ban_player", _("Can shut players out and let them in again")),
            ("support_player", _("Can look players up and help them")),
        ]

    @classmethod
    def normalize_username(cls, username: str) -> str:
        return names.normalise_username(username)

    def get_full_name(self) -> str:
        return self.nickname or self.username

    def get_short_name(self) -> str:
        return self.nickname or self.username


class RefreshFamily(models.Model):
    """One sign-in on one device: a chain of refresh tokens of which only the newest is good.

    `token_hash` is the SHA-256 of the newest; the tokens themselves are kept nowhere.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    player = models.ForeignKey(Player, models.CASCADE, related_name="+")
    token_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(_("signed in"), db_default=DatabaseNow())
    refreshed_at = models.DateTimeField(_("refreshed"), db_default=DatabaseNow())
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    class Meta:
        verbose_name = _("refresh family")
        verbose_name_plural = _("refresh families")
        constraints = [
            models.CheckConstraint(name="refresh_family_expires_later", condition=Q(expires_at__gt=F("refreshed_at"))),
        ]
        indexes = [models.Index(fields=["expires_at"], name="refresh_family_expiry")]


class Phone(models.Model):
    """A player's phone number: sealed (accounts/sealing.py), and as a keyed hash by which it is found.

    The hash belongs to nobody's row but this, so one number signs in one player.
    """

    player = models.OneToOneField(Player, models.CASCADE, primary_key=True, related_name="+")
    number_hash = models.BinaryField(max_length=32, unique=True)
    hash_key_id = models.CharField(max_length=32)
    sealed = models.BinaryField()
    seal_key_id = models.CharField(max_length=32)
    verified_at = models.DateTimeField(_("verified"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("phone")
        verbose_name_plural = _("phones")


class PhoneCode(models.Model):
    """The newest one-time code of a phone number, whether a player has that number or not.

    One row a number: asking again overwrites the code, and the row counts how often was asked and how often was tried.
    """

    number_hash = models.BinaryField(max_length=32, unique=True)
    code_hash = models.BinaryField(max_length=32)
    key_id = models.CharField(max_length=32)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    tries = models.SmallIntegerField(db_default=0)
    day_began_at = models.DateTimeField()
    asked_today = models.SmallIntegerField(db_default=1)

    class Meta:
        indexes = [models.Index(fields=["asked_at"], name="phone_code_asked")]


class Message(models.Model):
    """A text message that is to be sent: the outbox (accounts/actions/messages.py).

    Number and text are sealed together, and erased when it was sent or is worth nothing any more. `next_try_at` is the
    lease too: whoever takes the message puts it beyond the time a try may take.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        REPLACED = "replaced", _("replaced by a newer one")
        EXPIRED = "expired", _("too late")
        GIVEN_UP = "given-up", _("given up")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number_hash = models.BinaryField(max_length=32)
    sealed = models.BinaryField(null=True)
    seal_key_id = models.CharField(max_length=32)
    state = models.CharField(_("state"), max_length=8, choices=State, db_default=State.WAITING)
    attempts = models.SmallIntegerField(_("attempts"), db_default=0)
    next_try_at = models.DateTimeField(_("next try"), db_default=DatabaseNow())
    last_error = models.CharField(_("last error"), max_length=200, db_default="")
    created_at = models.DateTimeField(_("written"), db_default=DatabaseNow())
    expires_at = models.DateTimeField(_("worthless from"))
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        verbose_name = _("text message")
        verbose_name_plural = _("text messages")
        constraints = [
            models.CheckConstraint(
                name="message_state",
                condition=Q(state__in=["waiting", "sent", "replaced", "expired", "given-up"]),
            ),
            # Words are kept while they may have to be sent, and no longer.
            models.CheckConstraint(
                name="message_erased", condition=Q(state__in=["waiting", "given-up"]) | Q(sealed__isnull=True)
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(state="waiting"), name="message_waiting"),
            models.Index(fields=["number_hash"], name="message_number"),
            models.Index(fields=["created_at"], name="message_age"),
        ]


class Lockout(models.Model):
    """How often something was tried that may be tried so often only (accounts/lockouts.py), by a keyed hash of what."""

    subject = models.BinaryField(max_length=32, primary_key=True)
    tries = models.SmallIntegerField()
    ends_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["ends_at"], name="lockout_end")]


class Ban(models.Model):
    """A player was shut out, by whom and why; and when and by whom let in again."""

    class Reason(models.TextChoices):
        FRAUD = "fraud", _("fraud")
        ABUSE = "abuse", _("abuse of others")
        FARM = "farm", _("several accounts of one person")
        REQUEST = "request", _("at the player's own wish")

    player = models.ForeignKey(Player, models.PROTECT, related_name="+")
    by = models.ForeignKey(
        Player, models.PROTECT, db_constraint=False, db_index=False, related_name="+", verbose_name=_("by")
    )
    reason = models.CharField(_("reason"), max_length=8, choices=Reason)
    at = models.DateTimeField(_("at"), db_default=DatabaseNow())
    lifted_at = models.DateTimeField(_("lifted"), null=True)
    lifted_by = models.ForeignKey(
        Player,
        models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("lifted by"),
    )

    class Meta:
        verbose_name = _("ban")
        verbose_name_plural = _("bans")
        constraints = [
            models.UniqueConstraint(fields=["player"], condition=Q(lifted_at=None), name="ban_in_force_once"),
            models.CheckConstraint(name="ban_reason", condition=Q(reason__in=["fraud", "abuse", "farm", "request"])),
            models.CheckConstraint(
                name="ban_lifted_by_somebody",
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
            ),
        ]


class Friendship(models.Model):
    """How one player stands to another, from the one's side (accounts/befriending.py); the other's is a second row.

    Strangers have no rows. Rows change in pairs, under the locks of both players, so one of them says it all.
    """

    class State(models.TextChoices):
        ASKING = Side.ASKING.value, _("has asked")
        ASKED = Side.ASKED.value, _("was asked")
        FRIENDS = Side.FRIENDS.value, _("friends")
        BLOCKED = Side.BLOCKED.value, _("has blocked")
        BARRED = Side.BARRED.value, _("was blocked")
        MUTUAL = Side.MUTUAL.value, _("each has blocked the other")

    player = models.ForeignKey(Player, models.PROTECT, db_index=False, related_name="+")
    # No foreign key from one player's row to another player.
    friend = models.ForeignKey(Player, models.PROTECT, db_constraint=False, related_name="+")
    state = models.CharField(_("state"), max_length=7, choices=State)
    since = models.DateTimeField(_("since"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("friendship")
        verbose_name_plural = _("friendships")
        constraints = [
            models.UniqueConstraint(fields=["player", "friend"], name="friendship_once"),
            models.CheckConstraint(name="friendship_with_another", condition=~Q(player=F("friend"))),
            models.CheckConstraint(
                name="friendship_state",
                condition=Q(state__in=["asking", "asked", "friends", "blocked", "barred", "mutual"]),
            ),
        ]
        indexes = [models.Index(fields=["player", "id"], name="friendship_of_player")]


class FederatedIdentity(models.Model):
    """A player is a user of a host app: `subject` is the number or name by which that app knows them.

    It is the host's own word for a person, kept as it is so that a support case can be followed there; it goes with the
    player's other words when they are erased.
    """

    player = models.ForeignKey(Player, models.CASCADE, related_name="+")
    issuer = models.CharField(_("host app"), max_length=32)
    subject = models.CharField(_("known there as"), max_length=255)
    created_at = models.DateTimeField(_("first signed in"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("federated identity")
        verbose_name_plural = _("federated identities")
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="federated_identity_once")]


class SpentToken(models.Model):
    """A host app's token that has signed its user in, by the SHA-256 of what was signed, until it expires."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="spent_token_expiry")]


class InvitationLink(models.Model):
    """A link that a player spreads: whoever follows it becomes their friend. One for each channel."""

    player = models.ForeignKey(Player, models.PROTECT, db_index=False, related_name="+")
    code = models.CharField(_("invitation code"), max_length=16)
    channel = models.CharField(_("channel"), max_length=32, blank=True, db_default="")
    created_at = models.DateTimeField(_("created"), db_default=DatabaseNow())
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    opens = models.IntegerField(_("times opened"), db_default=0)
    acceptances = models.IntegerField(_("times accepted"), db_default=0)

    class Meta:
        verbose_name = _("invitation link")
        verbose_name_plural = _("invitation links")
        constraints = [
            # A code is nobody's own, so no player in this one.
            models.UniqueConstraint(fields=["code"], name="invitation_code_once"),
            models.UniqueConstraint(
                fields=["player", "channel"], condition=Q(revoked_at=None), name="invitation_channel_once"
            ),
        ]
        indexes = [models.Index(fields=["player", "id"], name="invitation_of_player")]


class Referral(models.Model):
    """A player came in by another's invitation. Written with the player's own row, so there is one at most."""

    invited = models.OneToOneField(Player, models.PROTECT, primary_key=True, related_name="+")
    # No foreign keys from one player's row to another player's.
    inviter = models.ForeignKey(Player, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    link = models.ForeignKey(InvitationLink, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    at = models.DateTimeField(_("at"), db_default=DatabaseNow())

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        constraints = [models.CheckConstraint(name="referral_of_another", condition=~Q(invited=F("inviter")))]
        indexes = [models.Index(fields=["inviter", "invited"], name="referral_of_inviter")]
