"""Sign-up, sign-in, and friendships over REST."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import answers, friends, serializers, throttles
from accounts.actions import (
    codes,
    erasure,
    exports,
    federation,
    friendships,
    invitations,
    notifications,
    players,
    sessions,
)
from accounts.authentication import player_id, session_of
from accounts.befriending import Side
from fortunes import rest

EXPORT_NAME = "five-fortunes.json"
NOTHING = OpenApiResponse(description="It is done.")


class PublicView(APIView):
    """For people who aren't signed in; an Authorization header is not even looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class Players(throttles.ThrottledView, PublicView):
    throttle_classes = (throttles.SignUpThrottle,)

    @extend_schema(operation_id="players_create", request=serializers.SignUp, responses={201: answers.SessionAnswer})
    def post(self, request: Request) -> Response:
        """Sign up."""
        return Response(players.sign_up(**rest.validated(serializers.SignUp, request.data)), status=201)


class PhoneCodes(throttles.ThrottledView, PublicView):
    throttle_classes = (throttles.PhoneCodeThrottle,)

    @extend_schema(
        operation_id="phone_codes_create", request=serializers.PhoneCode, responses={202: answers.PhoneCodeAnswer}
    )
    def post(self, request: Request) -> Response:
        """Have a one-time code sent to a phone. It is good for five minutes, and a newer one replaces it."""
        return Response(codes.ask(**rest.validated(serializers.PhoneCode, request.data)), status=202)


class Sessions(throttles.ThrottledView, rest.PagedView):
    throttle_classes = (throttles.SignInThrottle, throttles.SignInAddressThrottle)

    def get_authenticators(self) -> list[BaseAuthentication]:
        """To sign in one isn't signed in: an Authorization header is not even looked at."""
        # There is no request while the API's document is made.
        return [] if self.request and self.request.method == "POST" else super().get_authenticators()

    def get_permissions(self) -> Sequence[Any]:
        return [AllowAny()] if self.request.method == "POST" else super().get_permissions()

    @extend_schema(
        operation_id="sessions_create",
        request=serializers.Credentials,
        responses={201: answers.SessionAnswer},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Sign in."""
        given = rest.validated(serializers.Credentials, request.data)
        return Response(sessions.sign_in(**given, network=throttles.address(request)), status=201)

    @extend_schema(
        operation_id="sessions_list", parameters=rest.PAGE_PARAMETERS, responses=rest.page_of(answers.DeviceAnswer)
    )
    def get(self, request: Request) -> Response:
        """Where you are signed in."""
        return self.respond(
            request,
            sessions.of(player_id=player_id(request)),
            lambda page: [answers.device(row, current=session_of(request)) for row in page],
        )

    @extend_schema(operation_id="sessions_delete_all", request=None, responses={204: NOTHING})
    def delete(self, request: Request) -> Response:
        """Sign out everywhere, here too."""
        sessions.end_all(by=player_id(request))
        return Response(status=204)


class PhoneSessions(throttles.ThrottledView, PublicView):
    throttle_classes = (throttles.SignInAddressThrottle,)

    @extend_schema(
        operation_id="sessions_create_by_phone",
        request=serializers.PhoneSignIn,
        responses={201: answers.SessionAnswer},
    )
    def post(self, request: Request) -> Response:
        """Sign in with the code that was sent to a phone. Who has no account yet gets one."""
        return Response(codes.sign_in(**rest.validated(serializers.PhoneSignIn, request.data)), status=201)


class CurrentSession(APIView):
    @extend_schema(operation_id="sessions_delete_current", request=None, responses={204: NOTHING})
    def delete(self, request: Request) -> Response:
        """Sign out. Tokens and sockets of this session are refused and closed within seconds."""
        sessions.end(by=player_id(request), session=session_of(request))
        return Response(status=204)


class Session(APIView):
    @extend_schema(operation_id="sessions_delete", request=None, responses={204: NOTHING})
    def delete(self, request: Request, session: UUID) -> Response:
        """Sign out one of your devices."""
        sessions.end(by=player_id(request), session=session)
        return Response(status=204)


class FederatedSessions(throttles.ThrottledView, PublicView):
    throttle_classes = (throttles.SignInAddressThrottle,)

    @extend_schema(
        operation_id="sessions_federated", request=serializers.FederatedSignIn, responses={201: answers.SessionAnswer}
    )
    def post(self, request: Request) -> Response:
        """Sign in with a token of a host app. Whoever comes for the first time is a new player."""
        return Response(federation.sign_in(**rest.validated(serializers.FederatedSignIn, request.data)), status=201)


class Refreshing(throttles.ThrottledView, PublicView):
    throttle_classes = (throttles.RefreshThrottle,)

    @extend_schema(operation_id="sessions_refresh", request=serializers.Refresh, responses=answers.RefreshedAnswer)
    def post(self, request: Request) -> Response:
        """Stay signed in. A refresh token is good once; the second use ends the session."""
        return Response(sessions.refresh(token=rest.validated(serializers.Refresh, request.data)["refresh"]))


class Me(throttles.ThrottledView, APIView):
    throttle_classes = (throttles.ErasureThrottle,)

    @extend_schema(operation_id="me_read", responses=answers.MeAnswer)
    def get(self, request: Request) -> Response:
        """You."""
        return Response(answers.me(friends.player(player_id(request))))

    @extend_schema(operation_id="me_change", request=serializers.Renaming, responses=answers.MeAnswer)
    def patch(self, request: Request) -> Response:
        """Choose another nickname."""
        nickname = rest.validated(serializers.Renaming, request.data)["nickname"]
        return Response(players.rename(player_id=player_id(request), nickname=nickname))

    @extend_schema(operation_id="me_erase", request=serializers.Erasure, responses={204: NOTHING})
    def delete(self, request: Request) -> Response:
        """Be forgotten, for good: names, phone and friendships go, and nobody signs in to this account again."""
        proof = rest.validated(serializers.Erasure, request.data)
        network = throttles.address(request)
        erasure.erase_oneself(
            player_id=player_id(request), confirm=proof["confirm"], password=proof.get("password"), network=network
        )
        return Response(status=204)


class Export(throttles.ThrottledView, APIView):
    throttle_classes = (throttles.ExportThrottle,)

    @extend_schema(operation_id="me_export", responses={(200, "application/json"): OpenApiTypes.OBJECT})
    def get(self, request: Request) -> FileResponse:
        """Everything that is held about you: one document with a list for each section."""
        document = exports.document(player_id=player_id(request))
        return FileResponse(document, as_attachment=True, filename=EXPORT_NAME, content_type="application/json")


class Notifications(APIView):
    @extend_schema(operation_id="notifications_read", responses=answers.NotificationsAnswer)
    def get(self, request: Request) -> Response:
        """How you are told of events while you are away."""
        return Response(notifications.read(player_id=player_id(request)))

    @extend_schema(
        operation_id="notifications_change", request=serializers.Notifications, responses=answers.NotificationsAnswer
    )
    def put(self, request: Request) -> Response:
        """Choose how you are told of events while you are away, or not at all."""
        chosen = rest.validated(serializers.Notifications, request.data)
        return Response(notifications.change(player_id=player_id(request), **chosen))


class Friendships(throttles.ThrottledView, rest.PagedView):
    throttle_classes = (throttles.AskThrottle, throttles.AskAgainThrottle)

    @extend_schema(
        operation_id="friendships_list",
        parameters=rest.PAGE_PARAMETERS,
        responses=rest.page_of(answers.FriendshipAnswer),
    )
    def get(self, request: Request) -> Response:
        """Your friends, who asked whom, and whom you have blocked."""
        return self.respond(
            request,
            friends.standings(player_id(request)),
            lambda page: [answers.friendship(row.friend, row.state, row.since) for row in page],
        )

    @extend_schema(
        operation_id="friendships_create",
        request=serializers.Ask,
        responses={201: answers.FriendshipAnswer, 200: answers.FriendshipAnswer},
    )
    def post(self, request: Request) -> Response:
        """Ask a player to be friends; asking back accepts. 200 if something was there before."""
        asked = rest.validated(serializers.Ask, request.data)
        standing = friendships.ask(by=player_id(request), player=asked.get("player") or asked["username"])
        return _show(standing, status=201 if standing.was is Side.STRANGER else 200)


class Presence(APIView):
    @extend_schema(operation_id="presence_read", responses=answers.PresenceAnswer)
    def get(self, request: Request) -> Response:
        """Which of your friends are online."""
        return Response(friends.presence(player_id(request)))


class Friendship(APIView):
    @extend_schema(operation_id="friendships_delete", request=None, responses={204: NOTHING})
    def delete(self, request: Request, player: UUID) -> Response:
        """End a friendship, decline an ask or withdraw one."""
        friendships.end(by=player_id(request), player=player)
        return Response(status=204)


class Acceptance(APIView):
    @extend_schema(operation_id="friendships_accept", request=None, responses=answers.FriendshipAnswer)
    def post(self, request: Request, player: UUID) -> Response:
        """Accept a player who asked you."""
        return _show(friendships.accept(by=player_id(request), player=player))


class Block(APIView):
    @extend_schema(operation_id="blocks_create", request=None, responses=answers.FriendshipAnswer)
    def put(self, request: Request, player: UUID) -> Response:
        """Block a player, who isn't told and can't find you any more."""
        return _show(friendships.block(by=player_id(request), player=player))

    @extend_schema(operation_id="blocks_delete", request=None, responses={204: NOTHING})
    def delete(self, request: Request, player: UUID) -> Response:
        """Take a block back; you are strangers then."""
        friendships.unblock(by=player_id(request), player=player)
        return Response(status=204)


class Invitations(throttles.ThrottledView, rest.PagedView):
    throttle_classes = (throttles.InviteThrottle,)

    @extend_schema(
        operation_id="invitations_list",
        parameters=rest.PAGE_PARAMETERS,
        responses=rest.page_of(answers.InvitationAnswer),
    )
    def get(self, request: Request) -> Response:
        """Your invitation links, and what came of them."""
        return self.respond(
            request,
            invitations.of(player_id=player_id(request)),
            lambda page: [answers.invitation(row) for row in page],
        )

    @extend_schema(
        operation_id="invitations_create",
        request=serializers.Invite,
        responses={201: answers.InvitationAnswer, 200: answers.InvitationAnswer},
    )
    def post(self, request: Request) -> Response:
        """A link to spread. A channel has one until you revoke it: 200 if it was there before."""
        invite = rest.validated(serializers.Invite, request.data)
        link, made = invitations.create(by=player_id(request), channel=invite.get("channel", ""))
        return Response(answers.invitation(link), status=201 if made else 200)


class Invitation(throttles.ThrottledView, APIView):
    throttle_classes = (throttles.LookThrottle,)

    def get_permissions(self) -> Sequence[Any]:
        return [AllowAny()] if self.request.method == "GET" else super().get_permissions()

    @extend_schema(operation_id="invitations_read", responses=answers.InvitedAnswer)
    def get(self, request: Request, code: str) -> Response:
        """Who invites. For everybody who has the link."""
        return Response(invitations.look(code=code))

    @extend_schema(operation_id="invitations_delete", request=None, responses={204: NOTHING})
    def delete(self, request: Request, code: str) -> Response:
        """Revoke a link of yours: nobody can follow it any more."""
        invitations.revoke(by=player_id(request), code=code)
        return Response(status=204)


class InvitationAcceptance(throttles.ThrottledView, APIView):
    throttle_classes = (throttles.AskThrottle,)

    @extend_schema(operation_id="invitations_accept", request=None, responses=answers.FriendshipAnswer)
    def post(self, request: Request, code: str) -> Response:
        """Follow an invitation: you and the one who invites are friends at once."""
        return _show(invitations.accept(by=player_id(request), code=code))


def _show(standing: friendships.Standing, status: int = 200) -> Response:
    if standing.since is None:
        raise ValueError("strangers have nothing to show")
    return Response(answers.friendship(standing.friend, standing.state, standing.since), status=status)
