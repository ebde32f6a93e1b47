"""A vote at the admin in a real browser: drafted by fields, opened after a look at what it would do, and watched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from fortunes.models import Campaign, Membership, Option, Proposal
from tests.admin.conftest import member_of_staff, signed_in
from tests.factories import cards
from tests.factories import votes as make
from tests.factories.accounts import PlayerFactory
from tests.realtime.servers import Server

SOON_MS = 15_000


@pytest.fixture
def season(committed_db: None) -> Campaign:
    return make.campaign_of_votes(rulebook={"specials": ["wild", "steal", "copy"]})


@pytest.fixture
def page(browser: Browser, web: Server, season: Campaign) -> Iterator[Page]:
    """Of a member of staff who may do everything."""
    context = browser.new_context(locale="en", base_url=web.url)
    session = signed_in(member_of_staff(is_superuser=True)).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": web.url}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert not complaints


def test_is_drafted_foreseen_and_opened(page: Page, season: Campaign) -> None:
    cards.deal(season, PlayerFactory(), "steal", "steal")
    page.goto(f"/admin/fortunes/rulebook/of/{season.pk}/")
    page.get_by_role("link", name="New vote").click()
    page.fill("[name=question_zh]", "保留吗？")
    page.fill("[name=question_en]", "Shall it stay?")
    for number, name in ((1, "Keep it"), (2, "Strike it")):
        page.fill(f"[name=option-{number}-name_zh]", f"选项{number}")
        page.fill(f"[name=option-{number}-name_en]", name)
    forbids = page.locator("[data-optionform='2']")
    forbids.locator("summary", has_text="Special cards").click()
    forbids.locator("[name=option-2-role-steal]").select_option("forbidden")
    page.get_by_role("button", name="Save").click()
    # What is missing is said where it belongs, and nothing that was typed is lost.
    expect(forbids.locator("[name=option-2-into-steal]")).to_be_visible()
    expect(page.get_by_text("Say what becomes of the cards that players hold.")).to_be_visible()
    forbids.locator("[name=option-2-into-steal]").select_option("wild")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="See what each option would do").click()
    expect(page.locator("[data-option='2']")).to_contain_text("2 × Steal, held by 1 players, would become wild cards.")
    page.get_by_role("button", name="Open the vote").click()
    expect(page.locator("[data-part=head] [data-state=open]")).to_be_visible(timeout=SOON_MS)
    proposal = Proposal.objects.get(campaign=season)
    assert proposal.state == "open"
    assert Option.objects.get(proposal=proposal, number=2).changes == {"specials": ["wild", "copy"]}


def test_another_option_keeps_what_was_typed(page: Page, season: Campaign) -> None:
    page.goto(f"/admin/fortunes/proposal/draft/{season.pk}/")
    page.fill("[name=option-1-name_en]", "The first")
    page.get_by_role("button", name="Another option").click()
    expect(page.locator("[data-optionform]")).to_have_count(3)
    expect(page.locator("[name=option-1-name_en]")).to_have_value("The first")


def test_ballots_are_drawn_as_they_come(page: Page, season: Campaign) -> None:
    proposal = make.OpenProposalFactory(campaign=season)
    voters = [make.VoterFactory(proposal=proposal) for _ in range(3)]
    assert Membership.objects.filter(campaign=season).count() == 3
    make.cast(voters[0], proposal, 2)
    page.goto(f"/admin/fortunes/proposal/{proposal.pk}/change/")
    row = page.locator("[data-ballots='2']")
    expect(row).to_contain_text("100.0%", timeout=SOON_MS)
    page.wait_for_selector("[data-chart=options] svg")
    make.cast(voters[1], proposal, 1)
    make.cast(voters[2], proposal, 1)
    expect(row).to_contain_text("33.3%", timeout=SOON_MS)
    expect(page.locator("[data-chart=options] text.ff-figure").first).to_have_text("2")
