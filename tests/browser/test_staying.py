"""Staying signed in and connected: lost connections, several tabs, tokens that run out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Request, expect

from accounts.models import Player, RefreshFamily
from config.local import processes
from fortunes.models import Campaign
from tests.browser.windows import Window
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory
from tests.realtime import servers

pytestmark = [pytest.mark.committed, pytest.mark.slow]

OpenWindow = Callable[..., Window]

SESSION = "JSON.parse(localStorage.getItem('fortunes.session'))"
RENEW = """(stale) => { window.renewed = import("/static/page/api.js").then((api) => api.renew(stale)); }"""


def player_of(window: Window) -> Player:
    found: Player = Player.objects.get(public_id=window.page.evaluate(f"{SESSION}.player.id"))
    return found


def refreshes(window: Window) -> list[str]:
    """The requests with which this window refreshes its session, from now on."""
    made: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/sessions/refresh"):
            made.append(request.url)

    window.page.on("request", note)
    return made


def test_what_came_while_the_server_was_gone_is_not_missed(
    window: OpenWindow, season: Campaign, tmp_path: Path
) -> None:
    with processes.listen("127.0.0.1", 0) as listener:
        with servers.listening(listener, tmp_path / "first.log", SOCKET_POLL_S="86400") as server:
            bob = window(base_url=server.url).sign_in()
            alice = PlayerFactory.create(nickname="Alice")
            FriendshipFactory.create(player=alice, friend=player_of(bob))
            make.redeem(season, alice)
            bob.page.reload()
            bob.wait_live()
            server.process.kill()
            server.process.wait()
            expect(bob.page.locator("#lost")).to_be_visible()
            bob.expected.append("WebSocket connection to|ERR_|Failed to load resource")
            make.give(season, alice, player_of(bob), ["patriotism"])
            bob.has(0)
        with servers.listening(listener, tmp_path / "second.log", SOCKET_POLL_S="86400"):
            bob.toast("Alice gave you Patriotism")
            bob.has(1)
            expect(bob.page.locator("#lost")).to_be_hidden()


def test_offline_and_back(window: OpenWindow) -> None:
    alice = window().sign_in()
    alice.expected.append("ERR_INTERNET_DISCONNECTED|WebSocket connection to")
    alice.context.set_offline(True)
    expect(alice.page.locator("#offline")).to_be_visible()
    alice.context.set_offline(False)
    expect(alice.page.locator("#offline")).to_be_hidden()
    alice.wait_live()


def test_tabs_share_a_session_and_refresh_it_once(window: OpenWindow) -> None:
    first = window().sign_in()
    second = window(beside=first).wait_live()
    assert player_of(first) == player_of(second)
    stale = first.page.evaluate(f"{SESSION}.access")
    asked = [refreshes(first), refreshes(second)]
    # Tokens tell whole seconds: two of the same second are one.
    first.page.wait_for_timeout(1000)

    for tab in (first, second):
        tab.page.evaluate(RENEW, stale)
    renewed = {tab.page.evaluate("window.renewed") for tab in (first, second)}

    # A second use of the refresh token would have ended the session.
    assert len(renewed) == 1
    assert renewed != {stale}
    assert sum(map(len, asked)) == 1
    assert RefreshFamily.objects.filter(player=player_of(first), revoked_at=None).count() == 1


def test_without_web_locks_too(window: OpenWindow) -> None:
    """As on plain HTTP from another machine."""
    first = window().sign_in()
    second = window(beside=first).wait_live()
    stale = first.page.evaluate(f"{SESSION}.access")
    asked = [refreshes(first), refreshes(second)]
    for tab in (first, second):
        tab.page.evaluate("Object.defineProperty(navigator, 'locks', { value: undefined })")
        tab.page.evaluate(RENEW, stale)
    assert len({tab.page.evaluate("window.renewed") for tab in (first, second)}) == 1
    assert sum(map(len, asked)) == 1


def test_a_token_that_the_server_finds_too_old_is_renewed(window: OpenWindow) -> None:
    alice = window().sign_in()
    session = alice.page.evaluate(SESSION)
    # Well-formed, and not signed by us.
    session["access"] = session["access"].rpartition(".")[0] + "." + "A" * 43
    alice.page.evaluate("(kept) => localStorage.setItem('fortunes.session', kept)", json.dumps(session))
    alice.page.reload()
    alice.wait_live()
    expect(alice.page.locator("#hand")).to_be_visible()


def test_signing_out_ends_it_in_all_tabs(window: OpenWindow) -> None:
    first = window().sign_in()
    second = window(beside=first).wait_live()
    player = player_of(first)
    first.button("Sign out").click()
    for tab in (first, second):
        expect(tab.page.locator("#sign-in")).to_be_visible()
    assert not RefreshFamily.objects.filter(player=player, revoked_at=None).exists()
    # The guest of this browser comes back as the same player.
    first.sign_in()
    assert player_of(first) == player


def test_signing_out_leaves_no_token_behind_though_the_server_can_not_be_told(window: OpenWindow) -> None:
    alice = window().sign_in()
    alice.expected.append("ERR_FAILED")
    alice.page.route("**/sessions/current", lambda route: route.abort())
    alice.page.locator("#sign-out").click()
    expect(alice.page.locator("#sign-in")).to_be_visible()
    kept = "import('/static/page/store.js').then((store) => store.read('fortunes.session'))"
    assert alice.page.evaluate(SESSION) is None
    assert alice.page.evaluate(kept) is None
