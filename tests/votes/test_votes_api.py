"""Proposals over REST, as everybody may read them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import tokens
from accounts.models import Player
from fortunes import clock as database_clock
from fortunes.actions import proposals
from fortunes.models import Amendment, Campaign, Proposal
from tests.factories import votes as make
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import SeasonFactory
from tests.plugins.clock import Clock
from tests.votes.motions import INTO_WILD, KEEP, NO_STEALS, ONE_MORE, again, change, close, drafted, opened, voted

pytestmark = pytest.mark.django_db

STEALS: dict[str, Any] = {"specials": ["wild", "copy", "steal"]}


@pytest.fixture
def season() -> Campaign:
    campaign: Campaign = SeasonFactory.create()
    return campaign


def read(proposal: Proposal, player: Player | None = None) -> dict[str, Any]:
    answer = client(player).get(f"/api/v1/proposals/{proposal.public_id}")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def listed(season: Campaign, query: str = "") -> dict[str, Any]:
    answer = client().get(f"/api/v1/campaigns/{season.slug}/proposals{query}")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def client(player: Player | None = None) -> Client:
    return Client(headers={"Authorization": f"Bearer {tokens.issue(player).token}"} if player else {})


class TestRead:
    def test_an_open_one(self, season: Campaign) -> None:
        vote = opened(season, quorum=2)
        voted(vote, 2, 2)
        said = read(vote)
        assert said["id"] == str(vote.public_id)
        assert said["campaign"] == season.slug
        assert said["question"] == {"zh": "要改规则吗？", "en": "Shall the rules change?"}
        assert (said["state"], said["quorum"], said["threshold_bp"], said["may_change"]) == ("open", 2, 5000, False)
        assert [option["ballots"] for option in said["options"]] == [0, 2]
        assert (said["cast"], said["mine"], said["result"], said["reason"]) == (2, None, None, None)

    def test_what_an_option_would_change(self, season: Campaign) -> None:
        keep, other = read(opened(season))["options"]
        assert (keep["number"], keep["name"], keep["changes"], keep["patch"]) == (
            1,
            {"zh": "保留", "en": "Keep it"},
            [],
            {},
        )
        assert other["changes"] == [{"path": "/quotas/code/per_day", "before": 3, "after": 9}]
        assert (other["patch"], other["strikes"], other["compensations"]) == (ONE_MORE, None, [])

    def test_what_becomes_of_cards(self) -> None:
        season = SeasonFactory.create(specials=True, rulebook=STEALS)
        fen = {"steal": {"into": "fen", "amount_fen": 88}}
        vote = opened(season, KEEP, change(NO_STEALS, compensations=fen))
        assert read(vote)["options"][1]["compensations"] == [{"role": "steal", "into": "fen", "amount_fen": 88}]
        other = SeasonFactory.create(specials=True, rulebook=STEALS)
        vote = opened(other, KEEP, change(NO_STEALS, compensations=INTO_WILD))
        assert read(vote)["options"][1]["compensations"] == [{"role": "steal", "into": "wild", "amount_fen": None}]

    def test_what_it_strikes(self) -> None:
        season = SeasonFactory.create(specials=True, announced=[(timedelta(days=1), STEALS)])
        amendment = Amendment.objects.get(campaign=season)
        vote = opened(season, KEEP, change({}, strikes=amendment.pk))
        assert read(vote)["options"][1]["strikes"] == str(amendment.public_id)

    def test_my_own_ballot_is_told_to_me_alone(self, season: Campaign) -> None:
        vote = opened(season)
        alice, bob = voted(vote, 2, 1)
        assert (read(vote, alice)["mine"], read(vote, bob)["mine"]) == (2, 1)
        assert (read(vote)["mine"], read(vote, PlayerFactory.create())["mine"]) == (None, None)

    def test_a_draft_is_the_staffs(self, season: Campaign) -> None:
        draft = drafted(season)
        staff = PlayerFactory.create(is_staff=True, is_superuser=True)
        thrown_away = proposals.cancel(
            proposal_id=drafted(season).pk, reason_zh="误", reason_en="By mistake", by=staff.pk
        )
        for hidden in (draft.public_id, thrown_away.public_id, uuid.uuid4()):
            answer = client(staff).get(f"/api/v1/proposals/{hidden}")
            assert (answer.status_code, answer.json()["code"]) == (404, "proposal-not-found")
        assert listed(season)["items"] == []


class TestStates:
    def test_by_the_clock(self, season: Campaign, clock: Clock) -> None:
        """And not by when a worker comes."""
        later = database_clock.now() + timedelta(minutes=5)
        vote = opened(season, opens_at=later)
        assert read(vote)["state"] == "scheduled"
        clock.move_to(later)
        assert read(vote)["state"] == "open"
        clock.move_to(vote.closes_at)
        assert read(vote)["state"] == "counting"

    def test_closed(self, season: Campaign, clock: Clock) -> None:
        vote = opened(season)
        voted(vote, 1, 2, 2)
        close(clock, vote)
        said, row = read(vote), again(vote)
        assert said["state"] == "closed"
        assert said["result"] == {
            "outcome": "adopted",
            "winner": 2,
            "version": 2,
            "eligible": 3,
            "cast": 3,
            "ballots_hash": bytes(row.ballots_hash or b"").hex(),
            "closed_at": row.closed_at.isoformat().replace("+00:00", "Z"),
        }

    def test_what_was_changed_is_still_told(self, season: Campaign, clock: Clock) -> None:
        """Against the rules before it, whatever has changed since."""
        vote = opened(season)
        voted(vote, 2)
        close(clock, vote)
        other = opened(season, KEEP, change({"quotas": {"code": {"per_day": 20}}}))
        voted(other, 2)
        close(clock, other)
        assert read(vote)["options"][1]["changes"][0]["before"] == 3
        assert read(other)["options"][1]["changes"][0]["before"] == 9

    def test_what_was_refused_is_told_against_the_rules_of_its_day(self, season: Campaign, clock: Clock) -> None:
        vote = opened(season)
        voted(vote, 1)
        close(clock, vote)
        other = opened(season)
        voted(other, 2)
        close(clock, other)
        assert read(vote)["options"][1]["changes"] == read(other)["options"][1]["changes"]
        assert read(vote)["result"]["version"] is None

    def test_cancelled(self, season: Campaign) -> None:
        vote = opened(season)
        proposals.cancel(proposal_id=vote.pk, reason_zh="写错了", reason_en="By mistake", by=None)
        said = read(vote)
        assert (said["state"], said["result"]) == ("cancelled", None)
        assert said["reason"] == {"zh": "写错了", "en": "By mistake"}

    def test_what_is_not_possible_any_more(self, season: Campaign) -> None:
        """Its patch says what it was about."""
        vote = make.OpenProposalFactory.create(campaign=season, options=[{}, {"weights": {"tiger": 1}, "split": 5}])
        option = read(vote)["options"][1]
        assert (option["changes"], option["patch"]["split"]) == ([], 5)


class TestList:
    def test_newest_first_in_pages(self, season: Campaign) -> None:
        first = opened(season)
        second = opened(season, KEEP, change({"trading": {"cooling_h": 1}}))
        opened(SeasonFactory.create())
        page = listed(season, "?limit=1")
        assert [vote["id"] for vote in page["items"]] == [str(second.public_id)]
        rest = client().get(page["next"]).json()
        assert ([vote["id"] for vote in rest["items"]], rest["next"]) == ([str(first.public_id)], None)

    def test_of_a_campaign_that_is_not_there(self) -> None:
        assert client().get("/api/v1/campaigns/nowhere/proposals").status_code == 404

    def test_the_number_of_queries_does_not_grow(self, season: Campaign, django_assert_max_num_queries: Any) -> None:
        alice = PlayerFactory.create()
        for minutes in range(5):
            opened(season, KEEP, change({"trading": {"open_links": 11 + minutes}}), opens_at=database_clock.now())
            Proposal.objects.filter(campaign=season, state="open").update(
                state="cancelled", cancelled_at=database_clock.now()
            )
        with django_assert_max_num_queries(9):
            client(alice).get(f"/api/v1/campaigns/{season.slug}/proposals")
