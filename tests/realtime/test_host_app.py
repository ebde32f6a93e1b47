"""A host app's user, from the first token to being forgotten, against a real web process and a real key service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from accounts.models import Player
from config.client.sockets import Socket
from fortunes import threads
from fortunes.models import Campaign
from tests.accounts import hosts
from tests.accounts.hosts import HostApp
from tests.realtime import servers
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed


@pytest.fixture
def app() -> Iterator[HostApp]:
    with hosts.running() as app:
        yield app


@pytest.fixture
def home(django_db_setup: None, app: HostApp, tmp_path: Path) -> Iterator[Server]:
    file = hosts.configured(tmp_path, app.configuration(slug=f"h-{app.issuer[8:16]}", nickname_claim="name"))
    with servers.running(tmp_path / "web.log", FEDERATION_FILE=file, DJANGO_DEBUG="1") as server:
        yield server


@pytest.fixture
async def http(home: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"{home.url}/api/v1/", trust_env=False, timeout=30)


async def _sign_in(http: httpx.AsyncClient, token: str) -> httpx.Response:
    return await http.post("sessions/federated", json={"token": token})


async def test_from_the_first_token_to_being_forgotten(
    http: httpx.AsyncClient, home: Server, app: HostApp, season: Campaign
) -> None:
    async with http:
        session = (await _sign_in(http, await threads.run(app.token, "user-7", name="爱丽丝"))).json()
        assert session["player"]["nickname"] == "爱丽丝"
        headers = {"Authorization": f"Bearer {session['tokens']['access']}"}
        export = await http.get("me/export", headers=headers)
        assert export.status_code == 200
        assert json.loads(export.content)["host-apps"][0]["known_there_as"] == "user-7"

        async with await Socket.open(home.url, session["tokens"]["access"], season.slug) as socket:
            proof = {"confirm": session["player"]["username"]}
            erased = await http.request("DELETE", "me", json=proof, headers=headers)
            assert (erased.status_code, erased.content) == (204, b"")
            async with asyncio.timeout(30):
                assert (await socket.wait_lost()).code in (4401, 4403)
        async with asyncio.timeout(30):
            while (await http.get("me", headers=headers)).status_code != 401:
                await asyncio.sleep(0.1)

        again = (await _sign_in(http, await threads.run(app.token, "user-7"))).json()
        assert again["player"]["id"] != session["player"]["id"]
        assert (await threads.run(Player.objects.get, public_id=session["player"]["id"])).nickname == ""


async def test_a_key_service_that_hangs_holds_up_nobody_else(http: httpx.AsyncClient, app: HostApp) -> None:
    """One thread waits three seconds for the keys; eight who need them do, and nobody after them."""
    app.behave = "hang"
    tokens = [await threads.run(app.token, f"user-{number}") for number in range(12)]
    async with http:
        waiting = [asyncio.create_task(_sign_in(http, token)) for token in tokens[:4]]
        while app.asked == 0:
            await asyncio.sleep(0.02)
        assert (await http.get("campaigns")).status_code == 200
        assert not any(task.done() for task in waiting)
        first = [await task for task in waiting]
        later = [await _sign_in(http, token) for token in tokens[4:]]
    told = {(answer.status_code, answer.json()["code"]) for answer in (*first, *later)}
    assert told == {(503, "federation-unavailable")}
    assert app.asked == 1
