"""Ballots over REST: cast one, find one's own, and read the published list."""

from __future__ import annotations

import re
from functools import partial
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fortunes import answers, rest, serializers
from fortunes.actions import ballots


class Ballot(APIView):
    @extend_schema(operation_id="ballot_read", parameters=[serializers.PROPOSAL], responses=answers.BallotReceipt)
    def get(self, request: rest.PlayerRequest, proposal_id: UUID) -> Response:
        """Your ballot, with the receipt that nobody else is told."""
        return Response(ballots.mine(proposal_id=proposal_id, player_id=request.user.pk))

    @extend_schema(
        operation_id="ballot_cast",
        request=serializers.BallotRequest,
        parameters=[serializers.PROPOSAL, rest.IDEMPOTENCY_KEY],
        responses={201: answers.BallotReceipt},
    )
    def post(self, request: rest.PlayerRequest, proposal_id: UUID) -> Response:
        """Vote for an option, by its number. Where the proposal says so a ballot may be changed until the close."""
        body = rest.validated(serializers.BallotRequest, request.data)
        asked = rest.idempotency_request(request, ballots.ROUTE, {"proposal": proposal_id, **body})
        receipt = ballots.cast(asked=asked, proposal_id=proposal_id, by=request.user, **body)
        return Response(receipt, status=201, headers={"Location": f"/api/v1/proposals/{proposal_id}/ballot"})


class LeafPage(rest.MergedPage):
    """In ascending order: the position is the last leaf of the page. A million of them are read in a thousand pages."""

    position_pattern = re.compile(r"[0-9a-f]{64}")
    page_size = 200
    max_page_size = 1000

    def position(self, row: answers.Leaf) -> str:
        return row.leaf


class Ballots(rest.PagedView):
    permission_classes = [AllowAny]
    pagination_class = LeafPage

    @extend_schema(
        operation_id="ballots_list",
        parameters=[serializers.PROPOSAL, *rest.page_parameters(LeafPage)],
        responses=rest.page_of(answers.Leaf),
    )
    def get(self, request: Request, proposal_id: UUID) -> Response:
        """Every ballot of a closed vote as its leaf and its option, in ascending order of the leaves."""
        return self.respond(request, partial(_leaves, proposal_id), list)


def _leaves(proposal_id: UUID, *, before: str | None, limit: int) -> list[answers.Leaf]:
    return ballots.published(proposal_id=proposal_id, after=bytes.fromhex(before or ""), limit=limit)
