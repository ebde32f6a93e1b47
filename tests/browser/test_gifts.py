"""A live gift between two windows, by way of an invitation link."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from cards.actions import credits
from tests.browser.windows import Window

pytestmark = [pytest.mark.committed, pytest.mark.slow]


def test_two_windows_make_friends_and_give_a_card(window: Callable[..., Window]) -> None:
    alice = window().sign_in()
    alice.scan()
    alice.has(1)

    bob = window(alice.invite())
    expect(bob.page.locator("#invitation")).to_contain_text("invites you to collect the five fortunes together")
    bob.sign_in()
    name = bob.page.locator("#me").inner_text()
    alice.toast(f"{name} and you are friends now")
    expect(bob.page.locator("#friend-list li")).to_have_count(1)

    alice.button(f"Give {name} a card").click()
    dialog = alice.page.get_by_role("dialog", name=f"Which card for {name}?")
    dialog.get_by_role("radio", name="Patriotism: you have 1").check(force=True)
    dialog.get_by_role("button", name="Give it").click()

    bob.toast(re.compile(r"gave you Patriotism"))
    bob.has(1)
    alice.has(0)
    expect(bob.page.locator("#progress-text")).to_have_text("Your set is complete. You share in the pool!")


def test_an_invitation_earns_a_card(window: Callable[..., Window]) -> None:
    alice = window().sign_in()
    bob = window(alice.invite()).sign_in()
    bob.scan()
    credits.credit_due()
    alice.toast("Patriotism for your invitation: your friend has drawn a first card")
    alice.has(1)
