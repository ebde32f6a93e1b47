"""What the accounts' views read from requests. Spelling and strength are judged by the actions."""

from __future__ import annotations

from datetime import time
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from accounts import invitations, phones, quiet
from fortunes.rest import StrictSerializer


class Credentials(StrictSerializer):
    """Username and password."""

    username = serializers.CharField(max_length=60)
    password = serializers.CharField(max_length=128, trim_whitespace=False)


class SignUp(Credentials):
    """Username and password, a nickname in any script, and the code of an invitation."""

    nickname = serializers.CharField(max_length=60, required=False, allow_blank=True)
    invitation = serializers.CharField(max_length=40, required=False)


class PhoneCode(StrictSerializer):
    """A mobile phone's number, however it is written; without a country's code it is of the installation's region."""

    phone = serializers.CharField(max_length=phones.LONGEST)


class PhoneSignIn(PhoneCode):
    """Number and code. Nickname and invitation count for a player who comes in by it, and for nobody else."""

    code = serializers.CharField(max_length=20)
    nickname = serializers.CharField(max_length=60, required=False, allow_blank=True)
    invitation = serializers.CharField(max_length=40, required=False)


class Renaming(StrictSerializer):
    """A nickname in any script, or none."""

    nickname = serializers.CharField(max_length=60, allow_blank=True)


class Refresh(StrictSerializer):
    """A refresh token."""

    refresh = serializers.CharField(max_length=200)


class Ask(StrictSerializer):
    """Whom to ask: either by `username` or by `player`, the public id."""

    schema = {"minProperties": 1, "maxProperties": 1}

    username = serializers.CharField(max_length=60, required=False)
    player = serializers.UUIDField(required=False)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if len(asked) != 1:
            raise serializers.ValidationError(_("Give either a username or a player."), code="one-of")
        return asked


class FederatedSignIn(StrictSerializer):
    """A host app's token. Nickname and invitation count for a player who comes in by it, and for nobody else."""

    token = serializers.CharField()
    nickname = serializers.CharField(max_length=60, required=False, allow_blank=True)
    invitation = serializers.CharField(max_length=40, required=False)


class Invite(StrictSerializer):
    """Where a link will be spread: a tag of yours, up to 32 of a-z, 0-9, colon, dash and underscore."""

    channel = serializers.RegexField(invitations.CHANNEL_PATTERN, required=False, allow_blank=True)


class Flag(serializers.BooleanField):
    """True or false, and nothing that merely looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class TimeOfDay(serializers.RegexField):
    """A time of day, as in 22:30."""

    def __init__(self, **options: Any) -> None:
        super().__init__(quiet.TIME_PATTERN, **options)

    def run_validation(self, data: Any = serializers.empty) -> time | None:
        text = super().run_validation(data)
        return None if text is None else time.fromisoformat(text)


class Notifications(StrictSerializer):
    """Whether you are told of events while you are away, of which types not, and when not. Null: no quiet hours."""

    enabled = Flag()
    muted = serializers.ListField(child=serializers.CharField(max_length=40), max_length=50)
    quiet_from = TimeOfDay(allow_null=True)
    quiet_to = TimeOfDay(allow_null=True)
    tz = serializers.CharField(max_length=64)


class Erasure(StrictSerializer):
    """That you mean it: your username, and your password if you have one."""

    confirm = serializers.CharField(max_length=60)
    password = serializers.CharField(max_length=128, trim_whitespace=False, required=False)
