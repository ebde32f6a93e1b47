"""What the accounts' views read from requests. Spelling and strength are judged by the actions."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from fortunes.rest import StrictSerializer


class Credentials(StrictSerializer):
    """Username and password."""

    username = serializers.CharField(max_length=60)
    password = serializers.CharField(max_length=128, trim_whitespace=False)


class SignUp(Credentials):
    """Username and password, and a nickname in any script."""

    nickname = serializers.CharField(max_length=60, required=False, allow_blank=True)


class Refresh(StrictSerializer):
    """A refresh token."""

    refresh = serializers.CharField(max_length=200)


class Ask(StrictSerializer):
    """Whom to ask: either by `username` or by `player`, the public id."""

    username = serializers.CharField(max_length=60, required=False)
    player = serializers.UUIDField(required=False)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if len(asked) != 1:
            raise serializers.ValidationError(_("Give either a username or a player."), code="one-of")
        return asked
