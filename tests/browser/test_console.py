"""A campaign's figures in a real browser: renewed while they are looked at, honest without a connection, and by the
database's clock.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import Player
from fortunes.models import AuditEntry, Campaign
from redpackets.models import Settlement
from tests.admin.conftest import member_of_staff, signed_in
from tests.realtime.servers import Server

SOON_MS = 15_000


@pytest.fixture
def boss(season: Campaign) -> Player:
    return member_of_staff(is_superuser=True)


@pytest.fixture
def page(browser: Browser, web: Server, season: Campaign, boss: Player) -> Iterator[Page]:
    """The figures of the season, of which the first have come."""
    context = browser.new_context(locale="en", base_url=web.url)
    session = signed_in(boss).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": web.url}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"/admin/fortunes/campaign/{season.pk}/live/")
    page.wait_for_selector("[data-chart=minutes] svg")
    yield page
    context.close()
    assert not complaints


def test_counts_down_by_the_database_and_not_by_the_laptop(page: Page) -> None:
    page.evaluate("Date.now = () => 0")
    shown = page.inner_text("[data-at]")
    expect(page.locator("[data-at]")).not_to_have_text(shown, timeout=SOON_MS)
    assert " d " in page.inner_text("[data-at]")


def test_says_since_when_there_is_no_connection_and_takes_it_up_again(page: Page) -> None:
    page.route("**/figures/", lambda route: route.abort())
    notice = page.locator("[data-notice]")
    expect(notice).to_contain_text("No connection since", timeout=SOON_MS)
    page.unroute("**/figures/")
    expect(notice).to_be_hidden(timeout=4 * SOON_MS)


def test_asks_nothing_while_nobody_looks(page: Page) -> None:
    turn = """hidden => {
        Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    with page.expect_response("**/figures/", timeout=SOON_MS):
        pass
    page.evaluate(turn, True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    # Twice as long as it would have taken to ask again.
    page.wait_for_timeout(6500)
    assert not asked
    with page.expect_response("**/figures/", timeout=SOON_MS):
        page.evaluate(turn, False)


def test_tells_who_was_signed_out(page: Page) -> None:
    page.context.clear_cookies()
    expect(page.locator("[data-notice]")).to_contain_text("You have been signed out", timeout=SOON_MS)


def test_buttons_pause_and_resume(page: Page, season: Campaign, boss: Player) -> None:
    run = Settlement.objects.get(pool__campaign=season)
    part = page.locator("[data-part=settlement]")
    part.get_by_role("button", name="Pause").click()
    expect(part.get_by_role("alert")).to_contain_text("Paused since", timeout=SOON_MS)
    part.get_by_role("button", name="Resume").click()
    expect(part.get_by_role("button", name="Pause")).to_be_visible(timeout=SOON_MS)
    entries = AuditEntry.objects.filter(subject="redpackets.settlement", subject_id=run.pk, actor=boss)
    assert [entry.action for entry in entries.order_by("seq")] == ["settlement.paused", "settlement.resumed"]


def test_a_table_stays_open_and_a_button_keeps_its_focus_when_figures_come(page: Page) -> None:
    page.locator("#minutes-table summary").click()
    pause = page.locator("[data-part=settlement]").get_by_role("button", name="Pause")
    pause.focus()
    for _ in range(2):
        with page.expect_response("**/figures/", timeout=SOON_MS):
            pass
    expect(pause).to_be_focused()
    expect(page.locator("#minutes-table tbody tr")).to_have_count(60)
    assert page.eval_on_selector("#minutes-table", "table => table.open")
