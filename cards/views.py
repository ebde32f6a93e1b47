"""Hands, scans and special cards over REST; trades are in `cards.tradeviews`."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cards import answers, serializers
from cards.actions import checkins, comparing, conversions, copies, plays, scans, showing, steals, wilds
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


class Suggestions(APIView):
    @extend_schema(operation_id="suggestions_list", responses=answers.Suggestions)
    def get(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Swaps with friends from which both would get what they miss. Each is the body that proposes it."""
        campaign = rest.require_campaign(slug)
        return Response(comparing.suggestions(campaign=campaign, player_id=request.user.pk))


class Ranking(APIView):
    @extend_schema(operation_id="ranking_read", responses=answers.Ranking)
    def get(self, request: rest.PlayerRequest, slug: str) -> Response:
        """You and your friends: by distinct kinds of the full set, then by cards, then by since when it is full."""
        campaign = rest.require_campaign(slug)
        return Response(comparing.standings(campaign=campaign, player_id=request.user.pk))


class Plays(rest.PagedView):
    @extend_schema(
        operation_id="plays_list", parameters=rest.PAGE_PARAMETERS, responses=rest.page_of(answers.PlayAnswer)
    )
    def get(self, request: rest.PlayerRequest, slug: str) -> Response:
        """The special cards that you have played, newest first, with what is needed to replay what chance decided."""
        rows = plays.of(campaign=rest.require_campaign(slug), player_id=request.user.pk)
        return self.respond(request, rows, plays.describe)


class Conversions(rest.PagedView):
    @extend_schema(
        operation_id="conversions_list",
        parameters=rest.PAGE_PARAMETERS,
        responses=rest.page_of(answers.ConversionAnswer),
    )
    def get(self, request: rest.PlayerRequest, slug: str) -> Response:
        """What became of your cards that the rules removed, newest first, with what is needed to replay chance."""
        rows = conversions.of(campaign=rest.require_campaign(slug), player_id=request.user.pk)
        return self.respond(request, rows, conversions.describe)


class Steals(APIView):
    @extend_schema(
        operation_id="steals_create",
        request=serializers.StealRequest,
        parameters=[rest.IDEMPOTENCY_KEY],
        responses={201: answers.PlayReceipt},
    )
    def post(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Steal a card from a friend, where the rules allow it."""
        campaign = rest.require_campaign(slug)
        body = rest.validated(serializers.StealRequest, request.data)
        asked = rest.idempotency_request(request, "steals", {"campaign": slug, **body})
        receipt = steals.steal(
            asked=asked, campaign=campaign, by=request.user, victim=body["from"], kind=body.get("kind")
        )
        return Response(receipt, status=201)


class Wilds(APIView):
    @extend_schema(
        operation_id="wilds_create",
        request=serializers.WildRequest,
        parameters=[rest.IDEMPOTENCY_KEY],
        responses={201: answers.PlayReceipt},
    )
    def post(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Turn a wild card into a card that you miss."""
        campaign = rest.require_campaign(slug)
        body = rest.validated(serializers.WildRequest, request.data)
        asked = rest.idempotency_request(request, "wilds", {"campaign": slug, **body})
        receipt = wilds.turn(asked=asked, campaign=campaign, by=request.user, kind=body["kind"])
        return Response(receipt, status=201)


class Copies(APIView):
    @extend_schema(
        operation_id="copies_create",
        request=serializers.CopyRequest,
        parameters=[rest.IDEMPOTENCY_KEY],
        responses={201: answers.PlayReceipt},
    )
    def post(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Copy a card that a friend holds; they keep theirs."""
        campaign = rest.require_campaign(slug)
        body = rest.validated(serializers.CopyRequest, request.data)
        asked = rest.idempotency_request(request, "copies", {"campaign": slug, **body})
        receipt = copies.copy(asked=asked, campaign=campaign, by=request.user, friend=body["from"], kind=body["kind"])
        return Response(receipt, status=201)
