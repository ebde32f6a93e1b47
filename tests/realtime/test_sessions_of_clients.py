"""The demo's client stays signed in as an app would, also when the answer to a renewal was lost."""

from __future__ import annotations

import secrets

import pytest

from config.client.rest import Client
from config.client.sockets import Refused
from tests.realtime.servers import Server

PASSWORD = "correct horse battery"


@pytest.fixture
def username(committed_db: None) -> str:
    return f"client-{secrets.token_hex(6)}"


async def test_a_renewal_whose_answer_was_lost_ends_in_a_new_session(a: Server, username: str) -> None:
    async with Client(a.url) as client:
        await client.sign_up(username, PASSWORD)
        spent = client._refresh
        await client.refresh()
        client._refresh = spent
        await client._renew(client.access)
        assert client._refresh != spent
        assert (await client.get("wallet"))["balance_fen"] == 0


async def test_who_never_signed_in_is_told(a: Server, username: str) -> None:
    """Nobody's password is at hand, so that the refusal is the caller's."""
    async with Client(a.url) as client:
        await client.sign_up(username, PASSWORD)
        spent = client._refresh
        await client.refresh()
        async with Client(a.url) as other:
            other._refresh, other.access = spent, client.access
            with pytest.raises(Refused, match="refresh-reused"):
                await other._renew(other.access)


async def test_a_renewal_is_made_once_whoever_asks(a: Server, username: str) -> None:
    async with Client(a.url) as client:
        await client.sign_up(username, PASSWORD)
        stale = "an older token"
        before = client._refresh
        await client._renew(stale)
        assert client._refresh == before
