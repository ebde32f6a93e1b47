"""Trades over REST: addresses, statuses, what is shown to whom, and every way in which they can be asked wrongly."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions import friendships
from accounts.models import Player
from cards import trading
from cards.actions import trades
from cards.models import Addressee, Hand, Trade
from fortunes.models import Campaign, Event
from tests.cards.calling import get, items, pages, pointers, post, problem
from tests.factories import cards as make
from tests.factories import trades as deals
from tests.factories.accounts import PlayerFactory
from tests.plugins.clock import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(season: Campaign) -> str:
    return f"campaigns/{season.slug}/trades"


@pytest.fixture
def alice(season: Campaign) -> Player:
    """She holds what she can give."""
    alice = PlayerFactory.create()
    make.deal(season, alice, "harmony", "harmony", "patriotism")
    return alice


@pytest.fixture
def bob(season: Campaign, alice: Player) -> Player:
    bob = PlayerFactory.create()
    deals.befriend(alice, bob)
    make.deal(season, bob, "dedication", "friendliness")
    return bob


@pytest.fixture
def carol(alice: Player, bob: Player) -> Player:
    """A friend of Alice's, and a stranger to Bob."""
    carol = PlayerFactory.create()
    deals.befriend(alice, carol)
    return carol


def test_a_request_that_a_friend_accepts(path: str, alice: Player, bob: Player) -> None:
    body = {"type": "request", "to": bob.public_id, "takes": ["dedication"], "note": " 请给我一张 "}
    asked = post(alice, path, body, key="k1")
    assert asked.status_code == 201
    trade = asked.json()["trade"]
    assert asked["Location"] == f"/api/v1/trades/{trade['id']}"
    assert (trade["state"], trade["audience"], trade["note"], trade["link"]) == ("open", "one", "请给我一张", None)
    assert trade["expires_at"] > trade["created_at"]
    assert post(alice, path, body, key="k1").content == asked.content

    for reader in (alice, bob):
        assert get(reader, f"trades/{trade['id']}").json() == trade
    assert items(alice, f"{path}?box=sent&state=open") == items(bob, f"{path}?box=received&state=open") == [trade]
    assert items(alice, f"{path}?box=received") == items(bob, f"{path}?box=sent") == []

    accepted = post(bob, f"trades/{trade['id']}/acceptance", key="k1")
    assert accepted.status_code == 200
    assert post(bob, f"trades/{trade['id']}/acceptance", key="k1").content == accepted.content
    assert accepted.json()["trade"] == trade | {
        "state": "accepted",
        "closed_at": accepted.json()["trade"]["closed_at"],
    }
    assert accepted.json()["hand"]["counts"]["dedication"] == 0
    assert items(alice, f"{path}?state=open") == []
    assert items(alice, f"{path}?state=accepted") == items(bob, path) == [accepted.json()["trade"]]


def test_a_swap_that_is_declined_and_one_that_is_withdrawn(path: str, alice: Player, bob: Player) -> None:
    body = {"type": "swap", "to": bob.public_id, "gives": ["harmony"], "takes": ["dedication"]}
    first, second = (post(alice, path, body).json()["trade"]["id"] for _ in range(2))
    refused = post(bob, f"trades/{first}/refusal")
    withdrawn = post(alice, f"trades/{second}/cancellation")

    assert (refused.status_code, refused.json()["trade"]["state"]) == (200, "declined")
    assert (withdrawn.status_code, withdrawn.json()["trade"]["state"]) == (200, "cancelled")
    late = post(bob, f"trades/{second}/acceptance")
    assert (problem(late), late.json()["state"]) == ((409, "trade-already-closed"), "cancelled")
    assert [trade["state"] for trade in items(bob, path)] == ["cancelled", "declined"]


def test_what_those_see_who_were_asked_together(
    path: str, season: Campaign, alice: Player, bob: Player, carol: Player
) -> None:
    dave = PlayerFactory.create()
    deals.befriend(alice, dave)
    body = {"type": "request", "to_all": True, "takes": ["dedication"], "note": "please"}
    trade = post(alice, path, body).json()["trade"]
    assert (trade["audience"], trade["recipient"]) == ("some", None)
    assert Addressee.objects.filter(trade__public_id=trade["id"]).count() == 3

    assert post(dave, f"trades/{trade['id']}/refusal").json()["trade"]["state"] == "declined"
    assert get(dave, f"trades/{trade['id']}").json() == trade | {"state": "declined"}
    assert items(dave, f"{path}?state=open") == []
    assert items(dave, f"{path}?state=declined") == items(dave, path) == [trade | {"state": "declined"}]
    assert items(carol, f"{path}?state=open") == items(alice, f"{path}?state=open") == [trade]

    accepted = post(bob, f"trades/{trade['id']}/acceptance").json()["trade"]
    for reader in (alice, bob):
        assert get(reader, f"trades/{trade['id']}").json() == accepted
        assert accepted["recipient"] == str(bob.public_id)
        assert items(reader, path) == [accepted]
    # It is settled; with whom is Alice's affair.
    assert get(carol, f"trades/{trade['id']}").json() == accepted | {"recipient": None}
    assert items(carol, f"{path}?box=received") == [accepted | {"recipient": None}]
    assert get(dave, f"trades/{trade['id']}").json()["state"] == "accepted"


def test_some_friends_of_many(path: str, alice: Player, bob: Player, carol: Player) -> None:
    dave = PlayerFactory.create()
    deals.befriend(alice, dave)
    body = {"type": "request", "to_some": [bob.public_id, carol.public_id], "takes": ["dedication"]}
    trade = post(alice, path, body).json()["trade"]
    assert trade["audience"] == "some"
    assert get(carol, f"trades/{trade['id']}").status_code == 200
    for verb in ("acceptance", "refusal", "cancellation"):
        assert problem(post(dave, f"trades/{trade['id']}/{verb}")) == (404, "trade-not-found")
    assert problem(get(dave, f"trades/{trade['id']}")) == (404, "trade-not-found")
    assert problem(post(carol, f"trades/{trade['id']}/cancellation")) == (404, "trade-not-found")
    # To some of whom there is one is to one.
    alone = post(alice, path, body | {"to_some": [bob.public_id]}).json()["trade"]
    assert (alone["audience"], alone["recipient"]) == ("one", str(bob.public_id))


def test_an_expired_trade_is_shown_as_such_before_anybody_writes_it_down(
    path: str, alice: Player, bob: Player, clock: Clock
) -> None:
    body = {"type": "request", "to": bob.public_id, "takes": ["dedication"]}
    trade = post(alice, path, body).json()["trade"]
    clock.shift(timedelta(hours=25))

    for _ in range(2):
        assert get(alice, f"trades/{trade['id']}").json()["state"] == "expired"
        assert items(bob, f"{path}?state=open") == []
        assert [found["id"] for found in items(bob, f"{path}?box=received&state=expired")] == [trade["id"]]
        assert problem(post(bob, f"trades/{trade['id']}/acceptance"))[0] == 409
        trades.expire_due()
    assert Trade.objects.get(public_id=trade["id"]).state == "expired"


def test_pages_of_trades_are_stable(path: str, season: Campaign, alice: Player, bob: Player, carol: Player) -> None:
    made = [
        deals.request(season, alice, "dedication", to=[bob]),
        deals.request(season, alice, "dedication", everyone=True),
        make.give(season, alice, bob, ["harmony"]),
        deals.offer(season, bob, ["dedication"], ["harmony"], to=[alice]),
        deals.request(season, bob, "dedication", link="qr"),
        deals.request(season, alice, "dedication", to=[carol]),
    ]
    wanted = [str(receipt.trade.id) for receipt in made]
    seen = []
    for page in pages(alice, f"{path}?limit=2"):
        seen += [item["id"] for item in page["items"]]
        # What comes meanwhile is newer than every page that follows.
        deals.request(season, bob, "harmony", to=[alice])
    del wanted[4]
    assert seen == wanted[::-1]
    assert [item["id"] for item in items(bob, f"{path}?box=received&limit=1")] == [wanted[n] for n in (2, 1, 0)]


@pytest.mark.parametrize(
    ("query", "pointer"), [("box=all", "/box"), ("box=", "/box"), ("state=theft", "/state"), ("state=%00", "/state")]
)
def test_unknown_filters(path: str, alice: Player, query: str, pointer: str) -> None:
    assert set(pointers(get(alice, f"{path}?{query}"))) == {pointer}


ONE = "00000000-0000-4000-8000-000000000000"
ASK: dict[str, Any] = {"type": "request", "to_all": True, "takes": ["harmony"]}
SWAP: dict[str, Any] = {"type": "swap", "to": ONE, "gives": ["harmony"], "takes": ["dedication"]}
GIFT: dict[str, Any] = {"type": "gift", "to": ONE, "gives": ["harmony"]}


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ([], {"": "invalid"}),
        ({}, {"/type": "required"}),
        ({"type": None, "to": ONE}, {"/type": "required"}),
        ({"type": "theft", "more": 1}, {"/type": "invalid_choice"}),
        ({"type": 7}, {"/type": "invalid_choice"}),
        ({"type": ["gift"]}, {"/type": "invalid_choice"}),
        ({"type": {}}, {"/type": "invalid_choice"}),
        ({"type": "gift\x01"}, {"/type": "invalid_choice"}),
        # Exactly one audience, and one that such a trade can have.
        (without(ASK, "to_all"), {"": "one-of"}),
        (ASK | {"to": ONE}, {"": "one-of"}),
        (ASK | {"link": "qr"}, {"": "one-of"}),
        (ASK | {"to_some": [ONE], "to": ONE, "link": "qr"}, {"": "one-of"}),
        (ASK | {"to_all": False}, {"/to_all": "invalid"}),
        (ASK | {"to_all": "true"}, {"/to_all": "invalid"}),
        (ASK | {"to_all": 1}, {"/to_all": "invalid"}),
        (ASK | {"to_all": None}, {"/to_all": "null"}),
        (SWAP | {"link": "qr"}, {"/link": "unknown"}),
        (without(GIFT, "to") | {"to_all": True}, {"/to_all": "unknown"}),
        (without(GIFT, "to") | {"to_some": [ONE]}, {"/to_some": "unknown"}),
        # Cards on the sides that such a trade has.
        (GIFT | {"takes": ["harmony"]}, {"/takes": "unknown"}),
        (ASK | {"gives": ["harmony"]}, {"/gives": "unknown"}),
        (without(SWAP, "gives"), {"/gives": "required"}),
        (without(SWAP, "takes"), {"/takes": "required"}),
        (GIFT | {"gives": []}, {"/gives": "min_length"}),
        (GIFT | {"gives": None}, {"/gives": "null"}),
        (GIFT | {"gives": "harmony"}, {"/gives": "not_a_list"}),
        (GIFT | {"gives": {"0": "harmony"}}, {"/gives": "not_a_list"}),
        (GIFT | {"gives": ["harmony", "no slug"]}, {"/gives/1": "invalid"}),
        (GIFT | {"gives": ["h" * 33]}, {"/gives/0": "max_length"}),
        (GIFT | {"gives": [7]}, {"/gives": "invalid"}),
        (GIFT | {"gives": [["harmony"]]}, {"/gives": "invalid"}),
        (GIFT | {"gives": ["harmony"] * (trading.MAX_CARDS + 1)}, {"/gives": "max_length"}),
        (SWAP | {"takes": ["harmony"] * 900}, {"/takes": "max_length"}),
        # Friends, each once.
        (GIFT | {"to": "bob"}, {"/to": "invalid"}),
        (GIFT | {"to": 7}, {"/to": "invalid"}),
        (GIFT | {"to": [ONE]}, {"/to": "invalid"}),
        (GIFT | {"to": None}, {"/to": "null"}),
        (without(ASK, "to_all") | {"to_some": []}, {"/to_some": "min_length"}),
        (without(ASK, "to_all") | {"to_some": ["x", ONE, 3]}, {"/to_some": "invalid"}),
        (without(ASK, "to_all") | {"to_some": ["x", ONE]}, {"/to_some/0": "invalid"}),
        (without(ASK, "to_all") | {"to_some": [ONE, ONE.replace("-", "")]}, {"/to_some/1": "duplicate"}),
        (without(ASK, "to_all") | {"to_some": [str(uuid.uuid4()) for _ in range(201)]}, {"/to_some": "max_length"}),
        # Channels and notes.
        (without(ASK, "to_all") | {"link": "tiktok"}, {"/link": "invalid"}),
        (without(ASK, "to_all") | {"link": ""}, {"/link": "blank"}),
        (without(ASK, "to_all") | {"link": "kol:"}, {"/link": "invalid"}),
        (without(ASK, "to_all") | {"link": "kol:" + "x" * 29}, {"/link": "invalid"}),
        (without(ASK, "to_all") | {"link": "qr\tx"}, {"/link": "invalid"}),
        (without(ASK, "to_all") | {"link": True}, {"/link": "invalid"}),
        (ASK | {"note": "n" * 141}, {"/note": "max_length"}),
        (ASK | {"note": "two\nlines"}, {"/note": "invalid"}),
        (ASK | {"note": "\u202egnp.exe"}, {"/note": "invalid"}),
        (ASK | {"note": 7}, {"/note": "invalid"}),
        (ASK | {"note": None}, {"/note": "null"}),
        (GIFT | {"note": "for you"}, {"/note": "not-here"}),
        # What is nobody's field.
        (ASK | {"state": "accepted", "proposer": ONE}, {"/proposer": "unknown", "/state": "unknown"}),
        (SWAP | {"expires_at": "2030-01-01"}, {"/expires_at": "unknown"}),
    ],
)
def test_what_is_no_proposal(path: str, alice: Player, body: Any, faults: dict[str, str]) -> None:
    assert pointers(post(alice, path, body)) == faults
    assert not Trade.objects.exists()


@pytest.mark.parametrize("note", ["\\u0000", "a\\ud800"])
def test_what_is_no_text(path: str, alice: Player, note: str) -> None:
    body = b'{"type": "request", "to_all": true, "takes": ["harmony"], "note": "%s"}' % note.encode()
    assert problem(post(alice, path, body)) == (400, "malformed-json")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (ASK | {"takes": ["dragon"]}, (422, "kind-unknown")),
        (SWAP | {"gives": ["harmony", "dragon"]}, (422, "kind-unknown")),
        (ASK | {"note": "ｆ u c k"}, (422, "note-refused")),
        (ASK, (404, "friend-not-found")),
        (SWAP, (404, "friend-not-found")),
        (without(SWAP, "to") | {"to_some": [ONE, str(uuid.uuid4())]}, (404, "friend-not-found")),
        (GIFT, (404, "friend-not-found")),
        (without(GIFT, "to") | {"link": "wechat", "gives": ["dedication"]}, (409, "card-not-held")),
        (without(GIFT, "to") | {"link": "wechat", "gives": ["harmony"] * 3}, (409, "card-not-held")),
    ],
)
def test_refused_proposals(path: str, alice: Player, body: Any, refusal: tuple[int, str]) -> None:
    assert problem(post(alice, path, body)) == refusal
    assert not Trade.objects.exists()
    assert Hand.objects.get(player=alice).escrow == [0] * 8


def test_a_write_needs_a_key_of_its_own(path: str, alice: Player, bob: Player, carol: Player) -> None:
    body = {"type": "request", "to": bob.public_id, "takes": ["dedication"]}
    assert problem(post(alice, path, body, key="")) == (400, "idempotency-key-missing")
    trade = post(alice, path, body, key="k").json()["trade"]
    for other in (body | {"to": carol.public_id}, body | {"note": "please"}, body | {"takes": ["dedication"] * 2}):
        assert problem(post(alice, path, other, key="k")) == (422, "idempotency-key-reused")
    # Keys are a player's own, so Bob's is another request of another player.
    assert problem(post(bob, f"trades/{trade['id']}/acceptance", key="")) == (400, "idempotency-key-missing")
    assert post(bob, path, body | {"to": alice.public_id}, key="k").status_code == 201
    assert post(bob, f"trades/{trade['id']}/acceptance", key="k").status_code == 200
    again = post(alice, path, body, key="k2").json()["trade"]
    assert problem(post(bob, f"trades/{again['id']}/acceptance", key="k")) == (422, "idempotency-key-reused")
    assert pointers(post(bob, f"trades/{again['id']}/acceptance", {"trade": again["id"]})) == {"/trade": "unknown"}


def test_trades_with_oneself(path: str, alice: Player, bob: Player) -> None:
    me = str(alice.public_id)
    for body in (
        GIFT | {"to": me},
        SWAP | {"to": me},
        without(ASK, "to_all") | {"to_some": [str(bob.public_id), me]},
    ):
        assert problem(post(alice, path, body)) == (422, "trade-with-oneself")
    trade = post(alice, path, ASK).json()["trade"]["id"]
    assert problem(post(alice, f"trades/{trade}/acceptance")) == (422, "trade-with-oneself")
    assert problem(post(alice, f"trades/{trade}/refusal")) == (404, "trade-not-found")


@pytest.mark.parametrize("kind", ["gift", "request", "swap"])
def test_who_blocked_me_and_strangers_look_like_nobody(
    path: str, season: Campaign, alice: Player, bob: Player, kind: str
) -> None:
    stranger = PlayerFactory.create()
    friendships.block(by=bob.pk, player=alice.public_id)
    cards = {"gives": ["harmony"]} if kind == "gift" else {"takes": ["harmony"]}
    if kind == "swap":
        cards = {"gives": ["harmony"], "takes": ["harmony"]}
    found = []
    # The first request of a process asks for what it remembers from then on.
    for other in (uuid.uuid4(), uuid.uuid4(), stranger.public_id, bob.public_id):
        for audience in ({"to": other}, {"to_some": [other]}) if kind != "gift" else ({"to": other},):
            with CaptureQueriesContext(connection) as captured:
                refused = post(alice, path, {"type": kind, **cards, **audience})
            assert problem(refused) == (404, "friend-not-found")
            found.append((refused.content, dict(refused.items()), len(captured)))
    assert all(one == found[-1] for one in found[len(found) // 4 :])
    assert not Event.objects.filter(player=stranger, campaign=season).exists()


def test_a_trade_of_who_blocked_me_since(path: str, season: Campaign, alice: Player, bob: Player) -> None:
    trade = deals.request(season, alice, "dedication", to=[bob]).trade.id
    friendships.block(by=alice.pk, player=bob.public_id)
    assert problem(post(bob, f"trades/{trade}/acceptance")) == (404, "trade-not-found")
    assert make.held(season, bob) == {"dedication": 1, "friendliness": 1}


def test_trades_of_others_look_like_none(path: str, season: Campaign, alice: Player, bob: Player) -> None:
    trade, stranger = deals.request(season, alice, "dedication", to=[bob]).trade.id, PlayerFactory.create()
    found: list[Any] = []
    for public_id in (uuid.uuid4(), uuid.uuid4(), trade):
        for verb in ("", "/acceptance", "/refusal", "/cancellation"):
            method = post if verb else get
            with CaptureQueriesContext(connection) as captured:
                refused = method(stranger, f"trades/{public_id}{verb}")
            assert problem(refused) == (404, "trade-not-found")
            found.append((verb, refused.content, len(captured)))
    assert found[4:8] == found[8:]


def test_kinds_of_another_campaign(path: str, alice: Player, bob: Player) -> None:
    """A plain season has no wild card, and this one's path is not that one's."""
    other = make.SeasonFactory.create()
    elsewhere = f"campaigns/{other.slug}/trades"
    body = {"type": "request", "to": bob.public_id, "takes": ["wild"]}
    assert post(alice, path, body).status_code == 201
    refused = post(alice, elsewhere, body)
    assert (problem(refused), refused.json()["kinds"]) == ((422, "kind-unknown"), ["wild"])
    assert items(alice, elsewhere) == []
    assert problem(post(alice, "campaigns/nowhere/trades", body)) == (404, "campaign-not-found")
