"""OpenAPI from our plain structs: a msgspec.Struct is a component of the schema under its own name."""

from __future__ import annotations

from typing import Any

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent


class StructExtension(OpenApiSerializerExtension):
    """Lets `extend_schema` take msgspec structs where it takes serializers."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Any) -> str:
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        (_,), components = msgspec.json.schema_components([self.target], ref_template="#/components/schemas/{name}")
        own: dict[str, Any] = components.pop(self.target.__name__)
        for name, schema in components.items():
            component = ResolvedComponent(
                name=name, type=ResolvedComponent.SCHEMA, object=name, schema=_described(schema)
            )
            auto_schema.registry.register_on_missing(component)
        return _described(own)


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    """Struct docstrings are the descriptions; the title only repeats the name."""
    return {name: value for name, value in schema.items() if name != "title"}


class AccessTokenScheme(OpenApiAuthenticationExtension):
    """The bearer token of `accounts.authentication`."""

    target_class = "accounts.authentication.AccessTokenAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}
