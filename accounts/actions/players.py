"""Players come in."""

from __future__ import annotations

import uuid

from django.contrib.auth import hashers, password_validation
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import answers, errors, names
from accounts.actions import sessions
from accounts.models import Player
from fortunes import sql


def sign_up(*, username: str, password: str, nickname: str = "") -> answers.SessionAnswer:
    """A new player, signed in. Raises InvalidUsername, InvalidNickname, PasswordRefused or UsernameTaken."""
    username, nickname = names.normalise_username(username), names.normalise_nickname(nickname)
    if not names.is_username(username):
        raise errors.InvalidUsername(errors=_field("username", "invalid", errors.InvalidUsername.title))
    if not names.is_nickname(nickname):
        raise errors.InvalidNickname(errors=_field("nickname", "invalid", errors.InvalidNickname.title))
    _check_password(password, Player(username=username, nickname=nickname))
    # Slow on purpose, so before the transaction.
    stored = hashers.make_password(password)
    with transaction.atomic(durable=True):
        fields = {"public_id": uuid.uuid4(), "username": username, "nickname": nickname, "password": stored}
        rows = sql.fetch(sql.text("accounts", "sign_up"), fields)
        if not rows:
            raise errors.UsernameTaken(errors=_field("username", "taken", errors.UsernameTaken.title))
        return sessions.begin(Player.objects.get(pk=rows[0].id))


def _check_password(password: str, player: Player) -> None:
    try:
        password_validation.validate_password(password, player)
    except ValidationError as refused:
        found = [problem for item in refused.error_list for problem in _field("password", item.code, item.messages[0])]
        raise errors.PasswordRefused(errors=found) from refused


def _field(name: str, code: str | None, detail: object) -> list[dict[str, str]]:
    return [{"pointer": f"/{name}", "code": code or "invalid", "detail": str(detail)}]
