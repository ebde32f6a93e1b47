"""What the cards' views read from requests."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import FRIEND_LIMIT
from cards import codes, links, notes, trading
from cards.models import Trade
from fortunes.rest import StrictSerializer, validated


def _one_of(names: tuple[str, ...]) -> dict[str, Any]:
    """Exactly one of these fields, as OpenAPI says it."""
    return {"oneOf": [{"required": [name]} for name in names]}


class ScanRequest(StrictSerializer):
    """A scanned code as text."""

    code = serializers.CharField(max_length=codes.MAX_CHARACTERS)


class CheckInRequest(StrictSerializer):
    """Nothing: who and when are known."""


class Nothing(StrictSerializer):
    """Nothing: the address says it all."""


@extend_schema_field({"type": "boolean", "enum": [True]})
class Yes(serializers.Field):
    """`true`, and nothing that means it."""

    default_error_messages = {"invalid": _("This is true or is not given at all.")}

    def to_internal_value(self, data: Any) -> bool:
        if data is not True:
            self.fail("invalid")
        return True


def _cards() -> serializers.ListField:
    return serializers.ListField(child=serializers.SlugField(max_length=32), min_length=1, max_length=trading.MAX_CARDS)


def _friends() -> serializers.ListField:
    return serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=FRIEND_LIMIT, required=False)


def _channel() -> serializers.RegexField:
    return serializers.RegexField(links.CHANNEL_PATTERN, required=False)


class _Proposal(StrictSerializer):
    """Cards by slug, one slug a card, and exactly one of the fields that say who may accept."""

    AUDIENCES: ClassVar[tuple[str, ...]]

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        if sum(name in body for name in self.AUDIENCES) != 1:
            raise serializers.ValidationError(
                _("Give exactly one of these: %(names)s.") % {"names": ", ".join(self.AUDIENCES)}, code="one-of"
            )
        return body

    def validate_to_some(self, friends: list[UUID]) -> list[UUID]:
        again: dict[Any, Any] = {
            n: [_("This is here twice.")] for n, friend in enumerate(friends) if friend in friends[:n]
        }
        if again:
            raise serializers.ValidationError(again, code="duplicate")
        return friends

    def validate_note(self, note: str) -> str:
        tidied = notes.tidy(note)
        if not notes.is_note(tidied):
            raise serializers.ValidationError(_("A note is one line of text."))
        return tidied


class GiftProposal(_Proposal):
    """Cards to a friend, at once; or for whoever is the first to follow a `link`. Only then may it have a note."""

    AUDIENCES = ("to", "link")
    schema = _one_of(AUDIENCES)

    type = serializers.ChoiceField([Trade.Type.GIFT.value])
    to = serializers.UUIDField(required=False)
    link = _channel()
    gives = _cards()
    note = serializers.CharField(max_length=notes.LENGTH, required=False, allow_blank=True)

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        if "to" in body and "note" in body:
            raise serializers.ValidationError({"note": [_("A gift at once has no note.")]}, code="not-here")
        return super().validate(body)


class RequestProposal(_Proposal):
    """Cards from a friend, from some, from all of them, or from whoever follows a `link`; the first to accept gives."""

    AUDIENCES = ("to", "to_some", "to_all", "link")
    schema = _one_of(AUDIENCES)

    type = serializers.ChoiceField([Trade.Type.REQUEST.value])
    to = serializers.UUIDField(required=False)
    to_some = _friends()
    to_all = Yes(required=False)
    link = _channel()
    takes = _cards()
    note = serializers.CharField(max_length=notes.LENGTH, required=False, allow_blank=True)


class SwapProposal(_Proposal):
    """Cards for cards, with a friend, with one of some or of all of them; the first to accept swaps."""

    AUDIENCES = ("to", "to_some", "to_all")
    schema = _one_of(AUDIENCES)

    type = serializers.ChoiceField([Trade.Type.SWAP.value])
    to = serializers.UUIDField(required=False)
    to_some = _friends()
    to_all = Yes(required=False)
    gives = _cards()
    takes = _cards()
    note = serializers.CharField(max_length=notes.LENGTH, required=False, allow_blank=True)


class _Typed(StrictSerializer):
    type = serializers.ChoiceField(Trade.Type.choices)


PROPOSALS: dict[str, type[_Proposal]] = {
    Trade.Type.GIFT.value: GiftProposal,
    Trade.Type.REQUEST.value: RequestProposal,
    Trade.Type.SWAP.value: SwapProposal,
}


def proposal(data: Any) -> dict[str, Any]:
    """The validated body of a proposal, by its type. Raises rest_framework's ValidationError."""
    told = data.get("type") if isinstance(data, dict) else None
    if not isinstance(told, str) or told not in PROPOSALS:
        validated(_Typed, data if not isinstance(data, dict) else {} if told is None else {"type": told})
        raise RuntimeError("a type of trade that has no serializer")
    return validated(PROPOSALS[told], data)


def proposed(body: dict[str, Any]) -> dict[str, Any]:
    """What `trades.propose` is told of a validated body."""
    to = (body["to"],) if "to" in body else tuple(body.get("to_some", ()))
    return {
        "type": body["type"],
        "audience": trading.Audience(to=to, everyone=body.get("to_all", False), link=body.get("link")),
        "gives": body.get("gives", []),
        "takes": body.get("takes", []),
        "note": body.get("note", ""),
    }


class TradeFilter(StrictSerializer):
    """Which trades are listed."""

    box = serializers.ChoiceField(["sent", "received"], required=False)
    state = serializers.ChoiceField(Trade.State.choices, required=False)


class WildRequest(StrictSerializer):
    """A wild card, and the missing kind that it is turned into."""

    kind = serializers.SlugField(max_length=32)


class _OfFriend(StrictSerializer):
    def get_fields(self) -> dict[str, serializers.Field]:
        # A word of Python's own can't be the name of an attribute.
        return {"from": serializers.UUIDField(), **super().get_fields()}


class CopyRequest(_OfFriend):
    """A copy card, the friend and the kind of theirs that is copied."""

    kind = serializers.SlugField(max_length=32)


class StealRequest(_OfFriend):
    """A steal card and the friend from whom it takes a card: of this kind, or without one a random double."""

    kind = serializers.SlugField(max_length=32, required=False)
