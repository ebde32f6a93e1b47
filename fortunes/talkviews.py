"""What staff and players say to each other over REST: announcements, and comments under a proposal."""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fortunes import answers, rest, serializers, voting
from fortunes.actions import announcements, comments

COMMENT = OpenApiParameter("comment_id", UUID, OpenApiParameter.PATH)


class AnnouncementPage(rest.MergedPage):
    """Pinned ones first, then the newest."""

    # 16 digits of microseconds are within PostgreSQL's instants and Python's.
    position_pattern = re.compile(r"[01]\.[0-9]{1,16}\.[0-9]{1,18}")

    def position(self, row: Any) -> str:
        return announcements.place(row)


class Announcements(rest.PagedView):
    permission_classes = [AllowAny]
    pagination_class = AnnouncementPage

    @extend_schema(
        operation_id="announcements_list",
        parameters=rest.PAGE_PARAMETERS,
        responses=rest.page_of(answers.AnnouncementAnswer),
    )
    def get(self, request: Request, slug: str) -> Response:
        """What staff tell everybody in the campaign: pinned announcements first, then the newest."""
        read = partial(announcements.listed, campaign_id=rest.require_campaign(slug).pk)
        return self.respond(request, read, lambda page: [answers.announcement(row) for row in page])


class Comments(rest.PagedView):
    def get_permissions(self) -> list[Any]:
        return [AllowAny() if self.request.method in ("GET", "HEAD", "OPTIONS") else IsAuthenticated()]

    @extend_schema(
        operation_id="comments_list",
        parameters=[serializers.PROPOSAL, *rest.PAGE_PARAMETERS],
        responses=rest.page_of(answers.CommentAnswer),
    )
    def get(self, request: Request, proposal_id: UUID) -> Response:
        """The comments under a proposal, newest first. Who is signed in doesn't see those of players they blocked."""
        proposal, seen_by = voting.shown(public_id=proposal_id), getattr(request.user, "pk", None)
        rows = comments.visible(proposal_id=proposal.pk, seen_by=seen_by)
        return self.respond(request, rows, partial(comments.described, seen_by=seen_by))

    @extend_schema(
        operation_id="comments_create",
        request=serializers.CommentRequest,
        parameters=[serializers.PROPOSAL, rest.IDEMPOTENCY_KEY],
        responses={201: answers.CommentAnswer},
    )
    def post(self, request: rest.PlayerRequest, proposal_id: UUID) -> Response:
        """Write a comment under a proposal."""
        body = rest.validated(serializers.CommentRequest, request.data)
        asked = rest.idempotency_request(request, comments.ROUTE, {"proposal": proposal_id, **body})
        comment = comments.write(asked=asked, proposal_id=proposal_id, text=body["text"], by=request.user)
        return Response(comment, status=201)


class Comment(APIView):
    @extend_schema(
        operation_id="comments_delete",
        request=None,
        parameters=[COMMENT],
        responses={204: OpenApiResponse(description="It is done.")},
    )
    def delete(self, request: rest.PlayerRequest, comment_id: UUID) -> Response:
        """Take back a comment of yours: its words are gone."""
        comments.delete(comment_id=comment_id, by=request.user)
        return Response(status=204)
