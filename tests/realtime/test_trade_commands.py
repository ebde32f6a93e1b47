"""Every verb of a trade, over REST and over the socket: the same answers, the same refusals, and one key for both."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest

from accounts.actions import friendships
from cards import trading
from config.client.sockets import Refused
from fortunes import threads
from fortunes.models import Campaign
from tests.factories import cards as make
from tests.factories import trades as deals
from tests.factories.accounts import PlayerFactory
from tests.realtime.people import Person

pytestmark = pytest.mark.committed

HARMONY, DEDICATION = "harmony", "dedication"
NOBODY = "00000000-0000-4000-8000-000000000000"
OWN = {"type", "code", "title", "status"}


@pytest.fixture
def season(committed_db: None) -> Campaign:
    return make.TradingSeasonFactory(rules={"trading": {"open_trades": 200}})


@pytest.fixture
def alice(cast: dict[str, Person], season: Campaign) -> Person:
    make.deal(season, cast["alice"].row, *[HARMONY] * 5)
    return cast["alice"]


@pytest.fixture
def bob(cast: dict[str, Person], season: Campaign) -> Person:
    make.deal(season, cast["bob"].row, *[DEDICATION] * 5)
    return cast["bob"]


@dataclass(frozen=True)
class Act:
    """One verb of a player, as a REST request and as a command."""

    by: Person
    op: str
    path: str
    data: dict[str, Any] = field(default_factory=dict)
    key: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def body(self) -> dict[str, Any]:
        """What REST has in its address, a command has in its data."""
        if self.path.startswith("trades/"):
            return {name: value for name, value in self.data.items() if name != "trade"}
        return self.data | {"type": self.op.removeprefix("trade.")}


@dataclass(frozen=True)
class Outcome:
    """What either says: an answer, or a refusal with all its facts."""

    answer: Any = None
    code: str = ""
    title: str = ""
    facts: Any = None


async def over_rest(act: Act) -> Outcome:
    headers = {"Authorization": f"Bearer {act.by.token}", "Idempotency-Key": act.key}
    async with httpx.AsyncClient(base_url=act.by.home.url, trust_env=False, timeout=60) as http:
        response = await http.post(f"/api/v1/{act.path}", json=act.body, headers=headers)
    said = response.json()
    if response.status_code < 300:
        assert response.status_code == (201 if act.path.endswith("/trades") else 200)
        return Outcome(said)
    return Outcome(None, said["code"], said["title"], {name: said[name] for name in said if name not in OWN})


async def over_socket(act: Act) -> Outcome:
    async with await act.by.connect() as socket:
        try:
            return Outcome(await socket.command(act.op, act.data | {"key": act.key}))
        except Refused as refused:
            said = refused
    assert said.body["temporary"] is False
    assert said.body["type"] == f"/api/v1/problems/{said.code}"
    return Outcome(None, said.code, said.body["message"], said.body.get("facts") or {})


TRANSPORTS = {"rest": over_rest, "socket": over_socket}
Transport = Callable[[Act], Awaitable[Outcome]]


async def propose(kind: str, alice: Person, bob: Person, **data: Any) -> Act:
    cards = {"gift": ("gives",), "request": ("takes",), "swap": ("gives", "takes")}[kind]
    kinds = {"gives": HARMONY, "takes": DEDICATION}
    told = {name: [kinds[name]] for name in cards} | (data or {"to": bob.id})
    return Act(alice, f"trade.{kind}", f"campaigns/{alice.season.slug}/trades", told)


async def settle(verb: str, by: Person, alice: Person, bob: Person) -> Act:
    made = await threads.run(
        lambda: deals.offer(alice.season, alice.row, [HARMONY], [DEDICATION], to=[bob.row], note="please")
    )
    path = {"accept": "acceptance", "decline": "refusal", "cancel": "cancellation"}[verb]
    trade = str(made.trade.id)
    return Act(by, f"trade.{verb}", f"trades/{trade}/{path}", {"trade": trade})


ACTS: dict[str, Callable[[Person, Person], Awaitable[Act]]] = {
    "gift to one": lambda alice, bob: propose("gift", alice, bob),
    "gift by link": lambda alice, bob: propose("gift", alice, bob, link="kol:han_meimei", note="恭喜"),
    "request to one": lambda alice, bob: propose("request", alice, bob, to=bob.id, note=" please "),
    "request to some": lambda alice, bob: propose("request", alice, bob, to_some=[bob.id]),
    "request to all": lambda alice, bob: propose("request", alice, bob, to_all=True),
    "request by link": lambda alice, bob: propose("request", alice, bob, link="wechat"),
    "swap with one": lambda alice, bob: propose("swap", alice, bob),
    "swap with all": lambda alice, bob: propose("swap", alice, bob, to_all=True, note="quick"),
    "accept": lambda alice, bob: settle("accept", bob, alice, bob),
    "decline": lambda alice, bob: settle("decline", bob, alice, bob),
    "cancel": lambda alice, bob: settle("cancel", alice, alice, bob),
}


def shape(value: Any) -> Any:
    """An answer without what every trade has of its own."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return type(value).__name__ if isinstance(value, str | int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("first", TRANSPORTS)
@pytest.mark.parametrize("act", ACTS)
async def test_either_is_a_retry_of_the_other(act: str, first: str, alice: Person, bob: Person) -> None:
    done = await ACTS[act](alice, bob)
    other = next(name for name in TRANSPORTS if name != first)
    before = await done.by.position()
    one = await TRANSPORTS[first](done)
    after = await done.by.position()
    assert one.code == ""
    assert after.seq == before.seq + 1
    assert await TRANSPORTS[other](done) == one
    assert await TRANSPORTS[first](done) == one
    assert await done.by.position() == after


@pytest.mark.parametrize("act", ACTS)
async def test_both_answer_alike(act: str, alice: Person, bob: Person) -> None:
    """Two acts that have nothing in common, one over each."""
    one, other = await over_rest(await ACTS[act](alice, bob)), await over_socket(await ACTS[act](alice, bob))
    assert one.code == other.code == ""
    assert shape(one.answer) == shape(other.answer)


@pytest.mark.parametrize("act", ACTS)
async def test_both_at_once_under_one_key(act: str, alice: Person, bob: Person) -> None:
    done = await ACTS[act](alice, bob)
    before = await done.by.position()
    outcomes = await asyncio.gather(*(transport(done) for transport in [over_rest, over_socket] * 4))
    assert outcomes == [outcomes[0]] * 8
    assert outcomes[0].code == ""
    assert (await done.by.position()).seq == before.seq + 1


@pytest.mark.parametrize("first", TRANSPORTS)
@pytest.mark.parametrize("act", ACTS)
async def test_a_key_that_came_with_another_body(act: str, first: str, alice: Person, bob: Person) -> None:
    done, again = await ACTS[act](alice, bob), await ACTS[act](alice, bob)
    assert (await TRANSPORTS[first](done)).code == ""
    if again.path.startswith("trades/"):
        reused = Act(again.by, again.op, again.path, again.data, done.key)
    else:
        cards = {name: again.data[name] * 2 for name in ("gives", "takes") if name in again.data}
        reused = Act(again.by, again.op, again.path, again.data | cards, done.key)
    outcomes = [await transport(reused) for transport in TRANSPORTS.values()]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0].code == "idempotency-key-reused"


async def test_a_key_of_another_player(alice: Person, bob: Person, charlie: Person) -> None:
    """It is nobody else's: who comes upon it neither gets the answer nor is in anybody's way."""
    done = await propose("request", alice, bob)
    mine = (await over_rest(done)).answer
    theirs = (await over_socket(Act(bob, done.op, done.path, done.data | {"to": alice.id}, done.key))).answer
    assert mine["trade"]["proposer"] != theirs["trade"]["proposer"]
    refused = await over_socket(Act(charlie, done.op, done.path, done.data | {"to": charlie.id}, done.key))
    assert refused.code == "trade-with-oneself"
    assert (await over_socket(done)).answer == mine


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no key": ("request", {"to_all": True, "key": ""}, "idempotency-key-missing"),
    "a key with spaces": ("request", {"to_all": True, "key": "a b"}, "idempotency-key-invalid"),
    "a long key": ("gift", {"to": NOBODY, "key": "k" * 65}, "idempotency-key-invalid"),
    "nobody": ("swap", {"to": NOBODY}, "friend-not-found"),
    "one of some is nobody": ("request", {"to_some": [NOBODY, str(uuid4())]}, "friend-not-found"),
    "no card of that kind": ("gift", {"link": "qr", "gives": ["friendliness"] * 10}, "card-not-held"),
    "no such kind": ("swap", {"to_all": True, "takes": ["dragon"]}, "kind-unknown"),
    "two audiences": ("request", {"to": NOBODY, "link": "qr"}, "invalid-request"),
    "no audience": ("request", {"note": "x"}, "invalid-request"),
    "a gift to all": ("gift", {"to_all": True}, "invalid-request"),
    "a swap by link": ("swap", {"link": "qr"}, "invalid-request"),
    "not quite true": ("request", {"to_all": 1}, "invalid-request"),
    "no cards": ("gift", {"to": NOBODY, "gives": []}, "invalid-request"),
    "huge": ("swap", {"to_all": True, "takes": [HARMONY] * 300}, "invalid-request"),
    "eleven": ("request", {"to_all": True, "takes": [HARMONY] * (trading.MAX_CARDS + 1)}, "invalid-request"),
    "201 friends": ("request", {"to_some": [str(uuid4()) for _ in range(201)]}, "invalid-request"),
    "twice the same friend": ("request", {"to_some": [NOBODY, NOBODY]}, "invalid-request"),
    "a number for a friend": ("gift", {"to": 7}, "invalid-request"),
    "an object for cards": ("request", {"to_all": True, "takes": {"harmony": 1}}, "invalid-request"),
    "an unknown field": ("request", {"to_all": True, "state": "accepted"}, "invalid-request"),
    "an unknown channel": ("request", {"link": "tiktok"}, "invalid-request"),
    "a long note": ("request", {"to_all": True, "note": "n" * 141}, "invalid-request"),
    "two lines": ("request", {"to_all": True, "note": "a\nb"}, "invalid-request"),
    "an unwelcome note": ("request", {"to_all": True, "note": "傻 逼"}, "note-refused"),
}


@pytest.mark.parametrize("why", REFUSED)
async def test_both_refuse_alike(why: str, alice: Person, bob: Person) -> None:
    kind, change, code = REFUSED[why]
    told = {name: value for name, value in change.items() if name != "key"}
    made = await propose(kind, alice, bob, **{"to": None, **told})
    data = {name: value for name, value in made.data.items() if value is not None}
    act = Act(alice, made.op, made.path, data, change.get("key", made.key))
    before = await alice.position()
    one, other = await over_rest(act), await over_socket(act)
    assert one == other
    assert one.code == code
    assert await alice.position() == before


@pytest.mark.parametrize("verb", ["accept", "decline", "cancel"])
async def test_both_refuse_to_settle_alike(verb: str, alice: Person, bob: Person, charlie: Person) -> None:
    """Somebody else's trade, nobody's, one's own, one that is closed; and what is no trade at all."""
    side = alice if verb == "cancel" else bob
    done = await settle(verb, side, alice, bob)
    for by, trade, code in (
        (charlie, done.data["trade"], "trade-not-found"),
        (side, str(uuid4()), "trade-not-found"),
        (bob if verb == "cancel" else alice, done.data["trade"], None),
    ):
        act = Act(by, done.op, done.path.replace(done.data["trade"], trade), {"trade": trade})
        one, other = await over_rest(act), await over_socket(act)
        assert one == other
        assert one.code == code or (code is None and one.code in ("trade-not-found", "trade-with-oneself"))
    assert (await over_rest(done)).code == ""
    late = Act(side, done.op, done.path, done.data)
    one, other = await over_rest(late), await over_socket(late)
    assert one == other
    assert (one.code, set(one.facts)) == ("trade-already-closed", {"state"})


async def test_who_blocked_me_and_strangers_look_like_nobody(alice: Person, bob: Person, charlie: Person) -> None:
    stranger = await threads.run(PlayerFactory.create)
    await threads.run(lambda: friendships.block(by=charlie.row.pk, player=alice.row.public_id))
    for kind in ("gift", "request", "swap"):
        outcomes = []
        for other in (NOBODY, str(stranger.public_id), charlie.id):
            act = await propose(kind, alice, bob, to=other)
            outcomes += [await over_rest(act), await over_socket(act)]
        assert outcomes == [outcomes[0]] * 6
        assert outcomes[0].code == "friend-not-found"


async def test_a_socket_reaches_its_own_campaign_only(alice: Person, bob: Person) -> None:
    """A trade of another one is as good as none there, and its owner's over REST."""
    elsewhere = await threads.run(make.TradingSeasonFactory.create)
    made = await threads.run(lambda: deals.request(elsewhere, alice.row, HARMONY, to=[bob.row]))
    trade = str(made.trade.id)
    for by, verb, path in (
        (bob, "accept", "acceptance"),
        (bob, "decline", "refusal"),
        (alice, "cancel", "cancellation"),
    ):
        act = Act(by, f"trade.{verb}", f"trades/{trade}/{path}", {"trade": trade})
        assert (await over_socket(act)).code == "trade-not-found"
    assert (await over_rest(act)).answer["trade"]["state"] == "cancelled"


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({}, "/trade"),
        ({"trade": None}, "/trade"),
        ({"trade": "x"}, "/trade"),
        ({"trade": 7}, "/trade"),
        ({"trade": [NOBODY]}, "/trade"),
        ({"trade": NOBODY, "state": "open"}, "/state"),
        ({"trade": NOBODY, "key": 7}, "/key"),
        ({"trade": NOBODY, "key": None}, "/key"),
    ],
)
async def test_what_is_no_trade(alice: Person, bob: Person, data: dict[str, Any], pointer: str) -> None:
    async with await bob.connect() as socket:
        for op in ("trade.accept", "trade.decline", "trade.cancel"):
            with pytest.raises(Refused) as refused:
                await socket.command(op, {"key": "k"} | data)
            assert refused.value.code == "invalid-request"
            assert {error["pointer"] for error in refused.value.body["facts"]["errors"]} == {pointer}
        assert (await socket.command("ping"))["seq"] == socket.welcome.seq
