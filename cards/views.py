"""Hands, scans and trades over REST."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cards import answers, serializers
from cards.actions import checkins, scans, showing, trades
from cards.models import Draw
from fortunes import rest


class Kinds(APIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="kinds_list", responses=answers.Kinds)
    def get(self, request: Request, slug: str) -> Response:
        """The kinds of card."""
        kinds = showing.kinds(campaign=rest.require_campaign(slug))
        return rest.respond_cacheable(request, kinds, version=f"kinds:{slug}:{kinds}")


class Fairness(APIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="fairness_read", responses=answers.Fairness)
    def get(self, request: Request, slug: str) -> Response:
        """The commitment to the draw secret, and the secret once the split is sealed."""
        return Response(showing.fairness(campaign=rest.require_campaign(slug)))


class Hand(APIView):
    @extend_schema(operation_id="hand_read", responses=answers.HandSnapshot)
    def get(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Your cards and what is left of your scans."""
        snapshot = showing.hand(campaign=rest.require_campaign(slug), player_id=request.user.pk)
        return rest.respond_cacheable(request, snapshot, version=f"hand:{slug}:{request.user.pk}:{snapshot}")


class Scans(APIView):
    @extend_schema(
        operation_id="scans_create",
        request=serializers.ScanRequest,
        parameters=[rest.IDEMPOTENCY_KEY],
        responses={201: answers.Redemption},
    )
    def post(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Redeem a scanned code for a card."""
        campaign = rest.require_campaign(slug)
        body = rest.validated(serializers.ScanRequest, request.data)
        asked = rest.idempotency_request(request, "scans", {"campaign": slug, **body})
        (outcome,) = scans.redeem(campaign=campaign, scans=[scans.Scan(asked, body["code"])])
        if isinstance(outcome, Exception):
            raise outcome
        return Response(outcome, status=201)


class CheckIns(APIView):
    @extend_schema(
        operation_id="check_ins_create",
        request=serializers.CheckInRequest,
        parameters=[rest.IDEMPOTENCY_KEY],
        responses={201: answers.Redemption},
    )
    def post(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Draw the card of today, in the campaign's time zone. The body is empty or `{}`."""
        campaign = rest.require_campaign(slug)
        rest.validated(serializers.CheckInRequest, request.data)
        asked = rest.idempotency_request(request, "check-ins", {"campaign": slug})
        return Response(checkins.check_in(campaign=campaign, asked=asked), status=201)


class InvitedPage(rest.CursorPage):
    """Newest first: ids are given out in the order in which players come."""

    ordering = "-invited_id"


class Referrals(rest.PagedView):
    pagination_class = InvitedPage

    @extend_schema(
        operation_id="referrals_list", parameters=rest.PAGE_PARAMETERS, responses=rest.page_of(answers.Referred)
    )
    def get(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Who came by your invitation, newest first, and what became of your card for each."""
        campaign = rest.require_campaign(slug)
        rows = showing.referrals_of(player_id=request.user.pk)
        return self.respond(request, rows, lambda page: showing.describe_referrals(page, campaign=campaign))


class SerialPage(rest.CursorPage):
    """In the order of the serials, which are unique within a kind."""

    ordering = "serial"


class Draws(rest.PagedView):
    @extend_schema(
        operation_id="draws_list", parameters=rest.PAGE_PARAMETERS, responses=rest.page_of(answers.DrawRecord)
    )
    def get(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Your draws, newest first, each with what is needed to replay it."""
        rows: QuerySet[Draw] = showing.draws_of(campaign=rest.require_campaign(slug), player_id=request.user.pk)
        return self.respond(request, rows, lambda page: [showing.draw(row) for row in page])


class Issues(rest.PagedView):
    permission_classes = [AllowAny]
    pagination_class = SerialPage

    @extend_schema(operation_id="issues_list", parameters=rest.PAGE_PARAMETERS, responses=rest.page_of(answers.Issue))
    def get(self, request: Request, slug: str, kind: str) -> Response:
        """Every issued unit of a capped kind, published when the split is sealed."""
        rows = showing.issues_of(campaign=rest.require_campaign(slug), kind=kind)
        return self.respond(request, rows, lambda page: [showing.issue(row) for row in page])


class Trades(rest.PagedView):
    @extend_schema(
        operation_id="trades_list", parameters=rest.PAGE_PARAMETERS, responses=rest.page_of(answers.TradeAnswer)
    )
    def get(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Your trades, newest first."""
        rows = showing.trades_of(campaign=rest.require_campaign(slug), player_id=request.user.pk)
        return self.respond(request, rows, showing.describe_trades)

    @extend_schema(
        operation_id="trades_create",
        request=serializers.TradeRequest,
        parameters=[rest.IDEMPOTENCY_KEY],
        responses={201: answers.GiftAnswer},
    )
    def post(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Give cards to a friend."""
        campaign = rest.require_campaign(slug)
        body: dict[str, Any] = rest.validated(serializers.TradeRequest, request.data)
        asked = rest.idempotency_request(request, "trades", {"campaign": slug, **body})
        answer = trades.gift(asked=asked, campaign=campaign, giver=request.user, to=body["to"], gives=body["gives"])
        return Response(answer, status=201, headers={"Location": f"/api/v1/trades/{answer.trade.id}"})


class Trade(APIView):
    @extend_schema(
        operation_id="trades_read",
        parameters=[OpenApiParameter("trade_id", UUID, OpenApiParameter.PATH)],
        responses=answers.TradeAnswer,
    )
    def get(self, request: rest.PlayerRequest, trade_id: UUID) -> Response:
        """One of your trades."""
        return Response(showing.trade(public_id=trade_id, player_id=request.user.pk))
