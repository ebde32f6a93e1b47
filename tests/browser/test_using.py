"""The page for everybody: languages, keyboard, screen readers, phones, and hosts that are no demo."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from accounts.actions import friendships
from fortunes.models import Campaign
from tests.accounts import texting
from tests.browser.test_staying import player_of
from tests.browser.windows import Window
from tests.factories.accounts import PlayerFactory
from tests.realtime import servers

pytestmark = [pytest.mark.committed, pytest.mark.slow]

OpenWindow = Callable[..., Window]

# What can be used or looked at, and has no name that a screen reader could say.
NAMELESS = """() => [...document.querySelectorAll("button, a, input, summary, [role=img], dialog, section, progress")]
  .filter((element) => element.checkVisibility())
  .filter((element) => {
    const by = element.getAttribute("aria-labelledby");
    const named = by ? document.getElementById(by)?.textContent : "";
    const label = [...(element.labels ?? [])].map((found) => found.textContent).join("");
    const own = element.matches("input, dialog, section") ? "" : element.textContent;
    return !(element.getAttribute("aria-label") || named || label || own).trim();
  })
  .map((element) => element.outerHTML)"""
# Wider than the window: what would make a phone scroll sideways.
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
FONT_SIZES = """() => [...document.querySelectorAll("main p, main label, main button, h1, h2, footer p")]
  .filter((element) => element.checkVisibility() && element.textContent.trim())
  .map((element) => parseFloat(getComputedStyle(element).fontSize))"""


def focused(window: Window) -> str:
    """What has the focus: its id, or its text."""
    named: str = window.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")
    return named


def test_both_languages(window: OpenWindow) -> None:
    alice = window().sign_in()
    expect(alice.page.locator("html")).to_have_attribute("lang", "en")
    alice.button("中文").click()
    expect(alice.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    alice.wait_live()
    expect(alice.page.get_by_role("heading", level=1)).to_have_text("集五福")
    # What the server refuses is said in the page's language too.
    alice.page.locator("#code").fill("nonsense")
    alice.page.locator("#scan button").click()
    expect(alice.page.locator("#toasts")).to_have_text(re.compile(r"^[\u4e00-\u9fff]"))
    expect(alice.page.locator("#cards li").first).to_contain_text("爱国福")
    alice.page.reload()
    expect(alice.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    alice.page.get_by_role("button", name="EN", exact=True).click()
    expect(alice.page.locator("html")).to_have_attribute("lang", "en")


def test_a_browser_that_speaks_chinese(window: OpenWindow) -> None:
    assert window(locale="zh-CN").page.locator("html").get_attribute("lang") == "zh-Hans"


@pytest.mark.parametrize("width", [320, 390, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_has_a_name_and_fits(window: OpenWindow, width: int, scheme: str) -> None:
    alice = window(viewport={"width": width, "height": 800}, color_scheme=scheme)
    for _ in ("signed out", "signed in"):
        assert alice.page.evaluate(NAMELESS) == []
        assert alice.page.evaluate(TOO_WIDE) <= 0
        assert min(alice.page.evaluate(FONT_SIZES)) >= 12
        if alice.button("Play as a guest").is_visible():
            alice.sign_in()
    alice.scan()
    alice.button("Invite a friend").click()
    expect(alice.page.get_by_label("Your link")).to_be_visible()
    assert alice.page.evaluate(NAMELESS) == []
    assert alice.page.evaluate(TOO_WIDE) <= 0


def test_by_keyboard_alone(window: OpenWindow) -> None:
    alice = window()
    press = alice.page.keyboard.press
    press("Tab")
    assert focused(alice) == "Skip to the content"
    press("Enter")
    assert focused(alice) == "main"
    press("Tab")
    assert focused(alice) == "as-guest"
    press("Enter")
    alice.wait_live()
    alice.page.locator("#check-in").focus()
    press("Enter")
    expect(alice.page.get_by_role("dialog")).to_be_visible()
    # The dialog has the focus, and gives it back.
    assert focused(alice) == "Into my hand"
    press("Escape")
    expect(alice.page.get_by_role("dialog")).to_have_count(0)
    alice.has(1)
    order = []
    alice.page.locator("#check-in").evaluate("(element) => { element.disabled = false; element.focus(); }")
    for _ in range(4):
        press("Tab")
        order.append(focused(alice))
    assert order == ["code", "Draw", "get-code", "invite"]


def test_a_host_that_is_no_demo(window: OpenWindow, season: Campaign, tmp_path: Path) -> None:
    """By username and password, then by phone; no guests and no codes for nothing."""
    with servers.running(tmp_path / "web.log", DJANGO_DEBUG="0", SMS_SENDER="console") as server:
        alice = window(base_url=server.url)
        expect(alice.button("Play as a guest")).to_be_hidden()
        alice.page.get_by_label("Username").fill(f"alice-{season.pk}")
        alice.page.get_by_label("Password").fill("short")
        alice.button("Sign up").click()
        expect(alice.page.locator("#toasts")).to_contain_text("too short")
        alice.page.get_by_label("Password").fill("collect-five-fortunes")
        alice.button("Sign up").click()
        alice.wait_live()
        expect(alice.button("Give me a code (demo)")).to_be_hidden()

        number = texting.number()
        bob = window(base_url=server.url)
        bob.page.get_by_label("Phone number").fill(number)
        bob.button("Send a code").click()
        bob.toast("A code is on its way to your phone.")
        bob.page.get_by_label("The code from your phone").fill(texting.code_for(number))
        bob.button("Sign in", within="#by-phone").click()
        bob.wait_live()


def test_two_players_in_one_browser(window: OpenWindow) -> None:
    """For a demo with one screen: `/?as=…` has a session of its own."""
    alice = window().sign_in()
    bob = window("/?as=bob", beside=alice).sign_in()
    names = {who.page.locator("#me").inner_text() for who in (alice, bob)}
    assert len(names) == 2


def test_an_invitation_is_a_decision(window: OpenWindow, season: Campaign) -> None:
    """Who is signed in already is asked; who has been refused is told so in words."""
    alice, bob = window().sign_in(), window().sign_in()
    bob.visit(alice.invite(), season.slug)
    expect(bob.page.locator("#invitation")).to_contain_text("invites you")
    expect(bob.page.locator("#friend-list li")).to_have_count(0)
    bob.button("Become friends").click()
    expect(bob.page.locator("#friend-list li")).to_have_count(1)
    expect(bob.page.locator("#invitation")).to_be_hidden()
    bob.visit("/?invitation=nobodys", season.slug)
    expect(bob.page.locator("#toasts")).not_to_be_empty()


def test_asks_are_answered(window: OpenWindow) -> None:
    bob = window().sign_in()
    charlie = PlayerFactory.create(nickname="Charlie")
    friendships.ask(by=charlie.pk, player=player_of(bob).public_id)
    bob.button("Accept Charlie as a friend").click()
    expect(bob.button("Give Charlie a card")).to_be_visible()
