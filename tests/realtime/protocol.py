"""The AsyncAPI document as a measure: what a value has that the schema of its message doesn't allow."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft7Validator, FormatChecker

from config import documents

PROTOCOL: dict[str, Any] = json.loads(documents.DOCUMENTS["docs/asyncapi.json"]())


def faults(value: Any, pointer: str) -> list[str]:
    """Of a value, by a schema of the document; the pointer is without its '#/'."""
    schema = {**PROTOCOL, "$ref": f"#/{pointer}"}
    return [
        f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}"
        for fault in Draft7Validator(schema, format_checker=FormatChecker()).iter_errors(value)
    ]


def payload_of(message: str) -> str:
    """Where a message's schema is."""
    return f"components/messages/{message}/payload"


def conforms(value: Any, pointer: str) -> bool:
    return not faults(value, pointer)


def unmentioned(value: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """Members of an object, and of the objects in it, that its schema doesn't name."""
    if "$ref" in schema:
        schema = at(schema["$ref"])
    known = schema.get("properties")
    if known is None:
        return set()
    found = value.keys() - known.keys()
    for name, member in value.items():
        if isinstance(member, dict) and name in known:
            found |= {f"{name}.{inner}" for inner in unmentioned(member, known[name])}
    return found


def at(reference: str) -> Any:
    """What a reference of the document refers to. Raises KeyError."""
    found: Any = PROTOCOL
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found
