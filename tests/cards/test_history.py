"""Where a player's cards came from and where they went."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Player
from fortunes.models import Campaign
from tests.cards.calling import get, items, pages, pointers, problem
from tests.factories import cards as make
from tests.factories import trades as deals
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db

RULES = {"specials": ["wild", "copy", "steal"]}


@pytest.fixture
def season() -> Campaign:
    return make.TradingSeasonFactory.create(rules=RULES)


@pytest.fixture
def path(season: Campaign) -> str:
    return f"campaigns/{season.slug}/history"


def told(entry: dict[str, Any]) -> tuple[str, str, str, str | None]:
    return entry["direction"], entry["kind"], entry["via"], entry["counterpart"]


def test_every_way_of_a_card(season: Campaign, path: str, alice: Player, bob: Player) -> None:
    carol, one, other = PlayerFactory.create(), str(alice.public_id), str(bob.public_id)
    make.deal(season, alice, "harmony", "wild", "steal", "copy")
    make.deal(season, bob, "dedication", "prosperity", "prosperity")
    make.deal(season, carol, "friendliness")
    gift = make.give(season, alice, bob, ["harmony"]).trade
    ask = deals.accept(deals.request(season, alice, "dedication", to=[bob]).trade.id, bob).trade
    swap = deals.accept(deals.offer(season, alice, ["dedication"], ["harmony"], everyone=True).trade.id, bob).trade
    spread = deals.request(season, alice, "friendliness", link="qr").trade.link
    assert spread
    link = deals.follow(spread.code, carol).trade
    stolen = deals.steal(season, alice, bob, "prosperity").play
    turned = deals.turn(season, alice, "patriotism").play
    copied = deals.copy(season, alice, bob, "dedication").play

    hers = items(alice, path)
    assert [told(entry) for entry in hers] == [
        ("in", "dedication", "copy", other),
        ("out", "copy", "copy", None),
        ("in", "patriotism", "wild", None),
        ("out", "wild", "wild", None),
        ("in", "prosperity", "steal", other),
        ("out", "steal", "steal", None),
        ("in", "friendliness", "link", str(carol.public_id)),
        ("in", "harmony", "swap", other),
        ("out", "dedication", "swap", other),
        ("in", "dedication", "request", other),
        ("out", "harmony", "gift", other),
        ("in", "copy", "code", None),
        ("in", "steal", "code", None),
        ("in", "wild", "code", None),
        ("in", "harmony", "code", None),
    ]
    assert [entry["trade"] for entry in hers[6:11]] == [str(trade.id) for trade in (link, swap, swap, ask, gift)]
    assert [entry["play"] for entry in hers[:6]] == [str(play.id) for play in (copied, turned, stolen) for _ in "io"]
    assert [entry["draw"] for entry in hers[11:]] == [
        draw["id"] for draw in items(alice, f"campaigns/{season.slug}/draws")
    ]
    assert all([entry["draw"], entry["trade"], entry["play"]].count(None) == 2 for entry in hers)
    assert [entry["at"] for entry in hers] == sorted((entry["at"] for entry in hers), reverse=True)

    assert [told(entry) for entry in items(bob, path)][:5] == [
        ("out", "prosperity", "steal", one),
        ("out", "harmony", "swap", one),
        ("in", "dedication", "swap", one),
        ("out", "dedication", "request", one),
        ("in", "harmony", "gift", one),
    ]
    # It adds up to the hand.
    for player in (alice, bob, carol):
        held: dict[str, int] = {}
        for entry in items(player, path):
            held[entry["kind"]] = held.get(entry["kind"], 0) + (1 if entry["direction"] == "in" else -1)
        assert {kind: count for kind, count in held.items() if count} == make.held(season, player)


def test_what_is_in_escrow_has_not_gone_yet(season: Campaign, path: str, alice: Player) -> None:
    make.deal(season, alice, "harmony")
    deals.link_gift(season, alice, "harmony")
    assert [told(entry) for entry in items(alice, path)] == [("in", "harmony", "code", None)]


def test_check_ins_and_serials(path: str, alice: Player) -> None:
    season = make.SeasonFactory.create(
        rulebook={
            "weights": {"patriotism": 1, "prosperity": 1, "harmony": 1, "friendliness": 1, "dedication": 1_000_000},
            "caps": {"dedication": {"units": 9, "tranches": 1}},
        }
    )
    make.check_in(season, alice)
    (entry,) = items(alice, f"campaigns/{season.slug}/history")
    assert (told(entry), entry["serial"]) == (("in", "dedication", "check-in", None), 1)


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_are_stable_while_cards_move(season: Campaign, path: str, alice: Player, bob: Player, limit: int) -> None:
    """What belongs together in time is cut anywhere, and whatever comes meanwhile changes no page that follows."""
    for _ in range(3):
        make.deal(season, alice, "harmony", "patriotism")
        make.deal(season, bob, "dedication")
        swap = deals.offer(season, alice, ["harmony", "patriotism"], ["dedication"], to=[bob])
        deals.accept(swap.trade.id, bob)
        make.give(season, alice, bob, ["dedication"])
    wanted = items(alice, path)
    seen = []
    for page in pages(alice, f"{path}?limit={limit}"):
        seen += page["items"]
        make.deal(season, alice, "wild")
        make.give(season, alice, bob, ["wild"])
    assert seen == wanted
    assert len(seen) == 18


def test_others_have_their_own(season: Campaign, path: str, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "harmony")
    assert items(bob, path) == []
    assert problem(get(None, path)) == (401, "not-signed-in")
    assert problem(get(alice, "campaigns/nowhere/history")) == (404, "campaign-not-found")
    assert items(alice, f"campaigns/{make.SeasonFactory.create().slug}/history") == []


@pytest.mark.parametrize("cursor", ["cD01", "cD01LjU1LjU=", "cD0tMS4x", "cD0xLng=", "cD0uMQ==", "cD0xLg==", "nonsense"])
def test_bad_cursors(path: str, alice: Player, cursor: str) -> None:
    assert pointers(get(alice, f"{path}?cursor={cursor}")) == {"/cursor": "invalid"}
