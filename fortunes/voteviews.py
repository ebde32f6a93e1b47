"""Proposals over REST, for everybody to read."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fortunes import rest, serializers, voting
from fortunes.actions import votes


class Proposals(rest.PagedView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="proposals_list", parameters=rest.PAGE_PARAMETERS, responses=rest.page_of(voting.VoteAnswer)
    )
    def get(self, request: Request, slug: str) -> Response:
        """The campaign's votes, newest first: those to come, those that run, and their results."""
        campaign = rest.require_campaign(slug)
        describe = partial(votes.describe, campaign=campaign, player_id=getattr(request.user, "pk", None))
        return self.respond(request, votes.listed(campaign=campaign), describe)


class Proposal(APIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="proposals_read", parameters=[serializers.PROPOSAL], responses=voting.VoteAnswer)
    def get(self, request: Request, proposal_id: UUID) -> Response:
        """One vote: its options and what each would change, the ballots at this moment, yours, and the result."""
        return Response(votes.read(proposal_id=proposal_id, player_id=getattr(request.user, "pk", None)))
