"""Getting cards on the page: codes, the daily check-in, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from cards.models import Draw
from fortunes.models import Campaign
from tests.browser.windows import Window
from tests.factories import cards as make

pytestmark = [pytest.mark.committed, pytest.mark.slow]

OpenWindow = Callable[..., Window]


def type_code(window: Window, code: str) -> None:
    window.page.get_by_label("A code from a 福 near you").fill(code)
    window.button("Draw").click()


def draws(season: Campaign) -> int:
    return Draw.objects.filter(campaign=season).count()


def test_a_code_is_typed_and_used_once(window: OpenWindow, season: Campaign) -> None:
    alice = window().sign_in()
    code = make.code(season)

    type_code(alice, f" {code[:10].lower()} {code[10:]}\n".strip())
    expect(alice.page.get_by_role("dialog", name="You drew Patriotism")).to_be_visible()
    alice.page.keyboard.press("Enter")
    alice.has(1)
    expect(alice.page.locator("#left")).to_have_text("Scans left: 2 today, 15 in all")

    type_code(alice, code)
    alice.toast("This code has already been used.")
    type_code(alice, "nonsense")
    alice.toast("This is not a valid code.")
    type_code(alice, make.code(season, valid_for=timedelta(seconds=-1)))
    alice.toast("This code has expired.")
    assert draws(season) == 1


def test_the_address_of_a_picture_brings_its_code(window: OpenWindow, season: Campaign) -> None:
    code = make.code(season)
    alice = window(f"/?code={code}").sign_in()
    field = alice.page.get_by_label("A code from a 福 near you")
    expect(field).to_have_value(code)
    # To follow a link is not to scan.
    assert draws(season) == 0
    field.fill(f"https://fortunes.example/?code={make.code(season)}")
    alice.button("Draw").click()
    expect(alice.page.locator("#reveal")).to_contain_text("You drew Patriotism")


def test_one_check_in_a_day(window: OpenWindow) -> None:
    alice = window().sign_in()
    alice.button("Check in for today's card").click()
    expect(alice.page.locator("#reveal")).to_contain_text("You drew Patriotism")
    alice.button("Into my hand").click()
    alice.has(1)
    expect(alice.button("Checked in today")).to_be_disabled()
    alice.page.reload()
    expect(alice.button("Checked in today")).to_be_disabled()


def lose_first_answer(page: Page, pattern: str) -> list[str | None]:
    """The server does what the first request asks, and the page never hears of it. The keys that were sent."""
    keys: list[str | None] = []

    def handle(route: Route) -> None:
        keys.append(route.request.header_value("Idempotency-Key"))
        if len(keys) == 1:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(pattern, handle)
    return keys


def test_a_lost_answer_is_asked_for_again_with_the_same_key(window: OpenWindow, season: Campaign) -> None:
    alice = window().sign_in()
    alice.expected.append("ERR_CONNECTION_RESET")
    keys = lose_first_answer(alice.page, "**/scans")

    type_code(alice, make.code(season))

    expect(alice.page.locator("#reveal")).to_contain_text("You drew Patriotism")
    alice.has(1)
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert draws(season) == 1


def test_the_key_outlives_the_page(window: OpenWindow, season: Campaign) -> None:
    """Offline for longer than the page tries by itself, and then the player reloads and tries again."""
    alice = window().sign_in()
    alice.expected.append("ERR_(CONNECTION_RESET|FAILED)")
    code = make.code(season)
    keys = lose_first_answer(alice.page, "**/scans")
    sent: list[str | None] = []

    def refuse(route: Route) -> None:
        sent.append(route.request.header_value("Idempotency-Key"))
        route.abort("failed")

    type_code(alice, code)
    expect(alice.page.locator("#reveal")).to_contain_text("You drew")
    alice.page.unroute("**/scans")
    alice.page.route("**/check-ins", refuse)
    alice.button("Into my hand").click()
    alice.button("Check in for today's card").click()
    alice.toast("The server can't be reached. What you did is kept, and tried again.")
    expect(alice.page.locator("#offline")).to_be_visible()
    alice.page.unroute("**/check-ins")

    alice.visit(alice.page.url)
    alice.wait_live()
    with alice.page.expect_request("**/check-ins") as asked:
        alice.button("Check in for today's card").click()
    assert asked.value.header_value("Idempotency-Key") == sent[0]
    assert len(set(sent)) == 1
    assert len(sent) == 4
    assert sent[0] != keys[0]
    expect(alice.page.locator("#offline")).to_be_hidden()


def test_limits_are_said_in_words(window: OpenWindow, season: Campaign) -> None:
    alice = window().sign_in()
    for _ in range(3):
        alice.scan()
    type_code(alice, make.code(season))
    alice.toast("You have no scans left today.")
    expect(alice.page.locator("#left")).to_have_text(re.compile("^Scans left: 0 today"))
