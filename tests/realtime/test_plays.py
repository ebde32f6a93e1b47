"""Special cards over sockets: whoever it concerns hears of it at once."""

from __future__ import annotations

import pytest

from fortunes.models import Campaign
from tests.factories import cards as make
from tests.realtime.people import Person
from tests.realtime.servers import Server

pytestmark = pytest.mark.committed


@pytest.fixture
def season(committed_db: None) -> Campaign:
    return make.TradingSeasonFactory.create(rules={"specials": ["steal", "wild", "copy"]})


@pytest.fixture
def dealt(season: Campaign, alice: Person, bob: Person) -> None:
    make.deal(season, alice.row, "steal", "copy")
    make.deal(season, bob.row, "harmony", "harmony", "dedication")


async def test_a_victim_on_another_process_is_told_by_whom(dealt: None, alice: Person, bob: Person, b: Server) -> None:
    async with await alice.connect() as thief, await alice.connect(b) as phone, await bob.connect(b) as victim:
        answer = await thief.command("steal", {"from": bob.id, "kind": "harmony", "key": "once"})
        stolen, taken = await victim.next(), await phone.next()

    play = answer["play"]["id"]
    assert (stolen.event, stolen.data["by"], stolen.data["kind"]) == ("card.stolen", alice.id, "harmony")
    assert (taken.event, taken.data["friend"], taken.data["kind"]) == ("card.taken", bob.id, "harmony")
    assert stolen.data["play"] == taken.data["play"] == play
    assert taken.data["hand_version"] == answer["hand"]["version"]


async def test_who_is_copied_is_told_nothing(dealt: None, alice: Person, bob: Person) -> None:
    async with await alice.connect() as socket, await bob.connect() as copied:
        await socket.command("copy", {"from": bob.id, "kind": "dedication", "key": "once"})
        push = await socket.next()
        pong = await copied.command("ping")

    assert (push.event, push.data["friend"]) == ("card.copied", bob.id)
    assert pong["seq"] == copied.welcome.seq
