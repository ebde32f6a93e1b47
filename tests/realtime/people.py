"""Players of a season with their clients."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import uuid4

from django.db import transaction

from accounts import tokens
from accounts.events import FriendshipAsked
from accounts.models import Player
from config.client.rest import Client
from config.client.sockets import Position, Push, Socket
from fortunes import events
from fortunes.models import Campaign
from tests.realtime.servers import Server

CARD = "patriotism"


class Person:
    """A player with a token, at home on one server."""

    def __init__(self, player: Player, season: Campaign, home: Server) -> None:
        self.row = player
        self.id = str(player.public_id)
        self.season = season
        self.home = home
        self.token = tokens.issue(player).token

    async def connect(self, server: Server | None = None, **options: Any) -> Socket:
        return await Socket.open((server or self.home).url, self.token, self.season.slug, **options)

    async def position(self) -> Position:
        """Where the feeds are now."""
        async with await self.connect() as socket:
            return socket.position

    async def post_gift(self, to: Person, *, key: str | None = None, server: Server | None = None) -> Any:
        """One card over REST."""
        async with Client((server or self.home).url) as client:
            client.access = self.token
            body = {"type": "gift", "to": to.id, "gives": [CARD]}
            return await client.post(f"campaigns/{self.season.slug}/trades", body, key=key)

    def told(self, times: int) -> None:
        """Write harmless events of this player's, all in one transaction."""
        payload = FriendshipAsked(by=uuid4(), to=self.row.public_id)
        with transaction.atomic():
            events.append(campaign_id=None, entries=[(self.row.pk, payload)] * times)


def gift(to: Person, key: str | None = None) -> dict[str, Any]:
    """The data of a socket's `trade.gift`."""
    return {"to": to.id, "gives": [CARD], "key": key or secrets.token_hex(8)}


async def take(socket: Socket, count: int) -> list[Push]:
    return [await socket.next() for _ in range(count)]
