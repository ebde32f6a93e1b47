"""What staff say to players, and what players say, at the admin."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as here
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client

from accounts.models import Player
from fortunes import clock
from fortunes.actions import announcements, comments
from fortunes.models import Announcement, AuditEntry, Campaign, Comment, Proposal
from tests.admin.conftest import member_of_staff, signed_in
from tests.factories import talk, votes
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import DraftSeasonFactory, SeasonFactory

LIST, COMMENTS = "/admin/fortunes/announcement/", "/admin/fortunes/comment/"
PUBLISHER = ("fortunes.view_announcement", "fortunes.publish_announcements")
MODERATOR = ("fortunes.view_comment", "fortunes.moderate_comments")


@pytest.fixture
def season(db: None) -> Campaign:
    return SeasonFactory.create()


@pytest.fixture
def vote(season: Campaign) -> Proposal:
    return votes.OpenProposalFactory.create(campaign=season)


@pytest.fixture
def alice(db: None) -> Player:
    return PlayerFactory.create(nickname="Alice")


@pytest.fixture
def publisher(db: None) -> Client:
    return signed_in(member_of_staff(*PUBLISHER))


@pytest.fixture
def moderator(db: None) -> Client:
    return signed_in(member_of_staff(*MODERATOR))


def said(response: HttpResponse) -> str:
    return [str(message) for message in get_messages(response.wsgi_request)][-1]


def typed(at: datetime) -> str:
    """An instant as staff's browsers send it."""
    return f"{at.astimezone(ZoneInfo(here.STAFF_TIME_ZONE)):%Y-%m-%dT%H:%M:%S}"


def written(season: Campaign, **fields: Any) -> dict[str, Any]:
    return {
        "campaign": season.pk, "public_id": uuid4(), "title_zh": "公告", "title_en": "News",
        "body_zh": "第一行\r\n第二行", "body_en": "One line\r\nand another", "publish_at": typed(clock.now()), **fields,
    }  # fmt: skip


def page(client: Client, row: Announcement | Comment, **headers: str) -> str:
    response = client.get(f"/admin/fortunes/{row._meta.model_name}/{row.pk}/change/", **headers)
    assert response.status_code == 200
    return response.content.decode()


class TestWritingAnnouncements:
    def test_in_both_languages_for_a_time(self, publisher: Client, season: Campaign) -> None:
        at = (clock.now() + timedelta(hours=3)).replace(microsecond=0)
        response = publisher.post(f"{LIST}add/", written(season, publish_at=typed(at), pinned="on"))
        row = Announcement.objects.get(campaign=season)
        assert response["Location"] == f"{LIST}{row.pk}/change/"
        assert (row.title_zh, row.body_en, row.pinned) == ("公告", "One line\nand another", True)
        assert (row.publish_at, row.published_at) == (at, None)
        assert row.written_by == AuditEntry.objects.get(subject_id=row.pk, action="announcement.written").actor
        assert '<div class="whitespace-pre-wrap">One line\nand another</div>' in page(publisher, row)

    def test_sent_twice_is_one(self, publisher: Client, season: Campaign) -> None:
        """The form has the id of what it makes."""
        form = publisher.get(f"{LIST}add/").content.decode()
        chosen = re.search(r'name="public_id" value="([^"]+)"', form)
        assert chosen
        for _ in range(2):
            publisher.post(f"{LIST}add/", written(season, public_id=chosen[1]))
        assert Announcement.objects.get(campaign=season).public_id == UUID(chosen[1])

    @pytest.mark.parametrize(
        "fields",
        [
            {"title_zh": ""}, {"title_en": " "}, {"body_zh": ""}, {"body_en": "\u200b"}, {"title_en": "a" * 81},
            {"body_en": "a" * 2001}, {"publish_at": "tomorrow"}, {"campaign": 2**40}, {"public_id": "mine"},
            {"title_zh": "\u202eevil"}, {"body_zh": "a\x1b[31m"}, {"body_en": "a\x00b"},
            {"title_zh": "\ufb2c" * 80}, {"publish_at": "0001-01-01T00:00:00"},
        ],
        ids=str,
    )  # fmt: skip
    def test_what_is_no_announcement(self, publisher: Client, season: Campaign, fields: dict[str, Any]) -> None:
        response = publisher.post(f"{LIST}add/", written(season, **fields))
        assert response.status_code == 200
        (name,) = fields
        assert name in response.context["adminform"].form.errors
        assert not Announcement.objects.filter(campaign=season).exists()

    def test_a_draft_campaign_may_have_some_already(self, publisher: Client, season: Campaign) -> None:
        draft = DraftSeasonFactory.create()
        publisher.post(f"{LIST}add/", written(draft))
        announcements.publish_due()
        assert Announcement.objects.get(campaign=draft).published_at is None


class TestRunningAnnouncements:
    def test_edited_until_published(self, publisher: Client, season: Campaign) -> None:
        row = talk.planned(season)
        address = f"{LIST}{row.pk}/edit/"
        form = publisher.get(address)
        assert form.context["adminform"].form["title_en"].value() == "News"
        assert typed(row.publish_at) in form.content.decode()
        assert said(publisher.post(address, written(season, title_en="Better"))) == "It has been changed."
        announcements.publish_due()
        refused = publisher.post(address, written(season, title_en="Worse"))
        assert said(refused) == "This announcement has been published or withdrawn already."
        row.refresh_from_db()
        assert row.title_en == "Better"
        assert publisher.post(f"{LIST}{row.pk + 1}/edit/", written(season)).status_code == 404

    def test_buttons(self, publisher: Client, season: Campaign) -> None:
        row = talk.planned(season)
        shown = page(publisher, row)
        assert all(label in shown for label in ("Publish now", "Edit", "Pin", "Withdraw"))
        assert said(publisher.post(f"{LIST}{row.pk}/publication/")) == "It is being published."
        announcements.publish_due()
        shown = page(publisher, row)
        assert "Publish now" not in shown and f"{row.pk}/edit/" not in shown

        assert said(publisher.post(f"{LIST}{row.pk}/pinning/")) == "It is on top."
        assert "Unpin" in page(publisher, row)
        publisher.post(f"{LIST}{row.pk}/unpinning/")
        assert said(publisher.post(f"{LIST}{row.pk}/withdrawal/")) == "It has been withdrawn."
        assert "/withdrawal/" not in page(publisher, row)
        row.refresh_from_db()
        assert (row.pinned, row.withdrawn_at is not None) == (False, True)
        assert said(publisher.post(f"{LIST}{row.pk}/publication/")).startswith("This announcement has been")
        assert said(publisher.post(f"{LIST}{row.pk + 1}/pinning/")) == "There is no such announcement."

    def test_nothing_without_the_right(self, season: Campaign) -> None:
        row, client = talk.planned(season), signed_in(member_of_staff("fortunes.view_announcement"))
        assert "/withdrawal/" not in page(client, row)
        for path in ("publication", "withdrawal", "pinning", "unpinning", "edit"):
            assert client.post(f"{LIST}{row.pk}/{path}/").status_code == 403
        assert client.post(f"{LIST}add/", written(season)).status_code == 403
        assert client.get(f"{LIST}add/").status_code == 403
        assert signed_in(member_of_staff("fortunes.publish_announcements")).get(LIST).status_code in (200, 403)

    def test_list_tells_how_they_are(self, publisher: Client, season: Campaign) -> None:
        talk.planned(season)
        talk.announced(season)
        shown = publisher.get(LIST, HTTP_ACCEPT_LANGUAGE="en").content.decode()
        assert "waiting" in shown and "published" in shown and "News" in shown
        shown = publisher.get(LIST, HTTP_ACCEPT_LANGUAGE="zh-hans").content.decode()
        assert "公告" in shown and "News" not in shown


class TestModeration:
    def test_hidden_and_shown_again(self, moderator: Client, vote: Proposal, alice: Player) -> None:
        row = talk.commented(alice, vote, "off topic")
        assert "off topic" in moderator.get(COMMENTS).content.decode()
        assert "Hide" in page(moderator, row)
        assert said(moderator.post(f"{COMMENTS}{row.pk}/hiding/")) == "Nobody but its author sees it any more."
        shown = page(moderator, row)
        assert "Show again" in shown and "/reply/" not in shown
        assert said(moderator.post(f"{COMMENTS}{row.pk}/showing/")) == "Everybody sees it again."
        assert [entry.action for entry in AuditEntry.objects.filter(subject_id=row.pk).order_by("seq")] == [
            "comment.hidden", "comment.unhidden",
        ]  # fmt: skip

    def test_a_reply(self, moderator: Client, vote: Proposal, alice: Player) -> None:
        row = talk.commented(alice, vote, "<b>why?</b>")
        form = moderator.get(f"{COMMENTS}{row.pk}/reply/").content.decode()
        assert "&lt;b&gt;why?&lt;/b&gt;" in form
        chosen = re.search(r'name="public_id" value="([^"]+)"', form)
        assert chosen
        for _ in range(2):
            response = moderator.post(f"{COMMENTS}{row.pk}/reply/", {"text": "because\r\nso", "public_id": chosen[1]})
            assert said(response) == "The reply has been published."
        reply = Comment.objects.get(answers=row)
        assert (reply.text, reply.by_staff, reply.public_id) == ("because\nso", True, UUID(chosen[1]))
        shown = page(moderator, reply)
        assert "/reply/" not in shown and "Hide" in shown

    @pytest.mark.parametrize("text", ["", " \n ", "a" * 501, "\u202eevil", "a\x1bb", "\u0958" * 500])
    def test_what_is_no_reply(self, moderator: Client, vote: Proposal, alice: Player, text: str) -> None:
        row = talk.commented(alice, vote)
        response = moderator.post(f"{COMMENTS}{row.pk}/reply/", {"text": text, "public_id": uuid4()})
        assert "text" in response.context["adminform"].form.errors
        assert not Comment.objects.filter(answers=row).exists()

    def test_what_is_gone_meanwhile(self, moderator: Client, vote: Proposal, alice: Player) -> None:
        row = talk.commented(alice, vote)
        comments.delete(comment_id=row.public_id, by=alice)
        for path, body in (("hiding", {}), ("showing", {}), ("reply", {"text": "hello", "public_id": uuid4()})):
            assert said(moderator.post(f"{COMMENTS}{row.pk}/{path}/", body)) == "There is no such comment."
        assert not any(path in page(moderator, row) for path in ("/hiding/", "/showing/", "/reply/"))
        assert moderator.get(f"{COMMENTS}{row.pk + 1}/reply/").status_code == 404

    def test_nothing_without_the_right(self, vote: Proposal, alice: Player) -> None:
        row, client = talk.commented(alice, vote), signed_in(member_of_staff("fortunes.view_comment"))
        assert "/hiding/" not in page(client, row)
        for path in ("hiding", "showing", "reply"):
            assert client.post(f"{COMMENTS}{row.pk}/{path}/").status_code == 403

    def test_found_by_proposal_and_by_player(self, moderator: Client, vote: Proposal, alice: Player) -> None:
        row = talk.commented(alice, vote, "found")
        talk.comment(PlayerFactory.create(), votes.OpenProposalFactory.create(), "other")
        for query in (f"proposal__id__exact={vote.pk}", f"q={alice.username}", f"q={row.public_id}", f"q={row.pk}"):
            shown = moderator.get(f"{COMMENTS}?{query}").content.decode()
            assert "found" in shown and "other" not in shown

    def test_in_chinese(self, moderator: Client, vote: Proposal, alice: Player) -> None:
        shown = page(moderator, talk.commented(alice, vote), HTTP_ACCEPT_LANGUAGE="zh-hans")
        assert "隐藏" in shown and "回复" in shown
