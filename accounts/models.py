"""Players, their refresh families and their friendships."""

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
        ]
        # The few among the many, whom the admin lists.
        indexes = [
            models.Index(fields=["id"], condition=Q(is_staff=True), name="player_staff"),
            models.Index(fields=["id"], condition=Q(is_active=False), name="player_shut_out"),
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
                name="friendship_state", condition=Q(state__in=["asking", "asked", "friends", "blocked", "barred"])
            ),
        ]
        indexes = [models.Index(fields=["player", "id"], name="friendship_of_player")]
