"""Announcements and comments over REST: what a client sends, what it gets, and what it can't break."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import override_settings

from accounts.models import Player
from fortunes import commenting
from fortunes.actions import comments
from fortunes.models import Campaign, Comment, Proposal
from tests.cards import calling
from tests.factories import talk, votes
from tests.factories.cards import DraftSeasonFactory

pytestmark = pytest.mark.django_db


def address(vote: Proposal) -> str:
    return f"proposals/{vote.public_id}/comments"


def say(player: Player | None, vote: Proposal, text: Any, **options: Any) -> Any:
    return calling.post(player, address(vote), {"text": text}, **options)


def texts(player: Player | None, vote: Proposal) -> list[str]:
    return [item["text"] for item in calling.get(player, address(vote)).json()["items"]]


class TestAnnouncements:
    def test_are_public_in_both_languages(self, season: Campaign) -> None:
        row = talk.announced(season, pinned=True)
        body = calling.get(None, f"campaigns/{season.slug}/announcements").json()
        assert body["next"] is None
        (item,) = body["items"]
        assert item == {
            "id": str(row.public_id),
            "title": {"zh": "公告", "en": "News"},
            "body": {"zh": "今晚开奖。", "en": "Packets open tonight."},
            "pinned": True,
            "published_at": item["published_at"],
        }

    def test_pages(self, season: Campaign, alice: Player) -> None:
        for number in range(5):
            talk.announced(season, title_en=f"{number}", pinned=number == 1)
        path = f"campaigns/{season.slug}/announcements?limit=2"
        assert [item["title"]["en"] for item in calling.items(alice, path)] == ["1", "4", "3", "2", "0"]
        assert [len(page["items"]) for page in calling.pages(alice, path)] == [2, 2, 1]

    def test_of_a_campaign_that_players_do_not_see(self) -> None:
        draft = DraftSeasonFactory.create()
        response = calling.get(None, f"campaigns/{draft.slug}/announcements")
        assert calling.problem(response) == (404, "campaign-not-found")

    @pytest.mark.parametrize("place", ["1", "1.2", "2.1.1", "0.99999999999999999.1", "1.1.1; DROP TABLE x", "१.1.1"])
    def test_a_cursor_of_somebody_elses(self, season: Campaign, place: str) -> None:
        import base64
        from urllib.parse import urlencode

        cursor = base64.b64encode(urlencode({"p": place}).encode()).decode()
        response = calling.get(None, f"campaigns/{season.slug}/announcements?{urlencode({'cursor': cursor})}")
        assert calling.problem(response) == (400, "invalid-request")


class TestComments:
    def test_written_read_and_deleted(self, vote: Proposal, alice: Player, bob: Player) -> None:
        response = say(alice, vote, "  Keep it!\n留下吧 ")
        assert response.status_code == 201
        told = response.json()
        assert told["author"] == {"id": str(alice.public_id), "nickname": "Alice"}
        assert (told["text"], told["own"], told["staff"], told["answers"]) == ("Keep it!\n留下吧", True, False, None)

        (read,) = calling.get(bob, address(vote)).json()["items"]
        assert read == told | {"own": False}
        (anonymous,) = calling.get(None, address(vote)).json()["items"]
        assert anonymous == read

        path = f"comments/{told['id']}"
        assert calling.problem(_delete(bob, path)) == (404, "comment-not-found")
        assert _delete(alice, path).status_code == 204
        assert _delete(alice, path).status_code == 204
        assert texts(None, vote) == []

    def test_a_double_tap_is_one_comment(self, vote: Proposal, alice: Player) -> None:
        first, again = (say(alice, vote, "once", key="tap") for _ in range(2))
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert texts(None, vote) == ["once"]
        assert calling.problem(say(alice, vote, "twice", key="tap")) == (422, "idempotency-key-reused")
        assert calling.problem(say(alice, vote, "never", key="")) == (400, "idempotency-key-missing")

    def test_pages_are_newest_first_and_stay_together(self, vote: Proposal, alice: Player, bob: Player) -> None:
        for number in range(5):
            talk.comment(alice, vote, f"{number}")
        pages = calling.pages(bob, f"{address(vote)}?limit=2")
        found = [item["text"] for item in next(pages)["items"]]
        # What is new meanwhile moves nothing on the pages that follow.
        talk.comment(bob, vote, "new")
        found += [item["text"] for page in pages for item in page["items"]]
        assert found == ["4", "3", "2", "1", "0"]

    def test_a_reply_says_what_it_answers(self, vote: Proposal, alice: Player, staff: Player) -> None:
        row = talk.commented(alice, vote, "why?")
        talk.replied(row, "because", by=staff)
        reply, asked = calling.get(None, address(vote)).json()["items"]
        assert (reply["staff"], reply["author"]) == (True, None)
        assert reply["answers"] == {"id": asked["id"], "author": asked["author"], "text": "why?"}
        assert staff.username not in json.dumps(reply) and "Weary" not in json.dumps(reply)

    def test_a_hidden_one_is_shown_to_its_author_as_such(self, vote: Proposal, alice: Player, staff: Player) -> None:
        comments.hide(comment_id=talk.commented(alice, vote).pk, by=staff.pk)
        assert texts(None, vote) == []
        (item,) = calling.get(alice, address(vote)).json()["items"]
        assert item["hidden"] and item["own"]

    def test_of_a_proposal_that_players_do_not_see(self, season: Campaign, alice: Player) -> None:
        draft = votes.DraftProposalFactory.create(campaign=season)
        for proposal_id in (draft.public_id, uuid4()):
            path = f"proposals/{proposal_id}/comments"
            assert calling.problem(calling.get(alice, path)) == (404, "proposal-not-found")
            assert calling.problem(calling.post(alice, path, {"text": "hello"})) == (404, "proposal-not-found")

    def test_the_limit_says_when_it_ends(self, vote: Proposal, alice: Player) -> None:
        for number in range(commenting.PER_MINUTE):
            assert say(alice, vote, f"{number}").status_code == 201
        response = say(alice, vote, "more")
        assert calling.problem(response) == (409, "comment-limit-reached")
        body = response.json()
        assert (body["limit"], body["window_s"]) == (5, 60) and body["next_at"].endswith("Z")
        assert 1 <= int(response["Retry-After"]) <= 60

    def test_unwelcome_words(self, vote: Proposal, alice: Player) -> None:
        assert calling.problem(say(alice, vote, "what the f u c k")) == (422, "comment-refused")
        with override_settings(LANGUAGE_CODE="en"):
            response = say(alice, vote, "fuck", **{"Accept-Language": "zh-CN"})
        assert response.status_code == 422

    def test_nobody_writes_without_signing_in(self, vote: Proposal) -> None:
        assert say(None, vote, "hello").status_code == 401
        assert _delete(None, f"comments/{uuid4()}").status_code == 401


class TestHostile:
    @pytest.mark.parametrize(
        "text",
        [
            "", " ", "\n\t", None, 7, ["a"], {"a": 1}, True, "福" * 501, "a" * 10_000, "\u200b\u200b", "\x1b[31m",
            "\u202eevil", "a\u2066b", "a\u2028b", "tab\tulator", "Z\u0310\u0352\u0306\u0309\u0342algo",
            # Composed to twice its length.
            "\u0958" * 500,
        ],
    )  # fmt: skip
    def test_what_is_no_comment(self, vote: Proposal, alice: Player, text: Any) -> None:
        assert set(calling.pointers(say(alice, vote, text))) == {"/text"}
        assert not Comment.objects.filter(proposal=vote).exists()

    @pytest.mark.parametrize(
        "body",
        [b"", b"[]", b"null", b"\"text\"", b"{\"text\": \"a\", \"by_staff\": true}", b"{", b"\xff",
         b"{\"text\": \"\\ud800\"}", b"{\"text\": \"a\\u0000b\"}"],
    )  # fmt: skip
    def test_what_is_no_body(self, vote: Proposal, alice: Player, body: bytes) -> None:
        response = calling.post(alice, address(vote), body)
        assert 400 <= response.status_code < 500
        calling.problem(response)
        assert not Comment.objects.filter(proposal=vote).exists()

    @pytest.mark.parametrize(
        "text",
        ["<script>alert(1)</script>", "'; DROP TABLE fortunes_comment; --", "{{ 7*7 }} ${7*7} %s %(text)s", "\\u0000"],
    )
    def test_text_is_text(self, vote: Proposal, alice: Player, text: str) -> None:
        assert say(alice, vote, text).json()["text"] == text
        assert texts(None, vote) == [text]

    @pytest.mark.parametrize("query", ["cursor=x", "cursor=", "limit=0", "limit=-1", "limit=1e3", "limit=%00"])
    def test_odd_pages(self, vote: Proposal, query: str) -> None:
        response = calling.get(None, f"{address(vote)}?{query}")
        assert response.status_code in (200, 400)

    @pytest.mark.parametrize("path", ["comments/1", "comments/not-an-id", "proposals/1/comments"])
    def test_odd_addresses(self, alice: Player, path: str) -> None:
        assert calling.problem(_delete(alice, path))[0] in (404, 405)

    def test_longest(self, vote: Proposal, alice: Player) -> None:
        assert say(alice, vote, "🎉" * commenting.LENGTH).status_code == 201
        # 500 code points that composing makes shorter.
        assert say(alice, vote, "e\u0301" * 250).json()["text"] == "é" * 250


def _delete(player: Player | None, path: str) -> Any:
    return calling._client(player, {}).delete(f"/api/v1/{path}")
