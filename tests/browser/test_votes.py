"""Votes in the page: asked, cast, watched and decided live, and what staff announce."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Route, expect

from fortunes import clock as database_clock
from fortunes.actions import announcements, comments
from fortunes.models import Ballot, Campaign, Comment, Proposal
from tests.browser.test_staying import player_of
from tests.browser.test_using import NAMELESS, TOO_WIDE
from tests.browser.windows import Window
from tests.factories import cards as make
from tests.factories import talk
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock
from tests.realtime import story

pytestmark = [pytest.mark.committed, pytest.mark.slow]

OpenWindow = Callable[..., Window]
REMOVED = {"changes": {"specials": ["wild"]}, "compensations": {"steal": {"into": "wild"}}}


@pytest.fixture
def season(committed_db: None) -> Campaign:
    """Every draw is the same card; steal cards are dealt."""
    rulebook = {
        "weights": {"patriotism": 1},
        "complete_set": ["patriotism"],
        "specials": ["wild", "steal"],
        "caps": {},
        "quotas": make.PLENTY,
    }
    return make.SeasonFactory(rulebook=rulebook, specials=True)


def collector(window: OpenWindow, **options: object) -> Window:
    """A player who has joined the season, so that they may vote."""
    made = window(**options).sign_in()
    made.scan()
    made.has(1)
    return made


def vote(window: Window, option: str) -> None:
    window.page.get_by_role("radio", name=option).check()
    window.button("Cast my ballot").click()
    window.toast("Your ballot counts.")
    expect(window.page.locator("#own-ballot")).to_have_text(f"You voted: {option}")
    expect(window.button("Cast my ballot")).to_be_hidden()


def has_ballots(window: Window, option: int, ballots: int) -> None:
    bar = window.page.locator(f'#choices li[data-option="{option}"]')
    expect(bar).to_have_attribute("data-ballots", str(ballots))


def test_a_vote_from_its_opening_to_what_it_changes(window: OpenWindow, season: Campaign, clock: Clock) -> None:
    alice, bob = collector(window), collector(window)
    make.deal(season, player_of(alice), "steal", "steal")
    expect(alice.page.locator("#vote")).to_be_hidden()
    proposal = story.put_to_the_vote(season, [{}, REMOVED])
    # Nobody has reloaded anything.
    expect(alice.page.get_by_role("group", name="Shall the steal card go?")).to_be_visible()
    expect(bob.page.locator("#vote-state")).to_contain_text("Open until")

    bob.page.get_by_role("radio", name="Option 1").check()
    vote(alice, "Option 2")
    has_ballots(bob, 2, 1)
    # The tally that came meanwhile has left bob's choice alone.
    expect(bob.page.get_by_role("radio", name="Option 1")).to_be_checked()
    vote(bob, "Option 2")
    has_ballots(alice, 2, 2)

    alice.page.get_by_text("My receipt").click()
    receipt = alice.page.locator("#receipt")
    expect(receipt).to_have_text(re.compile(r"^[0-9a-f]{32}$"))
    kept = receipt.inner_text()
    alice.page.reload()
    expect(alice.page.locator("#own-ballot")).to_have_text("You voted: Option 2")
    expect(receipt).to_have_text(kept)
    alice.wait_live()

    clock.move_to(proposal.closes_at)
    story.close(proposal)
    alice.toast("The rules have changed.")
    story.follow(season)
    alice.toast(re.compile(r"The rules have removed Steal\. What you had of it, 2, became Wild ×2"))
    for window_ in (alice, bob):
        expect(window_.page.locator("#vote-state")).to_have_text("Decided: Option 2")
        expect(window_.page.locator("#choices li.winner")).to_contain_text("Option 2")
        expect(window_.page.get_by_role("radio", name="Option 1")).to_be_disabled()
    alice.has(2, "wild")
    alice.has(0, "steal")


def test_back_to_an_option_whose_answer_was_lost(window: OpenWindow, season: Campaign) -> None:
    alice = collector(window)
    alice.expected.append("ERR_(CONNECTION_RESET|FAILED)")
    proposal = story.put_to_the_vote(season, [{}, {}])
    Proposal.objects.filter(pk=proposal.pk).update(may_change=True)
    alice.visit(alice.page.url)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    def choose(option: str) -> None:
        alice.wait_live()
        alice.page.get_by_role("radio", name=option).check()
        alice.button("Cast my ballot").click()

    alice.page.route("**/ballot", lose)
    choose("Option 1")
    alice.toast("The server can't be reached. What you did is kept, and tried again.")
    alice.page.unroute("**/ballot")
    alice.visit(alice.page.url)
    for number in (2, 1):
        choose(f"Option {number}")
        has_ballots(alice, number, 1)
        expect(alice.page.locator("#own-ballot")).to_have_text(f"You voted: Option {number}")
    assert Ballot.objects.get(proposal=proposal).option == 1


def says(window: Window, text: str) -> None:
    window.page.get_by_label("What do you say?").fill(text)
    window.button("Comment", "#comment").click()
    expect(window.page.locator("#comment-list li").first).to_contain_text(text)
    expect(window.page.get_by_label("What do you say?")).to_have_value("")


def test_players_comment_and_staff_answer_live(window: OpenWindow, season: Campaign) -> None:
    alice, bob = collector(window), collector(window)
    staff = PlayerFactory.create(is_staff=True)
    proposal = story.put_to_the_vote(season, [{}, {}])
    nobody = window()
    for one in (alice, bob, nobody):
        one.page.get_by_text("Comments", exact=True).click()
        expect(one.page.locator("#no-comments")).to_be_visible()
    expect(nobody.page.locator("#comment")).to_be_hidden()

    says(alice, "Keep it!\n<b>Please</b>")
    says(alice, "It is fun.")
    first = Comment.objects.filter(proposal=proposal).earliest("pk")
    reply = comments.answer(comment_id=first.pk, text="We hear you.", by=staff.pk, public_id=uuid4())
    # Nobody has reloaded anything; what bob hadn't looked at yet comes with it.
    newest = bob.page.locator("#comment-list li").first
    expect(newest).to_contain_text("The organiser")
    expect(newest.locator("blockquote")).to_contain_text("<b>Please</b>")
    expect(bob.page.locator("#comment-list li")).to_have_count(3)
    expect(bob.button("Delete my comment")).to_have_count(0)

    comments.hide(comment_id=reply.pk, by=staff.pk)
    expect(bob.page.locator("#comment-list li")).to_have_count(2)
    alice.button("Delete my comment").first.click()
    expect(alice.page.locator("#comment-list li")).to_have_count(1)
    comments.hide(comment_id=first.pk, by=staff.pk)
    expect(bob.page.locator("#no-comments")).to_be_visible()
    expect(alice.page.get_by_text("Hidden by the organiser: only you see it.")).to_be_visible()


def test_a_comment_that_is_refused_stays_in_its_field(window: OpenWindow, season: Campaign) -> None:
    alice = collector(window)
    proposal = story.put_to_the_vote(season, [{}, {}])
    alice.page.get_by_text("Comments", exact=True).click()
    for number in range(5):
        says(alice, f"{number}")
    field = alice.page.get_by_label("What do you say?")
    field.fill("One more")
    alice.button("Comment", "#comment").click()
    expect(alice.page.locator("#toasts")).not_to_be_empty()
    expect(field).to_have_value("One more")
    assert Comment.objects.filter(proposal=proposal).count() == 5

    for number in range(8):
        talk.comment(PlayerFactory.create(), proposal, f"other {number}")
    alice.visit(alice.page.url)
    alice.page.get_by_text("Comments", exact=True).click()
    expect(alice.page.locator("#comment-list li")).to_have_count(10)
    alice.button("Older comments").click()
    expect(alice.page.locator("#comment-list li")).to_have_count(13)
    expect(alice.button("Older comments")).to_be_hidden()


def test_who_is_not_signed_in_sees_how_it_stands(window: OpenWindow, season: Campaign) -> None:
    alice = collector(window)
    proposal = story.put_to_the_vote(season, [{}, {}])
    alice.page.get_by_role("radio", name="Option 1").check()
    alice.button("Cast my ballot").click()
    alice.toast("Your ballot counts.")
    nobody = window()
    has_ballots(nobody, 1, 1)
    expect(nobody.page.locator("#votes-cast")).to_have_text("Ballots: 1")
    expect(nobody.button("Cast my ballot")).to_be_hidden()
    # Whoever joins now was not there when it opened, and is told so.
    late = window().sign_in()
    late.page.get_by_role("radio", name="Option 2").check()
    late.button("Cast my ballot").click()
    expect(late.page.locator("#toasts")).not_to_be_empty()
    has_ballots(nobody, 2, 0)
    assert proposal.state == Proposal.State.OPEN


@pytest.mark.parametrize("width", [320, 1200])
def test_everything_has_a_name_and_fits(window: OpenWindow, season: Campaign, width: int) -> None:
    announce(season)
    alice = collector(window, viewport={"width": width, "height": 800})
    story.put_to_the_vote(season, [{}, REMOVED])
    alice.page.get_by_text("Comments", exact=True).click()
    expect(alice.page.locator("#comment")).to_be_visible()
    assert alice.page.evaluate(NAMELESS) == []
    assert alice.page.evaluate(TOO_WIDE) <= 0


def test_in_the_other_language(window: OpenWindow, season: Campaign) -> None:
    alice = collector(window)
    story.put_to_the_vote(season, [{}, REMOVED])
    announce(season)
    alice.button("中文").click()
    expect(alice.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(alice.page.get_by_role("group", name="要不要取消顺手牵羊？")).to_be_visible()
    expect(alice.page.get_by_role("radio", name="选项2")).to_be_visible()
    expect(alice.page.locator("#announcement-list li")).to_contain_text("今晚投票")


def announce(season: Campaign) -> None:
    plan = announcements.Plan(
        title_zh="今晚投票",
        title_en="Vote tonight",
        body_zh="顺手牵羊留不留，由大家决定。",
        body_en="You decide whether the steal card stays.",
        publish_at=database_clock.now() - timedelta(seconds=1),
        pinned=True,
    )
    announcements.write(campaign_id=season.pk, plan=plan, by=None)
    announcements.publish_due()


def test_an_announcement_comes_live(window: OpenWindow, season: Campaign) -> None:
    alice = window().sign_in()
    expect(alice.page.locator("#announcements")).to_be_hidden()
    announce(season)
    alice.toast("There is news from the organiser.")
    expect(alice.page.locator("#announcement-list li.pinned")).to_contain_text("You decide whether")
