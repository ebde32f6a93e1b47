"""Trades, their links and the history of a player's cards over REST."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import throttles
from cards import answers, serializers
from cards.actions import history, links, listing, trades
from cards.models import Trade as Row
from fortunes import rest

TRADE = OpenApiParameter("trade_id", UUID, OpenApiParameter.PATH)
PROPOSAL = PolymorphicProxySerializer(
    component_name="Proposal",
    serializers=dict[str, Any](serializers.PROPOSALS),
    resource_type_field_name="type",
)


class TradePage(rest.MergedPage):
    """Newest first."""

    def position(self, row: Row) -> str:
        return str(row.pk)


class Trades(rest.PagedView):
    pagination_class = TradePage

    @extend_schema(
        operation_id="trades_list",
        parameters=[
            OpenApiParameter(
                "box", str, enum=["sent", "received"], description="Yours only, or those you are asked by."
            ),
            OpenApiParameter("state", str, enum=Row.State.values, description="Those in this state only."),
            *rest.PAGE_PARAMETERS,
        ],
        responses=rest.page_of(answers.TradeAnswer),
    )
    def get(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Your trades and those you are asked by, newest first."""
        campaign = rest.require_campaign(slug)
        asked = {name: request.query_params[name] for name in ("box", "state") if name in request.query_params}
        wanted = rest.validated(serializers.TradeFilter, asked)
        reader = listing.Reader(campaign=campaign, player_id=request.user.pk, **wanted)
        return self.respond(request, reader.trades, reader.describe)

    @extend_schema(
        operation_id="trades_create",
        request=PROPOSAL,
        parameters=[rest.IDEMPOTENCY_KEY],
        responses={201: answers.TradeReceipt},
    )
    def post(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Give cards, ask for some, or offer a swap."""
        campaign = rest.require_campaign(slug)
        body = serializers.proposal(request.data)
        asked = rest.idempotency_request(request, "trades", {"campaign": slug, **body})
        receipt = trades.propose(asked=asked, campaign=campaign, proposer=request.user, **serializers.proposed(body))
        return Response(receipt, status=201, headers={"Location": f"/api/v1/trades/{receipt.trade.id}"})


class Trade(APIView):
    @extend_schema(operation_id="trades_read", parameters=[TRADE], responses=answers.TradeAnswer)
    def get(self, request: rest.PlayerRequest, trade_id: UUID) -> Response:
        """A trade of yours, or one that you are asked by."""
        return Response(listing.trade(public_id=trade_id, player_id=request.user.pk))


class Acceptance(APIView):
    @extend_schema(
        operation_id="trades_accept",
        request=serializers.Nothing,
        parameters=[TRADE, rest.IDEMPOTENCY_KEY],
        responses=answers.TradeReceipt,
    )
    def post(self, request: rest.PlayerRequest, trade_id: UUID) -> Response:
        """Accept what you are asked: the cards move at once. The body is empty or `{}`."""
        return _settle(trades.accept, "trade-acceptance", request, trade_id)


class Refusal(APIView):
    @extend_schema(
        operation_id="trades_decline",
        request=serializers.Nothing,
        parameters=[TRADE, rest.IDEMPOTENCY_KEY],
        responses=answers.TradeReceipt,
    )
    def post(self, request: rest.PlayerRequest, trade_id: UUID) -> Response:
        """Decline what you are asked. Of several who are asked the others still are. The body is empty or `{}`."""
        return _settle(trades.decline, "trade-refusal", request, trade_id)


class Cancellation(APIView):
    @extend_schema(
        operation_id="trades_cancel",
        request=serializers.Nothing,
        parameters=[TRADE, rest.IDEMPOTENCY_KEY],
        responses=answers.TradeReceipt,
    )
    def post(self, request: rest.PlayerRequest, trade_id: UUID) -> Response:
        """Withdraw a trade of yours; what was in escrow is yours again. The body is empty or `{}`."""
        return _settle(trades.cancel, "trade-cancellation", request, trade_id)


def _settle(
    verb: Callable[..., answers.TradeReceipt], route: str, request: rest.PlayerRequest, trade_id: UUID
) -> Response:
    rest.validated(serializers.Nothing, request.data)
    asked = rest.idempotency_request(request, route, {"trade": trade_id})
    return Response(verb(asked=asked, trade_id=trade_id, by=request.user))


class Link(throttles.ThrottledView, APIView):
    throttle_classes = (throttles.LookThrottle,)
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="links_read", responses=answers.LinkAnswer)
    def get(self, request: Request, code: str) -> Response:
        """What a link offers or asks for, and who spreads it. For everybody who has the link."""
        return Response(links.look(code=code))


class LinkAcceptance(throttles.ThrottledView, APIView):
    throttle_classes = (throttles.AskThrottle,)

    @extend_schema(
        operation_id="links_accept",
        request=serializers.Nothing,
        parameters=[rest.IDEMPOTENCY_KEY],
        responses=answers.TradeReceipt,
    )
    def post(self, request: rest.PlayerRequest, code: str) -> Response:
        """Follow a link, as the first: you get the cards or give them, and are friends. The body is empty or `{}`."""
        rest.validated(serializers.Nothing, request.data)
        asked = rest.idempotency_request(request, "link-acceptance", {"code": code})
        return Response(links.accept(asked=asked, code=code, by=request.user))


class HistoryPage(rest.MergedPage):
    """Newest first, of two tables that are numbered by themselves."""

    position_pattern = re.compile(r"[0-9]{1,18}\.[0-9]{1,18}")

    def position(self, row: history.Move) -> str:
        return row.position


class History(rest.PagedView):
    pagination_class = HistoryPage

    @extend_schema(
        operation_id="history_list", parameters=rest.PAGE_PARAMETERS, responses=rest.page_of(answers.HistoryEntry)
    )
    def get(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Where each of your cards came from and where it went, newest first."""
        campaign = rest.require_campaign(slug)
        moves = partial(history.moves, campaign=campaign, player_id=request.user.pk)
        return self.respond(request, moves, partial(history.describe, campaign=campaign))
