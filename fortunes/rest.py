"""What the API's views share: strict serializers, cursor pages, idempotency keys, ETags."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, cast

import msgspec
from django.db import connection
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import pagination, serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fortunes import errors, keys, sql
from fortunes.identity import SignedIn
from fortunes.models import Campaign

TEXTS = (serializers.CharField, serializers.UUIDField)


class StrictSerializer(serializers.Serializer):
    """A serializer that refuses fields it doesn't know, and numbers where text is meant, which REST framework takes.

    `schema` is what OpenAPI has to say of all fields together.
    """

    schema: ClassVar[dict[str, Any]] = {}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = set(data) - {name for name, field in self.fields.items() if not field.read_only}
            faults = dict.fromkeys(sorted(unknown), serializers.ErrorDetail("This field is not known here.", "unknown"))
            faults |= {
                name: serializers.ErrorDetail("This is no text.", "invalid")
                for name, field in self.fields.items()
                if name in data and not _is_text(field, data[name])
            }
            if faults:
                raise serializers.ValidationError({name: [fault] for name, fault in faults.items()})
        return super().to_internal_value(data)


def _is_text(field: serializers.Field, given: Any) -> bool:
    """Whether what is given for a field of text is text, or nothing at all, which the field judges itself."""
    if isinstance(field, serializers.ListField) and isinstance(given, list):
        return all(_is_text(field.child, item) for item in given)
    return given is None or isinstance(given, str) or not isinstance(field, TEXTS)


# Pages are ordered by integers; 18 digits are within a bigint.
POSITION = re.compile(r"-?[0-9]{1,18}")
INVALID_CURSOR = serializers.ValidationError(
    {"cursor": [serializers.ErrorDetail("This is no cursor of ours.", "invalid")]}
)
INVALID_LIMIT = serializers.ValidationError(
    {"limit": [serializers.ErrorDetail("This is no number of items.", "invalid")]}
)


class PlayerRequest(Request):
    """A request of a player who is signed in: what views that need one are given."""

    user: SignedIn  # type: ignore[assignment]


class CursorPage(pagination.CursorPagination):
    """Pages by an opaque cursor, newest first, with a capped `limit` and no count: `{items, next}`."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering: str | tuple[str, ...] = "-id"
    position_pattern: ClassVar[re.Pattern[str]] = POSITION

    def decode_cursor(self, request: Request) -> Any:
        """The place that a client's cursor names. What we didn't make ourselves is refused and never reaches SQL."""
        try:
            cursor = super().decode_cursor(request)
        except NotFound as error:
            raise INVALID_CURSOR from error
        position = cursor.position if cursor is not None else None
        if position is not None and not self.position_pattern.fullmatch(str(position)):
            raise INVALID_CURSOR
        return cursor

    def get_page_size(self, request: Request) -> int:
        """What a client asks for, up to the cap. What is no number of items is refused, as elsewhere."""
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        if not (asked.isascii() and asked.isdigit() and asked.strip("0")):
            raise INVALID_LIMIT
        # More digits than the cap has are more than the cap.
        return self.max_page_size if len(asked) > 9 else min(int(asked), self.max_page_size)

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"items": data, "next": self.get_next_link()})


class MergedPage(CursorPage, ABC):
    """Pages of what is read from several places at once. Instead of a queryset the view has a function that reads.

    `read(before=…, limit=…)` answers the newest `limit` rows before a position, None for the beginning.
    """

    @abstractmethod
    def position(self, row: Any) -> str:
        """Where the page after this row goes on, as `position_pattern` says."""

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        cursor, limit = self.decode_cursor(request), self.get_page_size(request)
        rows: list[Any] = queryset(before=cursor.position if cursor else None, limit=limit + 1)
        self.base_url = request.build_absolute_uri()
        # Their position is text, as that of a queryset's column is; the stubs know only of offsets.
        last = cast(Any, self.position(rows[limit - 1])) if len(rows) > limit else None
        self._next = pagination.Cursor(0, False, last) if last is not None else None
        return rows[:limit]

    def get_next_link(self) -> str | None:
        return self.encode_cursor(self._next) if self._next else None


def require_campaign(slug: str) -> Campaign:
    """A campaign that players may see: one that has been opened. Raises CampaignNotFound."""
    rows = sql.fetch_often(sql.text("fortunes", "open_campaign"), {"slug": slug})
    if not rows:
        raise errors.CampaignNotFound
    return Campaign.from_db(connection.alias, rows[0]._fields, rows[0])


def idempotency_request(request: PlayerRequest, route: str, body: Any) -> keys.Request:
    """The Idempotency-Key of a REST request with its validated body. Raises IdempotencyKeyMissing or …Invalid."""
    return keys.request(player_id=request.user.pk, route=route, key=request.headers.get("Idempotency-Key"), body=body)


def respond_cacheable(request: Request, body: Any, *, version: str, max_age_s: int = 0) -> Response:
    """`body` with an ETag made of `version`, or 304 where the client has it already."""
    etag = f'"{hashlib.sha256(version.encode()).hexdigest()[:24]}"'
    # What may be some seconds old tells the server's time, which is not part of its version.
    told, kept = (f"W/{etag}", f"max-age={max_age_s}") if max_age_s else (etag, "no-cache")
    headers = {"ETag": told, "Cache-Control": f"private, {kept}"}
    asked = request.headers.get("If-None-Match", "")
    if asked.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in asked.split(",")):
        return Response(status=304, headers=headers)
    return Response(body, headers=headers)


def validated(serializer: type[serializers.Serializer], data: Any) -> dict[str, Any]:
    """The validated fields of `data`. Raises rest_framework's ValidationError, with a pointer to each fault."""
    checked = serializer(data=data)
    checked.is_valid(raise_exception=True)
    fields: dict[str, Any] = checked.validated_data
    return fields


class PagedView(APIView):
    """A view whose GET answers a cursor page."""

    pagination_class: type[CursorPage] = CursorPage

    def respond(
        self, request: Request, rows: QuerySet | Callable[..., list[Any]], describe: Callable[[list[Any]], list[Any]]
    ) -> Response:
        """One page of `rows` (what reads them, for a MergedPage), described by what `describe` makes of the page."""
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(cast(QuerySet, rows), request, view=self)
        return paginator.get_paginated_response(describe(page or []))


def page_of(item: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The struct of a page of items, for the schema."""
    fields = [("items", list[item]), ("next", str | None)]  # type: ignore[valid-type]
    namespace = {"__doc__": "A page; `next` is the address of the next one."}
    return msgspec.defstruct(f"{item.__name__}Page", fields, namespace=namespace)


def page_parameters(pages: type[CursorPage]) -> list[OpenApiParameter]:
    """What says which page of how many items."""
    return [
        OpenApiParameter(
            "limit",
            {"type": "integer", "minimum": 1, "default": pages.page_size},
            description=f"Items a page. More than {pages.max_page_size} are not given.",
        ),
        OpenApiParameter("cursor", str, description="From the `next` of a page."),
    ]


PAGE_PARAMETERS = page_parameters(CursorPage)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{1,64}$"},
    OpenApiParameter.HEADER,
    required=True,
    description="1 to 64 printable characters, chosen anew for each thing you want done and repeated with its retries.",
)
