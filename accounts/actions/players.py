"""Players come in."""

from __future__ import annotations

import secrets
import uuid

from django.contrib.auth import hashers, password_validation
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import answers, errors, hashing, names
from accounts.actions import invitations, sessions
from accounts.models import Player
from fortunes import sql


def sign_up(*, username: str, password: str, nickname: str = "", invitation: str = "") -> answers.SessionAnswer:
    """A new player, signed in, and a friend of the one whose `invitation` (a link's code) brought them.

    Raises InvalidUsername, InvalidNickname, PasswordRefused, UsernameTaken, InvitationNotFound or Busy.
    """
    username, nickname = names.normalise_username(username), names.normalise_nickname(nickname)
    if not names.is_username(username):
        raise errors.InvalidUsername(errors=_field("username", "invalid", errors.InvalidUsername.title))
    _require_nickname(nickname)
    _check_password(password, Player(username=username, nickname=nickname))
    # Slow on purpose, so before the transaction.
    with hashing.place():
        stored = hashers.make_password(password)
    with transaction.atomic(durable=True):
        player = _insert(username, nickname, stored)
        if player is None:
            raise errors.UsernameTaken(errors=_field("username", "taken", errors.UsernameTaken.title))
        session = sessions.begin(player)
        if invitation:
            invitations.refer(player_id=player.pk, code=invitation)
        return session


def arrive(*, nickname: str = "", invitation: str = "") -> Player:
    """A new player who signs in without a password, in the caller's transaction. The username is made up.

    Raises InvalidNickname or InvitationNotFound.
    """
    nickname = names.normalise_nickname(nickname)
    _require_nickname(nickname)
    player = _insert(f"p-{secrets.token_hex(8)}", nickname, hashers.make_password(None))
    if player is None:
        raise RuntimeError("a made-up username was taken")
    if invitation:
        invitations.refer(player_id=player.pk, code=invitation)
    return player


def rename(*, player_id: int, nickname: str) -> answers.MeAnswer:
    """Another nickname; none, if it is empty. Raises InvalidNickname, or TokenInvalid for who was shut out since."""
    nickname = names.normalise_nickname(nickname)
    _require_nickname(nickname)
    with transaction.atomic(durable=True):
        # An access token is remembered for some seconds after its player was erased.
        if not Player.objects.filter(pk=player_id, is_active=True).update(nickname=nickname):
            raise errors.TokenInvalid
        return answers.me(Player.objects.get(pk=player_id))


def _insert(username: str, nickname: str, password: str) -> Player | None:
    """The new player; None if the username is taken."""
    fields = {"public_id": uuid.uuid4(), "username": username, "nickname": nickname, "password": password}
    rows = sql.fetch(sql.text("accounts", "sign_up"), fields)
    return Player.objects.get(pk=rows[0].id) if rows else None


def _require_nickname(nickname: str) -> None:
    if not names.is_nickname(nickname):
        raise errors.InvalidNickname(errors=_field("nickname", "invalid", errors.InvalidNickname.title))


def _check_password(password: str, player: Player) -> None:
    try:
        password_validation.validate_password(password, player)
    except ValidationError as refused:
        found = [problem for item in refused.error_list for problem in _field("password", item.code, item.messages[0])]
        raise errors.PasswordRefused(errors=found) from refused


def _field(name: str, code: str | None, detail: object) -> list[dict[str, str]]:
    return [{"pointer": f"/{name}", "code": code or "invalid", "detail": str(detail)}]
