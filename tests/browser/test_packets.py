"""The end of a season on the page: the countdown, the live share, and the packet."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Response, expect

from accounts.models import Player
from fortunes.models import Campaign, DatabaseNow
from redpackets.actions import shares
from redpackets.models import LiveShare, Settlement, Wallet
from tests.browser.windows import Window
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = [pytest.mark.committed, pytest.mark.slow]

OpenWindow = Callable[..., Window]


def count_now() -> None:
    """What beat does, as if the last count were long ago."""
    LiveShare.objects.update(due_at=DatabaseNow())
    shares.count_due()


def test_the_share_is_live(window: OpenWindow, season: Campaign) -> None:
    count_now()
    alice = window().sign_in()
    share = alice.page.locator("#share")
    expect(share).to_have_text("No set is complete yet. Yours could be the first.")
    make.complete(season, PlayerFactory.create_batch(1))
    count_now()
    expect(share).to_have_text("1 set is complete: about ¥10,000 if it closed now")
    make.complete(season, PlayerFactory.create_batch(2))
    count_now()
    # 3,333.33 yuan, rounded down to three digits.
    expect(share).to_have_text("3 sets are complete: about ¥3,330 each if it closed now")


def test_it_ends_by_the_servers_clock_and_the_packet_opens(window: OpenWindow, season: Campaign, clock: Clock) -> None:
    run = Settlement.objects.get(pool__campaign=season)
    alice = window().sign_in()
    alice.scan()
    alice.has(1)
    packets: list[dict[str, Any]] = []
    alice.page.on("response", lambda answer: _note(answer, packets))
    expect(alice.page.locator("#countdown-label")).to_have_text("Collecting ends in")
    expect(alice.page.locator("#days")).to_have_text("13")

    clock.move_to(season.reveal_at - timedelta(seconds=8))
    make.split(run)

    # Told by the socket: no reload, and nothing of the amount yet.
    expect(alice.page.locator("#packet-text")).to_have_text(
        "Your packet is sealed. It opens together with everybody's."
    )
    expect(alice.page.locator("#countdown-label")).to_have_text("The packets open in")
    expect(alice.page.locator("#collect")).to_be_hidden()
    assert packets
    assert all(packet["amount_fen"] is None for packet in packets)
    assert "10,000.00" not in alice.page.content()

    alice.button("Open").click(timeout=20_000)
    expect(alice.page.locator("#amount")).to_have_text("¥10,000.00")
    expect(alice.page.locator("#amount")).to_be_in_viewport()
    expect(alice.page.get_by_text("Your wallet: ¥10,000.00")).to_be_visible()
    expect(alice.page.locator("#packet-title")).to_be_focused()
    expect(alice.page.locator("#countdown-label")).to_have_text("The packets are open")
    player = Player.objects.get(nickname=alice.page.locator("#me").inner_text())
    assert Wallet.objects.get(player=player).balance_fen == 1_000_000

    alice.visit("/", season.slug)
    expect(alice.page.locator("#amount")).to_have_text("¥10,000.00")
    expect(alice.button("Open")).to_be_hidden()
    expect(alice.page.locator("#share")).to_have_text("1 set was complete: about ¥10,000")


def test_whoever_has_no_set_has_no_packet(window: OpenWindow, season: Campaign, clock: Clock) -> None:
    run = Settlement.objects.get(pool__campaign=season)
    make.complete(season, PlayerFactory.create_batch(1))
    bob = window().sign_in()
    make.close(clock, run)
    make.split(run)
    expect(bob.page.locator("#packet-text")).to_have_text(re.compile("^No packet this time"))
    expect(bob.button("Open")).to_be_hidden()


def _note(answer: Response, packets: list[dict[str, Any]]) -> None:
    if answer.url.endswith("/packet") and answer.ok:
        packets.append(answer.json())
