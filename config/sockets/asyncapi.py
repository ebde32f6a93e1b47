"""The socket's protocol as an AsyncAPI 3 document, made from the structs and serializers that it is spoken with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

import msgspec
from rest_framework import serializers

from accounts.answers import PresenceAnswer
from config import presence
from config.socket import COMMANDS
from config.sockets import entrance, frames, shares, tallies, watchers
from fortunes import events, rest
from fortunes.answers import TallyChanged
from redpackets.answers import ShareChanged

Schema = dict[str, Any]

# Types of broadcasts begin so; all others are a player's own events.
BROADCASTS = ("announcement.", "campaign.", "comment.", "proposal.", "rule.", "rulebook.")
EPHEMERAL: Mapping[str, type[msgspec.Struct]] = {
    shares.EVENT: ShareChanged,
    watchers.EVENT: watchers.PresenceChanged,
    tallies.EVENT: TallyChanged,
}
ID: Schema = {"type": "integer", "minimum": 1, "maximum": frames.MOST_ID}
TIME: Schema = {"type": "string", "format": "date-time"}
SEQ: Schema = {"type": "integer", "minimum": 1}
ERROR: Schema = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "description": "Stable; docs/errors.md lists them."},
        "type": {"type": "string", "description": "The address of the code's explanation."},
        "message": {"type": "string", "description": "In the client's language."},
        "temporary": {"type": "boolean", "description": "The same command may succeed later."},
        "retry_after": {"type": ["integer", "null"], "description": "Seconds."},
        "facts": {"type": "object"},
    },
    "required": ["code", "type", "message", "temporary", "retry_after"],
}


def document() -> str:
    """The document as JSON."""
    structs = [
        entrance.Welcome,
        entrance.Pong,
        entrance.Renewed,
        PresenceAnswer,
        tallies.Unwatched,
        *events.TYPES.values(),
    ]
    structs += EPHEMERAL.values()
    structs += [_result_of(command.call) for command in COMMANDS.values()]
    _, components = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    commands, told = _commands(), {**_answers(), **_pushes()}
    messages = commands | told
    whole = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Five Fortunes, in real time",
            "version": "1",
            "description": "docs/realtime.md describes the order of things, the close codes and how to resume.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "socket": {
                "address": "/ws/v1/",
                "bindings": {"ws": {"method": "GET"}},
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "ask": _operation("receive", commands),
            "tell": _operation("send", told),
        },
        "components": {"messages": messages, "schemas": {**components, "Error": ERROR}},
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"


def _operation(action: str, messages: Iterable[str]) -> Schema:
    refs = [{"$ref": f"#/channels/socket/messages/{name}"} for name in messages]
    return {"action": action, "channel": {"$ref": "#/channels/socket"}, "messages": refs}


def _commands() -> dict[str, Schema]:
    shapes: dict[str, type[rest.StrictSerializer] | None] = {
        "connect": entrance.ConnectData,
        "ping": None,
        "token.refresh": entrance.RefreshData,
        "presence.watch": presence.WatchData,
        "tally.watch": tallies.WatchData,
        "tally.unwatch": tallies.WatchData,
        **{op: command.data for op, command in COMMANDS.items()},
    }
    return {
        op: _message({"id": ID, "op": {"const": op}, "data": _of_serializer(shape) if shape else {"type": "object"}})
        for op, shape in shapes.items()
    }


def _answers() -> dict[str, Schema]:
    results: Mapping[str, type] = {
        "connect": entrance.Welcome,
        "ping": entrance.Pong,
        "token.refresh": entrance.Renewed,
        "presence.watch": PresenceAnswer,
        "tally.watch": TallyChanged,
        "tally.unwatch": tallies.Unwatched,
        **{op: _result_of(command.call) for op, command in COMMANDS.items()},
    }
    answers = {f"{op}.result": _message({"id": ID, "result": _ref(result)}) for op, result in results.items()}
    error = _message({"id": {**ID, "type": ["integer", "null"]}, "error": {"$ref": "#/components/schemas/Error"}})
    return {**answers, "error": error}


def _pushes() -> dict[str, Schema]:
    pushes = {}
    for name, struct in sorted(events.TYPES.items()):
        fields: Schema = {"event": {"const": name}, "at": TIME, "data": _ref(struct)}
        if name.startswith(BROADCASTS):
            fields["campaign_seq"] = SEQ
        else:
            fields |= {"seq": SEQ, "campaign": {"type": ["string", "null"], "description": "Its slug."}}
        pushes[name] = _message(fields)
    for name, struct in EPHEMERAL.items():
        pushes[name] = _message({"event": {"const": name}, "at": TIME, "data": _ref(struct)})
    return pushes


def _message(fields: Schema) -> Schema:
    return {"payload": {"type": "object", "properties": fields, "required": list(fields)}}


def _ref(struct: type) -> Schema:
    return {"$ref": f"#/components/schemas/{struct.__name__}"}


def _result_of(call: Any) -> type:
    result: type = get_type_hints(call)["return"]
    return result


def _of_serializer(shape: type[rest.StrictSerializer]) -> Schema:
    fields = shape().fields
    return {
        "type": "object",
        "properties": {name: _of_field(field) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.required],
        "additionalProperties": False,
        **shape.schema,
    }


def _of_field(field: serializers.Field) -> Schema:
    schema = {name: value for name, value in _of_type(field).items() if value is not None}
    return {"oneOf": [schema, {"type": "null"}]} if field.allow_null else schema


def _of_type(field: serializers.Field) -> Schema:
    """What doesn't apply is None."""
    match field:
        case rest.StrictSerializer():
            return _of_serializer(type(field))
        case serializers.ListField():
            items = _of_field(field.child)
            return {"type": "array", "items": items, "minItems": field.min_length, "maxItems": field.max_length}
        case serializers.UUIDField():
            return {"type": "string", "format": "uuid"}
        case serializers.IntegerField():
            return {"type": "integer", "minimum": field.min_value, "maximum": field.max_value}
        case serializers.CharField():
            return {"type": "string", "maxLength": field.max_length}
    # A field of our own says what it is as it does for OpenAPI.
    if told := getattr(field, "_spectacular_annotation", {}).get("field"):
        return dict(told)
    raise TypeError(f"no schema for {type(field).__name__}")
