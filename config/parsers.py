"""JSON in and out, strictly: what a client can't mean is refused before any serializer sees it."""

from __future__ import annotations

from typing import IO, Any

import msgspec
from rest_framework import renderers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_INTEGER = 2**63 - 1


class StrictJSONParser(BaseParser):
    """UTF-8 JSON with integers of 64 bits at most and no NUL characters, which PostgreSQL can't store."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        body = stream.read()
        try:
            data = msgspec.json.decode(body)
            _check(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ParseError(str(error)) from error
        return data


def _check(data: Any) -> None:
    if isinstance(data, str):
        if "\0" in data:
            raise ParseError("NUL characters are not allowed.")
    elif isinstance(data, bool):
        return
    elif isinstance(data, int):
        if not -MAX_INTEGER - 1 <= data <= MAX_INTEGER:
            raise ParseError("Integers have 64 bits at most.")
    elif isinstance(data, dict):
        for name, value in data.items():
            _check(name)
            _check(value)
    elif isinstance(data, list):
        for value in data:
            _check(value)


class JSONRenderer(renderers.BaseRenderer):
    """JSON by msgspec: what serializers return is made of plain types, datetimes and UUIDs."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else msgspec.json.encode(data, enc_hook=str)
