"""Invitation links: made, followed, counted and revoked; and who came in by one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from accounts import errors, invitations, throttles
from accounts.actions import friendships, players
from accounts.actions import invitations as links
from accounts.befriending import Side
from accounts.models import FRIEND_LIMIT, InvitationLink, Player, Referral
from fortunes.models import Event
from tests.factories.accounts import FriendshipFactory, PlayerFactory

pytestmark = pytest.mark.django_db

Clients = Callable[[Player], APIClient]
ADDRESS = "/api/v1/invitations"
PASSWORD = "six lucky carps"

_numbers = itertools.count(1)


def _link(player: Player, channel: str = "") -> InvitationLink:
    return links.create(by=player.pk, channel=channel)[0]


def _sign_up(code: str) -> Any:
    body = {"username": f"newcomer-{next(_numbers)}", "password": PASSWORD, "invitation": code}
    return APIClient().post("/api/v1/players", body, format="json")


def test_a_channel_has_one_link_until_it_is_revoked(alice: Player, client_of: Clients):
    client = client_of(alice)
    made = client.post(ADDRESS, {"channel": "wechat:moments"}, format="json")
    assert made.status_code == 201
    body = made.json()
    assert (body["channel"], body["opens"], body["acceptances"], body["revoked_at"]) == ("wechat:moments", 0, 0, None)
    assert (body["url"], body["created_at"][-1]) == (f"{ADDRESS}/{body['code']}", "Z")
    again = client.post(ADDRESS, {"channel": "wechat:moments"}, format="json")
    assert (again.status_code, again.json()) == (200, body)
    assert client.post(ADDRESS, {}, format="json").json()["channel"] == ""
    assert client.delete(f"{ADDRESS}/{body['code']}").status_code == 204
    anew = client.post(ADDRESS, {"channel": "wechat:moments"}, format="json")
    assert anew.status_code == 201 and anew.json()["code"] != body["code"]


def test_codes_can_be_typed_and_not_guessed():
    codes = {invitations.fresh_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(invitations.normalise_code(f" {code.upper()} ") == code for code in codes)
    assert {invitations.normalise_code(typed) for typed in ("", "x", "a" * 12, "\0" * 12, "\ud800")} == {""}


@pytest.mark.parametrize("channel", ["UPPER", "a b", "x" * 33, "火锅", "a\nb", []])
def test_a_channel_is_a_short_tag(channel: object, alice: Player, client_of: Clients):
    answer = client_of(alice).post(ADDRESS, {"channel": channel}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
    assert not InvitationLink.objects.filter(player=alice).exists()


def test_whoever_has_the_link_sees_who_invites_and_no_more(alice: Player):
    code = _link(alice).code
    answer = APIClient().get(f"{ADDRESS}/{code.upper()}")
    assert answer.status_code == 200
    assert answer.json() == {"inviter": {"id": str(alice.public_id), "nickname": "Alice"}}
    assert InvitationLink.objects.get(code=code).opens == 1


def test_the_list_has_pages_and_what_came_of_each(alice: Player, bob: Player, client_of: Clients):
    codes = [_link(alice, channel).code for channel in ("a", "b", "c")]
    APIClient().get(f"{ADDRESS}/{codes[0]}")
    client_of(bob).post(f"{ADDRESS}/{codes[0]}/acceptance")
    links.revoke(by=alice.pk, code=codes[1])
    page = client_of(alice).get(f"{ADDRESS}?limit=2").json()
    rest = client_of(alice).get(page["next"]).json()
    found = page["items"] + rest["items"]
    assert [item["code"] for item in found] == list(reversed(codes))
    assert [(item["opens"], item["acceptances"]) for item in found] == [(0, 0), (0, 0), (1, 1)]
    assert [item["revoked_at"] is None for item in found] == [True, False, True]
    assert client_of(bob).get(ADDRESS).json() == {"items": [], "next": None}


def test_following_makes_friends_at_once(alice: Player, bob: Player, client_of: Clients):
    code = _link(alice).code
    for _ in range(2):
        answer = client_of(bob).post(f"{ADDRESS}/{code}/acceptance")
        assert (answer.status_code, answer.json()["state"]) == (200, "friends")
        assert answer.json()["player"]["id"] == str(alice.public_id)
    assert [Player.objects.get(pk=one.pk).friend_count for one in (alice, bob)] == [1, 1]
    assert InvitationLink.objects.get(code=code).acceptances == 1
    for one in (alice, bob):
        (told,) = Event.objects.filter(player=one)
        assert (told.type, told.data) == (
            "friendship.accepted", {"by": str(bob.public_id), "to": str(alice.public_id)},
        )  # fmt: skip
    assert not Referral.objects.exists()


@pytest.mark.parametrize("asker", ["alice", "bob"])
def test_following_settles_an_ask(asker: str, alice: Player, bob: Player):
    one, other = (alice, bob) if asker == "alice" else (bob, alice)
    friendships.ask(by=one.pk, player=other.public_id)
    standing = links.accept(by=bob.pk, code=_link(alice).code)
    assert standing.state is Side.FRIENDS


def test_nobody_follows_their_own_link(alice: Player, client_of: Clients):
    answer = client_of(alice).post(f"{ADDRESS}/{_link(alice).code}/acceptance")
    assert (answer.status_code, answer.json()["code"]) == (422, "invitation-of-oneself")


def test_unknown_revoked_blocked_and_shut_out_look_the_same(alice: Player, bob: Player, client_of: Clients):
    revoked, barred, blocked, shut_out = (_link(player).code for player in (alice, *PlayerFactory.create_batch(3)))
    links.revoke(by=alice.pk, code=revoked)
    friendships.block(by=InvitationLink.objects.get(code=barred).player_id, player=bob.public_id)
    friendships.block(by=bob.pk, player=InvitationLink.objects.get(code=blocked).player.public_id)
    Player.objects.filter(pk=InvitationLink.objects.get(code=shut_out).player_id).update(is_active=False)
    answers = {
        (answer.status_code, answer.content)
        for code in ("bcdfghjkmnpq", "nonsense", revoked, barred, blocked, shut_out)
        for answer in [client_of(bob).post(f"{ADDRESS}/{code}/acceptance")]
    }
    ((status, body),) = answers
    assert status == 404 and b'"invitation-not-found"' in body
    for code in ("nonsense", revoked, shut_out):
        assert APIClient().get(f"{ADDRESS}/{code}").status_code == 404


def test_only_ones_own_links_are_revoked(alice: Player, bob: Player, client_of: Clients):
    code = _link(alice).code
    for other in (code, "bcdfghjkmnpq"):
        answer = client_of(bob).delete(f"{ADDRESS}/{other}")
        assert (answer.status_code, answer.json()["code"]) == (404, "invitation-not-found")
    for _ in range(2):
        assert client_of(alice).delete(f"{ADDRESS}/{code}").status_code == 204
    assert InvitationLink.objects.get(code=code).revoked_at is not None


def test_links_have_a_limit(alice: Player, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(links, "LINK_LIMIT", 2)
    first, _ = _link(alice, "a"), _link(alice, "b")
    with pytest.raises(errors.InvitationLimitReached):
        _link(alice, "c")
    links.revoke(by=alice.pk, code=first.code)
    _link(alice, "c")


def test_a_newcomer_is_referred_and_a_friend(alice: Player):
    link = _link(alice)
    answer = _sign_up(link.code)
    assert answer.status_code == 201
    newcomer = Player.objects.get(public_id=answer.json()["player"]["id"])
    referral = Referral.objects.get(invited=newcomer)
    assert (referral.inviter_id, referral.link_id) == (alice.pk, link.pk)
    assert (newcomer.friend_count, Player.objects.get(pk=alice.pk).friend_count) == (1, 1)
    assert InvitationLink.objects.get(pk=link.pk).acceptances == 1


@pytest.mark.parametrize("trouble", ["unknown", "revoked", "shut out"])
def test_a_bad_code_is_refused_before_anybody_is_made(trouble: str, alice: Player):
    code = "bcdfghjkmnpq" if trouble == "unknown" else _link(alice).code
    if trouble == "revoked":
        links.revoke(by=alice.pk, code=code)
    if trouble == "shut out":
        Player.objects.filter(pk=alice.pk).update(is_active=False)
    answer = _sign_up(code)
    assert (answer.status_code, answer.json()["code"]) == (404, "invitation-not-found")
    assert not Player.objects.filter(username__startswith="newcomer").exists()
    assert not Referral.objects.exists()


def test_a_popular_inviters_link_brings_people_in_without_friendship(alice: Player, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(friendships, "FRIEND_LIMIT", 1)
    FriendshipFactory.create(player=alice)
    link = _link(alice)
    newcomer = Player.objects.get(public_id=_sign_up(link.code).json()["player"]["id"])
    assert Referral.objects.get(invited=newcomer).inviter_id == alice.pk
    assert newcomer.friend_count == 0
    with pytest.raises(errors.FriendLimitReached):
        links.accept(by=PlayerFactory.create().pk, code=link.code)
    assert FRIEND_LIMIT == 200


def test_loops_refer_once(alice: Player):
    """Whom Alice brought in invites Alice: they are friends already, and nobody was brought in."""
    newcomer = Player.objects.get(public_id=_sign_up(_link(alice).code).json()["player"]["id"])
    links.accept(by=alice.pk, code=_link(newcomer).code)
    assert list(Referral.objects.values_list("invited", "inviter")) == [(newcomer.pk, alice.pk)]
    another = _link(PlayerFactory.create())
    with pytest.raises(IntegrityError, match="accounts_referral_pkey"), transaction.atomic():
        Referral.objects.create(invited=newcomer, inviter=another.player, link=another)


def test_the_database_knows_that_nobody_invites_themselves(alice: Player):
    link = _link(alice)
    with pytest.raises(IntegrityError, match="referral_of_another"), transaction.atomic():
        Referral.objects.create(invited=alice, inviter=alice, link=link)


def test_a_refused_sign_up_leaves_no_referral(alice: Player):
    players.sign_up(username="taken", password=PASSWORD)
    with pytest.raises(errors.UsernameTaken):
        players.sign_up(username="taken", password=PASSWORD, invitation=_link(alice).code)
    assert not Referral.objects.exists()


@pytest.mark.parametrize(
    ("method", "tail"), [("get", ""), ("post", ""), ("delete", "/bcdfghjkmnpq"), ("post", "/bcdfghjkmnpq/acceptance")]
)
def test_only_for_players_who_are_signed_in(method: str, tail: str):
    answer = getattr(APIClient(), method)(ADDRESS + tail)
    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


def test_looking_is_slowed_down_by_address(alice: Player, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(throttles.LookThrottle, "quota", 2)
    address = f"203.0.113.{next(_numbers)}"
    codes = [_link(alice).code, "bcdfghjkmnpq", "nonsense"]
    answers = [APIClient().get(f"{ADDRESS}/{code}", REMOTE_ADDR=address) for code in codes]
    assert [answer.status_code for answer in answers] == [200, 404, 429]
    assert APIClient().get(f"{ADDRESS}/{codes[0]}", REMOTE_ADDR="203.0.113.250").status_code == 200


def test_links_for_revoked_ones_are_not_made_for_ever(
    alice: Player, client_of: Clients, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(throttles.InviteThrottle, "quota", 2)
    client = client_of(alice)
    assert [client.post(ADDRESS, {}, format="json").status_code for _ in range(3)] == [201, 200, 429]
