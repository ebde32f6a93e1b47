"""Sign-up, sign-in, and friendships over REST."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import answers, friends, serializers, throttles
from accounts.actions import friendships, players, sessions
from accounts.authentication import player_id
from accounts.befriending import Side
from fortunes import rest

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


class Sessions(throttles.ThrottledView, PublicView):
    throttle_classes = (throttles.SignInThrottle, throttles.SignInAddressThrottle)

    @extend_schema(
        operation_id="sessions_create", request=serializers.Credentials, responses={201: answers.SessionAnswer}
    )
    def post(self, request: Request) -> Response:
        """Sign in."""
        return Response(sessions.sign_in(**rest.validated(serializers.Credentials, request.data)), status=201)


class Refreshing(throttles.ThrottledView, PublicView):
    throttle_classes = (throttles.RefreshThrottle,)

    @extend_schema(operation_id="sessions_refresh", request=serializers.Refresh, responses=answers.RefreshedAnswer)
    def post(self, request: Request) -> Response:
        """Stay signed in. A refresh token is good once; the second use ends the session."""
        return Response(sessions.refresh(token=rest.validated(serializers.Refresh, request.data)["refresh"]))


class Me(APIView):
    @extend_schema(operation_id="me_read", responses=answers.MeAnswer)
    def get(self, request: Request) -> Response:
        """You."""
        return Response(answers.me(friends.player(player_id(request))))


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


def _show(standing: friendships.Standing, status: int = 200) -> Response:
    if standing.since is None:
        raise ValueError("strangers have nothing to show")
    return Response(answers.friendship(standing.friend, standing.state, standing.since), status=status)
