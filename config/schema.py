"""OpenAPI from our plain structs: a msgspec.Struct is a component of the schema under its own name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import PolymorphicProxySerializer


class Schema(AutoSchema):
    """Describes the body of a DELETE too, where a view says that it has one, and one of several bodies as needed."""

    def _get_request_for_media_type(self, serializer: Any, direction: Any = "request") -> Any:
        schema, is_required = super()._get_request_for_media_type(serializer, direction)  # type: ignore[no-untyped-call]
        return schema, is_required or isinstance(serializer, PolymorphicProxySerializer)

    def _get_request_body(self, direction: Any = "request") -> Any:
        if self.method != "DELETE" or self.get_request_serializer() is None:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        self.method = "POST"
        try:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        finally:
            self.method = "DELETE"


class StructExtension(OpenApiSerializerExtension):
    """Lets `extend_schema` take msgspec structs where it takes serializers."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Any) -> str:
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        """The struct's own schema. Structs inside it are components by themselves, the same as elsewhere."""
        _, components = msgspec.json.schema_components([self.target], ref_template="#/components/schemas/{name}")
        for field in msgspec.structs.fields(self.target):
            for struct in _structs(field.type):
                auto_schema.resolve_serializer(struct, direction)  # type: ignore[arg-type]
        words = {f"#/components/schemas/{name}": found for name, found in components.items() if "enum" in found}
        described: dict[str, Any] = _described(components[self.target.__name__], words)
        return described


def _structs(annotation: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield annotation
    for part in get_args(annotation):
        yield from _structs(part)


def _described(schema: Any, words: dict[str, Any]) -> Any:
    """As the rest of the document says it: no titles that repeat a name, lists of `words` where they are used, and a
    type beside each.
    """
    if isinstance(schema, list):
        return [_described(part, words) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = words.get(schema.get("$ref", ""), schema)
    # A member that is called so has a schema, and stays.
    titles = {"title"} if isinstance(schema.get("title"), str) else set()
    described = {name: _described(value, words) for name, value in schema.items() if name not in titles}
    if all(isinstance(word, str) for word in described.get("enum", [0])):
        described.setdefault("type", "string")
    return described


class StrictExtension(OpenApiSerializerExtension):
    """Bodies that refuse fields they don't know say so, and what a serializer can't say otherwise is its `schema`."""

    target_class = "fortunes.rest.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        more: dict[str, Any] = self.target.schema
        return schema | {"additionalProperties": False} | more


class AccessTokenScheme(OpenApiAuthenticationExtension):
    """The bearer token of `accounts.authentication`."""

    target_class = "accounts.authentication.AccessTokenAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}


PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A refusal (RFC 9457). `code` is stable; some codes come with further members.",
    "properties": {
        "type": {"type": "string", "description": "Where the API explains the code."},
        "code": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "What is wrong with which field.",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "A JSON Pointer into the body."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["pointer", "code", "detail"],
            },
        },
    },
    "required": ["type", "code", "title", "status"],
}


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A postprocessing hook: whatever an operation refuses, it says so in the one form."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    refusal = {
        "description": "A refusal.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"]["default"] = refusal
    return result
