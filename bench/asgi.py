"""The product's own application with no-ops beside it: what a request or a command costs that does nothing."""

from __future__ import annotations

from typing import Any

import config.asgi

import msgspec
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config import socket, urls
from fortunes import rest
from fortunes.serializers import BallotRequest
from fortunes.commands import Caller, Command

# What uvicorn serves. Its import has set Django up, and stands above what needs that.
application = config.asgi.application


class Gift(rest.StrictSerializer):
    """The shape of a gift, so that a no-op reads as much."""

    to = serializers.UUIDField()
    gives = serializers.ListField(child=serializers.SlugField(max_length=32), min_length=1, max_length=10)


class GiftRequest(Gift):
    type = serializers.CharField()


class GiftCommand(Gift):
    key = serializers.CharField()


class BallotCommand(BallotRequest):
    key = serializers.CharField()


class Done(msgspec.Struct, frozen=True):
    """The constant answer."""

    done: bool = True


class Nothing(APIView):
    """A request that is authenticated and validated, and does nothing."""

    def post(self, request: Request) -> Response:
        rest.validated(GiftRequest, request.data)
        return Response(Done(), status=201)


class NothingOfABallot(APIView):
    """The same of a ballot's shape."""

    def post(self, request: Request) -> Response:
        rest.validated(BallotRequest, request.data)
        return Response(Done(), status=201)


def nothing(caller: Caller, data: dict[str, Any]) -> Done:
    return Done()


urls.urlpatterns[:0] = [
    path("api/v1/nothing", Nothing.as_view()),
    path("api/v1/nothing/ballot", NothingOfABallot.as_view()),
]
socket.COMMANDS["nothing"] = Command(GiftCommand, nothing)  # type: ignore[index]
socket.COMMANDS["nothing.ballot"] = Command(BallotCommand, nothing)  # type: ignore[index]
