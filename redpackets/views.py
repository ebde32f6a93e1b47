"""Settlements, packets and wallets over REST."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fortunes import rest
from redpackets import answers
from redpackets.actions import packets, showing


class Settlement(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="settlement_read", responses=answers.SettlementAnswer)
    def get(self, request: Request, slug: str) -> Response:
        """How far the pool is split, and its public figures."""
        return Response(showing.settlement(campaign_id=rest.require_campaign(slug).pk))


class Share(APIView):
    @extend_schema(operation_id="share_read", responses=answers.ShareAnswer)
    def get(self, request: Request, slug: str) -> Response:
        """How many sets are complete, and about how much each would get if it closed now."""
        share = showing.share(campaign_id=rest.require_campaign(slug).pk)
        version = f"share:{slug}:{share.complete}:{share.each_fen}:{share.counted_at}"
        return rest.respond_cacheable(request, share, version=version, max_age_s=5)


class Manifest(APIView):
    permission_classes = (AllowAny,)

    @extend_schema(operation_id="settlement_manifest", responses=answers.Manifest)
    def get(self, request: Request, slug: str) -> Response:
        """What proves every payout, published when the split is sealed."""
        manifest = showing.manifest(campaign_id=rest.require_campaign(slug).pk)
        return rest.respond_cacheable(request, manifest, version=f"manifest:{slug}:{manifest['merkle_root']}")


class Packet(APIView):
    @extend_schema(operation_id="packet_read", responses=answers.PacketAnswer)
    def get(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Your red packet."""
        return Response(packets.view(campaign_id=rest.require_campaign(slug).pk, player_id=request.user.pk))


class PacketOpening(APIView):
    @extend_schema(
        operation_id="packet_open",
        request=None,
        parameters=[rest.IDEMPOTENCY_KEY],
        responses=answers.OpenedAnswer,
    )
    def post(self, request: rest.PlayerRequest, slug: str) -> Response:
        """Open your red packet: its amount goes to your wallet, once. Opening it again gives the same answer."""
        campaign = rest.require_campaign(slug)
        asked = rest.idempotency_request(request, "packet-opening", {"campaign": slug})
        return Response(packets.open(asked=asked, campaign_id=campaign.pk, by=request.user.pk))


class Wallet(APIView):
    @extend_schema(operation_id="wallet_read", responses=answers.WalletAnswer)
    def get(self, request: rest.PlayerRequest) -> Response:
        """Your balance."""
        return Response(showing.wallet(player_id=request.user.pk))


class WalletEntries(rest.PagedView):
    @extend_schema(
        operation_id="wallet_entries",
        parameters=rest.PAGE_PARAMETERS,
        responses=rest.page_of(answers.EntryAnswer),
    )
    def get(self, request: rest.PlayerRequest) -> Response:
        """The postings of your wallet, newest first."""
        player_id = request.user.pk
        return self.respond(
            request,
            showing.entries_of(player_id=player_id),
            lambda page: showing.describe_entries(page, player_id=player_id),
        )
