"""Campaigns, their rules and the feeds, over REST."""

from __future__ import annotations

import msgspec
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fortunes import answers, clock, rest, serializers
from fortunes.actions import catalogue, feeds


class Notices(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a feed, oldest first. There may be more after the last item."""

    items: list[feeds.Notice]


class CampaignList(APIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="campaigns_list", responses=answers.Campaigns)
    def get(self, request: Request) -> Response:
        """The campaigns that have been opened, newest first."""
        return Response(catalogue.campaigns())


class CampaignDetail(APIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="campaigns_read", responses=answers.CampaignAnswer)
    def get(self, request: Request, slug: str) -> Response:
        """One campaign with its phase and the server's time."""
        return Response(answers.campaign(rest.require_campaign(slug), clock.now()))


class CampaignRules(APIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="campaigns_rules", responses=answers.RulesAnswer)
    def get(self, request: Request, slug: str) -> Response:
        """The rulebook in force, with the published odds."""
        rulebook = catalogue.rulebook(campaign_id=rest.require_campaign(slug).pk)
        return rest.respond_cacheable(request, rulebook, version=f"rules:{slug}:{rulebook.version}")


class RulebookPage(rest.CursorPage):
    """Versions are unique within a campaign."""

    ordering = "-version"


class Rulebooks(rest.PagedView):
    permission_classes = [AllowAny]
    pagination_class = RulebookPage

    @extend_schema(
        operation_id="rulebooks_list", parameters=rest.PAGE_PARAMETERS, responses=rest.page_of(answers.RulebookRecord)
    )
    def get(self, request: Request, slug: str) -> Response:
        """Every version of the rulebook, newest first: what it changed, why, and since when."""
        rows = catalogue.history(campaign=rest.require_campaign(slug))
        return self.respond(request, rows, lambda page: [answers.rulebook(row) for row in page])


class Amendments(rest.PagedView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="amendments_list", parameters=rest.PAGE_PARAMETERS, responses=rest.page_of(answers.AmendmentAnswer)
    )
    def get(self, request: Request, slug: str) -> Response:
        """The changes of the rules that were announced for a date, newest first, and what became of each."""
        campaign = rest.require_campaign(slug)
        rows = catalogue.amendments(campaign=campaign)
        return self.respond(request, rows, lambda page: catalogue.describe_amendments(page, campaign=campaign))


class RulebookVersion(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="campaigns_rulebook",
        parameters=[OpenApiParameter("version", int, OpenApiParameter.PATH)],
        responses=answers.RulesAnswer,
    )
    def get(self, request: Request, slug: str, version: int) -> Response:
        """One version of the rulebook, in force or past: what a draw of that version is replayed with."""
        rulebook = catalogue.rulebook(campaign_id=rest.require_campaign(slug).pk, version=version)
        return rest.respond_cacheable(request, rulebook, version=f"rules:{slug}:{rulebook.version}")


class Events(APIView):
    @extend_schema(operation_id="events_list", parameters=[serializers.AfterQuery], responses=Notices)
    def get(self, request: rest.PlayerRequest) -> Response:
        """What you were told after `after`, for clients without a socket."""
        query = rest.validated(serializers.AfterQuery, request.query_params.dict())
        items = feeds.events_after(player_id=request.user.pk, seq=query["after"], limit=query["limit"])
        return Response(Notices(items=items))


class Broadcasts(APIView):
    @extend_schema(operation_id="broadcasts_list", parameters=[serializers.AfterQuery], responses=Notices)
    def get(self, request: Request, slug: str) -> Response:
        """What everybody in the campaign was told after `after`."""
        campaign = rest.require_campaign(slug)
        query = rest.validated(serializers.AfterQuery, request.query_params.dict())
        items = feeds.broadcasts_after(campaign_id=campaign.pk, seq=query["after"], limit=query["limit"])
        return Response(Notices(items=items))
