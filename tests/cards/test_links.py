"""Links of trades: made, looked at by anybody, followed by the first who comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import invitations
from accounts.actions import bans, erasure, friendships
from accounts.models import FRIEND_LIMIT, Ban, Friendship, Player
from cards import errors
from cards.models import Hand, LinkOpen, ShareLink, TradeNote
from fortunes.models import Campaign
from tests.cards.calling import get, pointers, post, problem
from tests.factories import cards as make
from tests.factories import trades as deals
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(season: Campaign) -> Player:
    alice = PlayerFactory.create(nickname="阿丽")
    make.deal(season, alice, "harmony", "harmony", "patriotism")
    return alice


@pytest.fixture
def bob(season: Campaign) -> Player:
    """No friend of Alice's yet."""
    bob = PlayerFactory.create()
    make.deal(season, bob, "dedication")
    return bob


@pytest.fixture
def path(season: Campaign) -> str:
    return f"campaigns/{season.slug}/trades"


def escrow(season: Campaign, player: Player) -> int:
    return sum(Hand.objects.get(campaign=season, player=player).escrow)


def test_a_gift_by_link(season: Campaign, path: str, alice: Player) -> None:
    body = {"type": "gift", "link": "kol:li_lei", "gives": ["harmony"], "note": "恭喜发财"}
    made = post(alice, path, body, key="k").json()
    link = made["trade"]["link"]
    assert link == {
        "code": link["code"],
        "channel": "kol:li_lei",
        "url": f"/api/v1/links/{link['code']}",
        "opens": 0,
        "claims": 0,
    }
    assert (made["hand"]["counts"]["harmony"], made["hand"]["escrow"]["harmony"]) == (1, 1)
    assert post(alice, path, body, key="k").json() == made

    # Anybody may look, and each look is counted: also one with the code as somebody types it.
    for code in (link["code"], link["code"].upper(), f" {link['code']} "):
        looked = get(None, f"links/{code}")
        assert looked.status_code == 200
        assert looked["RateLimit-Policy"].startswith('"look"')
    assert looked.json() == {
        "campaign": season.slug,
        "type": "gift",
        "state": "open",
        "proposer": {"id": str(alice.public_id), "nickname": "阿丽"},
        "gives": ["harmony"],
        "takes": [],
        "note": "恭喜发财",
        "expires_at": made["trade"]["expires_at"],
    }
    assert get(alice, f"trades/{made['trade']['id']}").json()["link"]["opens"] == 3

    # Somebody who signs in and has no hand yet claims it, once, and they are friends.
    newcomer = PlayerFactory.create()
    claimed = post(newcomer, f"links/{link['code']}/acceptance", key="k")
    assert claimed.status_code == 200
    assert claimed.json()["trade"]["recipient"] == str(newcomer.public_id)
    assert claimed.json()["trade"]["link"] is None
    assert make.held(season, newcomer) == {"harmony": 1}
    assert escrow(season, alice) == 0
    assert Friendship.objects.filter(player=alice, friend=newcomer, state="friends").exists()
    assert post(newcomer, f"links/{link['code']}/acceptance", key="k").content == claimed.content
    late = post(PlayerFactory.create(), f"links/{link['code']}/acceptance")
    assert (problem(late), late.json()["state"]) == ((409, "trade-already-closed"), "accepted")
    shown = get(alice, f"trades/{made['trade']['id']}").json()
    assert (shown["state"], shown["link"]["claims"]) == ("accepted", 1)
    assert get(newcomer, f"trades/{made['trade']['id']}").json()["link"] is None
    assert get(None, f"links/{link['code']}").json()["state"] == "accepted"


def test_a_request_by_link(season: Campaign, path: str, alice: Player, bob: Player) -> None:
    """The other way round: who opens it gives the card."""
    made = post(alice, path, {"type": "request", "link": "weibo", "takes": ["dedication"]}).json()["trade"]
    code = made["link"]["code"]
    assert get(bob, f"links/{code}").json()["takes"] == ["dedication"]

    empty_handed = PlayerFactory.create()
    assert problem(post(empty_handed, f"links/{code}/acceptance"))[1] == "card-not-held"
    assert not Friendship.objects.filter(player=empty_handed).exists()
    given = post(bob, f"links/{code}/acceptance")
    assert given.status_code == 200
    assert make.held(season, alice)["dedication"] == 1
    assert make.held(season, bob) == {}
    assert Friendship.objects.filter(player=bob, friend=alice, state="friends").exists()


def test_a_link_alone_opens_a_trade(path: str, alice: Player, bob: Player) -> None:
    """Not its id, and not for friends either."""
    deals.befriend(alice, bob)
    made = post(alice, path, {"type": "gift", "link": "qr", "gives": ["harmony"]}).json()["trade"]
    assert problem(get(bob, f"trades/{made['id']}")) == (404, "trade-not-found")
    assert problem(post(bob, f"trades/{made['id']}/acceptance")) == (404, "trade-not-found")
    assert post(bob, f"links/{made['link']['code']}/acceptance").status_code == 200


def test_a_link_that_is_withdrawn_and_one_that_expires(
    season: Campaign, path: str, alice: Player, bob: Player, clock: Clock
) -> None:
    body = {"type": "gift", "link": "qr", "gives": ["harmony"]}
    first, second = (post(alice, path, body).json()["trade"] for _ in range(2))
    get(None, f"links/{first['link']['code']}")
    withdrawn = post(alice, f"trades/{first['id']}/cancellation").json()
    assert withdrawn["hand"]["counts"]["harmony"] == 1
    assert withdrawn["trade"]["link"]["opens"] == 1
    refused = post(bob, f"links/{first['link']['code']}/acceptance")
    assert (problem(refused), refused.json()["state"]) == ((409, "trade-already-closed"), "cancelled")

    clock.shift(timedelta(hours=25))
    assert get(None, f"links/{second['link']['code']}").json()["state"] == "expired"
    assert problem(post(bob, f"links/{second['link']['code']}/acceptance"))[0] == 409
    assert escrow(season, alice) == 1
    assert not Friendship.objects.filter(player=bob).exists()


def test_ones_own_link(path: str, alice: Player) -> None:
    code = post(alice, path, {"type": "gift", "link": "qr", "gives": ["harmony"]}).json()["trade"]["link"]["code"]
    assert problem(post(alice, f"links/{code}/acceptance")) == (422, "trade-with-oneself")


def test_following_needs_somebody_and_a_key_and_no_body(path: str, alice: Player, bob: Player) -> None:
    code = post(alice, path, {"type": "gift", "link": "qr", "gives": ["harmony"]}).json()["trade"]["link"]["code"]
    assert problem(post(None, f"links/{code}/acceptance")) == (401, "not-signed-in")
    assert problem(post(bob, f"links/{code}/acceptance", key="")) == (400, "idempotency-key-missing")
    assert pointers(post(bob, f"links/{code}/acceptance", {"code": code})) == {"/code": "unknown"}
    assert post(bob, f"links/{code}/acceptance", b"").status_code == 200


@pytest.mark.parametrize("fate", ["banned", "erased"])
def test_links_of_who_was_shut_out_are_gone(path: str, alice: Player, bob: Player, fate: str) -> None:
    body = {"type": "gift", "link": "kol:alice", "gives": ["harmony"], "note": "from Alice"}
    code = post(alice, path, body).json()["trade"]["link"]["code"]
    staff = PlayerFactory.create()
    if fate == "banned":
        bans.ban(player_id=alice.pk, by=staff.pk, reason=Ban.Reason.FARM)
    else:
        erasure.erase(player_id=alice.pk, by=staff.pk)
        assert ShareLink.objects.get(player=alice).channel == ""
        assert not TradeNote.objects.exists()
    assert problem(get(None, f"links/{code}")) == (404, "link-not-found")
    assert problem(post(bob, f"links/{code}/acceptance")) == (404, "link-not-found")


@pytest.mark.parametrize("who", ["proposer", "follower", "nobody"])
def test_links_of_who_blocked_me_look_like_none(path: str, alice: Player, bob: Player, who: str) -> None:
    """Also at the cost of none; and I can't follow the link of somebody whom I have blocked."""
    code = post(alice, path, {"type": "gift", "link": "qr", "gives": ["harmony"]}).json()["trade"]["link"]["code"]
    if who == "proposer":
        friendships.block(by=alice.pk, player=bob.public_id)
    elif who == "follower":
        friendships.block(by=bob.pk, player=alice.public_id)
    found: list[Any] = []
    for tried in (
        invitations.fresh_code(),
        invitations.fresh_code(),
        code if who != "nobody" else invitations.fresh_code(),
    ):
        with CaptureQueriesContext(connection) as captured:
            refused = post(bob, f"links/{tried}/acceptance")
        assert problem(refused) == (404, "link-not-found")
        found.append((refused.content, len(captured)))
    assert found[1] == found[2]


def test_a_retry_gets_its_answer_though_they_have_blocked_me_since(path: str, alice: Player, bob: Player) -> None:
    code = post(alice, path, {"type": "gift", "link": "qr", "gives": ["harmony"]}).json()["trade"]["link"]["code"]
    first = post(bob, f"links/{code}/acceptance", key="k")
    friendships.block(by=alice.pk, player=bob.public_id)
    assert post(bob, f"links/{code}/acceptance", key="k").content == first.content
    assert problem(post(bob, f"links/{code}/acceptance")) == (404, "link-not-found")


@pytest.mark.parametrize("code", ["x", "a" * 12, "%00", "%20", "0" * 12, "bbbbbbbbbbbb", "%F0%9F%8E%81", "../trades"])
def test_codes_that_are_none(alice: Player, code: str) -> None:
    assert problem(get(None, f"links/{code}")) in ((404, "link-not-found"), (404, "not-found"))
    assert problem(post(alice, f"links/{code}/acceptance")) in ((404, "link-not-found"), (404, "not-found"))


def test_full_friend_lists_are_no_obstacle(season: Campaign, path: str, alice: Player, bob: Player) -> None:
    Player.objects.filter(pk=alice.pk).update(friend_count=FRIEND_LIMIT)
    code = post(alice, path, {"type": "gift", "link": "qr", "gives": ["harmony"]}).json()["trade"]["link"]["code"]
    assert post(bob, f"links/{code}/acceptance").status_code == 200
    assert make.held(season, bob) == {"dedication": 1, "harmony": 1}
    assert not Friendship.objects.filter(player=bob).exists()


def test_links_are_limited(clock: Clock) -> None:
    """So many at a time, and so many new ones on a local day, whatever became of them."""
    season = make.TradingSeasonFactory.create(rules={"trading": {"open_links": 2, "links_per_day": 3}})
    alice = PlayerFactory.create()
    make.deal(season, alice, *["harmony"] * 5)
    first, _ = (deals.link_gift(season, alice, "harmony") for _ in range(2))
    with pytest.raises(errors.LinkLimitReached) as refused:
        deals.request(season, alice, "dedication", link="qr")
    assert refused.value.facts == {"limit": 2}

    deals.cancel(first.trade.id, alice)
    third = deals.request(season, alice, "dedication", link="qr")
    deals.cancel(third.trade.id, alice)
    with pytest.raises(errors.LinkLimitReached) as refused:
        deals.link_gift(season, alice, "harmony")
    assert refused.value.facts == {"limit": 3}
    assert ShareLink.objects.filter(player=alice).count() == 3
    clock.shift(timedelta(hours=25))
    assert deals.link_gift(season, alice, "harmony").trade.state == "open"


def test_opens_that_were_put_aside_are_counted_everywhere(season: Campaign, path: str, alice: Player) -> None:
    made = deals.link_gift(season, alice, "harmony").trade
    assert made.link
    link = ShareLink.objects.get(code=made.link.code)
    LinkOpen.objects.bulk_create(LinkOpen(link=link) for _ in range(4))

    assert get(alice, f"trades/{made.id}").json()["link"]["opens"] == 4
    get(None, f"links/{made.link.code}")
    link.refresh_from_db()
    assert (link.opens, LinkOpen.objects.count()) == (5, 0)
    LinkOpen.objects.create(link=link)
    assert post(alice, f"trades/{made.id}/cancellation").json()["trade"]["link"]["opens"] == 6


def test_codes() -> None:
    codes = {invitations.fresh_code() for _ in range(1_000)}
    assert len(codes) == 1_000
    assert {len(code) for code in codes} == {invitations.LENGTH}
    code = codes.pop()
    assert invitations.normalise_code(f"  {code.upper()}\n") == code
    for other in ("", code[:-1], code + "2", code[:-1] + "a", code[:-1] + "é", "\0" * 12):
        assert invitations.normalise_code(other) == ""
