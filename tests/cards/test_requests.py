"""Requests: one friend, some or all are asked for cards, and the first to accept gives them. One connection."""

from __future__ import annotations

import uuid

import pytest

from accounts.actions import friendships
from accounts.models import Player
from cards import errors, trading
from cards.models import Addressee, Hand, Trade, TradeNote, Transfer
from fortunes import errors as ground
from fortunes.models import Campaign, Event, IdempotencyKey
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def friends(alice: Player) -> list[Player]:
    """Three friends of alice's, who don't know each other."""
    friends = PlayerFactory.create_batch(3)
    for friend in friends:
        play.befriend(alice, friend)
    return friends


@pytest.fixture
def bob(friends: list[Player]) -> Player:
    return friends[0]


@pytest.fixture
def charlie(friends: list[Player]) -> Player:
    return friends[1]


def told(player: Player, type_: str) -> list[dict]:
    return list(Event.objects.filter(player=player, type=type_).order_by("seq").values_list("data", flat=True))


def test_a_friend_who_is_asked_gives_the_card(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, bob, "harmony")
    asked = play.request(season, alice, "harmony", to=[bob]).trade
    assert (asked.state, asked.audience, asked.recipient) == ("open", "one", bob.public_id)
    assert (asked.gives, asked.takes, asked.closed_at) == ([], ["harmony"], None)

    given = play.accept(asked.id, bob)
    assert (given.trade.state, given.trade.recipient) == ("accepted", bob.public_id)
    assert given.trade.closed_at is not None
    assert given.trade.created_at == asked.created_at and given.trade.expires_at == asked.expires_at
    assert given.hand.counts["harmony"] == 0
    assert (make.held(season, alice), make.held(season, bob)) == ({"harmony": 1}, {})
    moved = Transfer.objects.get(trade__public_id=asked.id)
    assert (moved.giver_id, moved.receiver_id, moved.position) == (bob.pk, alice.pk, 0)


def test_both_sides_are_told(season: Campaign, alice: Player, bob: Player, charlie: Player) -> None:
    make.deal(season, bob, "harmony")
    asked = play.request(season, alice, "harmony", to=[bob], note="please").trade
    for player in (alice, bob):
        (proposed,) = told(player, "trade.proposed")
        assert proposed == {
            "trade": str(asked.id),
            "type": "request",
            "audience": "one",
            "proposer": str(alice.public_id),
            "gives": [],
            "takes": ["harmony"],
            "expires_at": asked.expires_at,
            "has_note": True,
        }
    play.accept(asked.id, bob)
    for player in (alice, bob):
        (accepted,) = told(player, "trade.accepted")
        hand = Hand.objects.get(campaign=season, player=player)
        assert accepted == {
            "trade": str(asked.id),
            "type": "request",
            "proposer": str(alice.public_id),
            "by": str(bob.public_id),
            "gives": [],
            "takes": ["harmony"],
            "hand_version": hand.version,
            "complete": False,
        }
    assert not Event.objects.filter(player=charlie, type__startswith="trade").exists()


def test_of_all_friends_the_first_gives_and_the_others_are_told_that_it_is_settled(
    season: Campaign, alice: Player, friends: list[Player]
) -> None:
    stranger = PlayerFactory.create()
    for friend in friends:
        make.deal(season, friend, "harmony")
    asked = play.request(season, alice, "harmony", everyone=True).trade
    assert (asked.audience, asked.recipient) == ("some", None)
    assert {row.player_id for row in Addressee.objects.all()} == {friend.pk for friend in friends}

    first, *others = friends
    assert play.accept(asked.id, first).trade.recipient == first.public_id
    for late in others:
        with pytest.raises(errors.TradeAlreadyClosed) as refused:
            play.accept(asked.id, late)
        assert refused.value.facts == {"state": "accepted"}
        assert told(late, "trade.closed") == [
            {"trade": str(asked.id), "state": "accepted", "by": None, "hand_version": None}
        ]
        assert make.held(season, late) == {"harmony": 1}
    assert told(first, "trade.closed") == [] and told(alice, "trade.closed") == []
    with pytest.raises(errors.TradeNotFound):
        play.accept(asked.id, stranger)


def test_some_friends_are_asked_and_no_other(season: Campaign, alice: Player, friends: list[Player]) -> None:
    *some, other = friends
    make.deal(season, other, "harmony")
    asked = play.request(season, alice, "harmony", to=some).trade

    assert asked.audience == "some"
    assert told(other, "trade.proposed") == []
    for verb in (play.accept, play.decline, play.cancel):
        with pytest.raises(errors.TradeNotFound):
            verb(asked.id, other)


def test_who_declines_is_done_and_all_who_decline_close_it(
    season: Campaign, alice: Player, friends: list[Player]
) -> None:
    asked = play.request(season, alice, "harmony", to=friends).trade
    for place, friend in enumerate(friends):
        assert Trade.objects.get(public_id=asked.id).state == "open"
        answer = play.decline(asked.id, friend)
        assert (answer.trade.state, answer.trade.recipient) == ("declined", None)
        assert (answer.trade.closed_at is None) == (place < 2)
        with pytest.raises(errors.TradeAlreadyClosed) as refused:
            play.accept(asked.id, friend)
        assert refused.value.facts == {"state": "declined"}
        by = str(friend.public_id)
        assert told(friend, "trade.closed") == [
            {"trade": str(asked.id), "state": "declined", "by": by, "hand_version": None}
        ]
        assert len(told(alice, "trade.closed")) == (place == 2)
    assert Trade.objects.get(public_id=asked.id).state == "declined"
    assert told(alice, "trade.closed")[0]["by"] is None


def test_one_friend_who_declines_closes_it(season: Campaign, alice: Player, bob: Player) -> None:
    asked = play.request(season, alice, "harmony", to=[bob]).trade
    answer = play.decline(asked.id, bob)

    assert (answer.trade.state, answer.trade.recipient) == ("declined", bob.public_id)
    assert answer.trade.closed_at is not None
    closed = {"trade": str(asked.id), "state": "declined", "by": str(bob.public_id), "hand_version": None}
    assert told(alice, "trade.closed") == told(bob, "trade.closed") == [closed]
    assert Trade.objects.get(public_id=asked.id).recipient == bob


def test_who_declined_is_not_told_of_the_end_again(
    season: Campaign, alice: Player, bob: Player, charlie: Player
) -> None:
    asked = play.request(season, alice, "harmony", to=[bob, charlie]).trade
    play.decline(asked.id, bob)
    cancelled = play.cancel(asked.id, alice)

    assert (cancelled.trade.state, cancelled.trade.recipient) == ("cancelled", None)
    assert [closed["state"] for closed in told(bob, "trade.closed")] == ["declined"]
    last = {"trade": str(asked.id), "state": "cancelled", "by": str(alice.public_id), "hand_version": None}
    assert told(charlie, "trade.closed") == told(alice, "trade.closed") == [last]


def test_who_has_no_such_card_can_not_give_it(season: Campaign, alice: Player, bob: Player, charlie: Player) -> None:
    make.deal(season, bob, "prosperity")
    asked = play.request(season, alice, "harmony", to=[bob, charlie]).trade

    for friend in (bob, charlie):
        with pytest.raises(errors.CardNotHeld):
            play.accept(asked.id, friend)
    # Nobody's hand is made for a refusal.
    assert not Hand.objects.filter(player=charlie).exists()
    make.deal(season, charlie, "harmony")
    assert play.accept(asked.id, charlie).trade.state == "accepted"


def test_several_cards_are_given_together_or_not_at_all(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, bob, "harmony", "prosperity")
    asked = play.request(season, alice, "harmony", "prosperity", "harmony", to=[bob]).trade
    with pytest.raises(errors.CardNotHeld):
        play.accept(asked.id, bob)
    assert make.held(season, bob) == {"harmony": 1, "prosperity": 1}

    make.deal(season, bob, "harmony")
    play.accept(asked.id, bob)
    assert make.held(season, alice) == {"harmony": 2, "prosperity": 1}
    kinds = Transfer.objects.filter(trade__public_id=asked.id).order_by("position").values_list("kind", flat=True)
    assert list(kinds) == Trade.objects.get(public_id=asked.id).takes


def test_a_note_goes_with_it_and_lies_in_one_place(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, bob, "harmony")
    asked = play.request(season, alice, "harmony", to=[bob], note=" the last one, please ").trade
    assert asked.note == "the last one, please"
    assert TradeNote.objects.get().player == alice
    assert "please" not in str(list(Event.objects.values_list("data", flat=True)))
    assert "please" not in str(list(IdempotencyKey.objects.values_list("result", flat=True)))
    assert play.accept(asked.id, bob).trade.note == "the last one, please"


def test_the_same_key_answers_again(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, bob, "harmony")
    first = play.request(season, alice, "harmony", to=[bob], key="k1")
    given = play.accept(first.trade.id, bob, key="k1")

    assert play.request(season, alice, "harmony", to=[bob], key="k1") == first
    assert play.accept(first.trade.id, bob, key="k1") == given
    assert Trade.objects.filter(proposer=alice).count() == 1
    assert make.held(season, alice) == {"harmony": 1}


@pytest.mark.parametrize("verb", [play.decline, play.cancel])
def test_the_same_key_closes_it_once(season: Campaign, alice: Player, bob: Player, verb) -> None:
    asked = play.request(season, alice, "harmony", to=[bob]).trade
    by = bob if verb is play.decline else alice
    first = verb(asked.id, by, key="k1")

    assert verb(asked.id, by, key="k1") == first
    assert len(told(alice, "trade.closed")) == 1


@pytest.mark.parametrize("verb", [play.accept, play.decline, play.cancel])
def test_a_key_is_of_one_trade(season: Campaign, alice: Player, bob: Player, verb) -> None:
    by = alice if verb is play.cancel else bob
    make.deal(season, bob, "harmony", "harmony")
    one, other = (play.request(season, alice, "harmony", to=[bob]).trade for _ in range(2))
    verb(one.id, by, key="k1")
    with pytest.raises(ground.IdempotencyKeyReused):
        verb(other.id, by, key="k1")
    with pytest.raises(ground.IdempotencyKeyReused):
        play.request(season, alice, "harmony", to=[bob], key="k2")
        play.request(season, alice, "prosperity", to=[bob], key="k2")


def test_a_friendship_that_ended_takes_its_trades_with_it(
    season: Campaign, alice: Player, bob: Player, charlie: Player
) -> None:
    """Ended or blocked, by either, asked alone or with others: as if there were no such trade."""
    for friend in (bob, charlie):
        make.deal(season, friend, "harmony")
    alone = play.request(season, alice, "harmony", to=[bob]).trade
    among = play.request(season, alice, "harmony", everyone=True).trade
    friendships.end(by=bob.pk, player=alice.public_id)
    friendships.block(by=alice.pk, player=charlie.public_id)

    for trade, friend in ((alone, bob), (among, bob), (among, charlie)):
        with pytest.raises(errors.TradeNotFound) as refused:
            play.accept(trade.id, friend)
        assert refused.value.facts == {}
    assert make.held(season, alice) == {}
    # Whoever doesn't want to see it any more can say so all the same.
    assert play.decline(among.id, bob).trade.state == "declined"
    play.cancel(alone.id, alice)
    with pytest.raises(errors.TradeNotFound):
        play.accept(alone.id, bob)


def test_strangers_the_unknown_and_who_blocked_me_look_the_same(season: Campaign, alice: Player, friends) -> None:
    bob, charlie, dave = friends
    friendships.block(by=bob.pk, player=alice.public_id)
    unknown = PlayerFactory.build(public_id=uuid.uuid4())

    for other in (bob, unknown, PlayerFactory.create()):
        for to in ([other], [charlie, other], [other, charlie, dave]):
            with pytest.raises(errors.FriendNotFound) as refused:
                play.request(season, alice, "harmony", to=to)
            assert refused.value.facts == {}
    assert not Trade.objects.exists()


def test_who_has_no_friends_asks_nobody(season: Campaign) -> None:
    with pytest.raises(errors.FriendNotFound):
        play.request(season, PlayerFactory.create(), "harmony", everyone=True)


def test_nobody_trades_with_oneself(season: Campaign, alice: Player, bob: Player) -> None:
    for to in ([alice], [bob, alice]):
        with pytest.raises(errors.TradeWithOneself):
            play.request(season, alice, "harmony", to=to)
    asked = play.request(season, alice, "harmony", to=[bob]).trade
    with pytest.raises(errors.TradeWithOneself):
        play.accept(asked.id, alice)
    with pytest.raises(errors.TradeNotFound):
        play.decline(asked.id, alice)


def test_a_kind_of_another_campaign_is_refused(season: Campaign, alice: Player, bob: Player) -> None:
    with pytest.raises(errors.KindUnknown):
        play.request(season, alice, "happiness", to=[bob])


def test_an_unknown_trade(alice: Player) -> None:
    for verb in (play.accept, play.decline, play.cancel):
        with pytest.raises(errors.TradeNotFound):
            verb(uuid.uuid4(), alice)


def test_what_no_serializer_lets_through(season: Campaign, alice: Player, bob: Player, charlie: Player) -> None:
    for proposal in (
        {"type_": "gift", "to": [bob, charlie], "gives": ["harmony"]},
        {"type_": "gift", "everyone": True, "gives": ["harmony"]},
        {"type_": "swap", "link": "qr", "gives": ["harmony"], "takes": ["prosperity"]},
        {"type_": "swap", "to": [bob], "gives": ["harmony"]},
        {"type_": "request", "to": [bob]},
        {"type_": "request", "to": [bob], "gives": ["harmony"], "takes": ["harmony"]},
        {"type_": "request", "to": [bob], "takes": ["harmony"] * 11},
        {"type_": "raffle", "to": [bob], "gives": ["harmony"]},
        {"type_": "request", "to": [bob, bob], "takes": ["harmony"]},
        {"type_": "request", "takes": ["harmony"]},
        {"type_": "request", "to": [bob], "everyone": True, "takes": ["harmony"]},
    ):
        with pytest.raises(trading.ShapeError):
            play.propose(season, alice, **proposal)


def test_a_gift_to_a_friend_is_given_at_once(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "harmony")
    given = play.propose(season, alice, "gift", to=[bob], gives=["harmony"])

    assert (given.trade.state, given.trade.expires_at, given.trade.note) == ("accepted", None, None)
    assert make.held(season, bob) == {"harmony": 1}
    assert told(bob, "gift.received") and not told(bob, "trade.proposed")


def test_whoever_asks_for_the_last_card_is_told_of_the_full_set(season: Campaign, alice: Player, bob: Player) -> None:
    *most, last = ("patriotism", "prosperity", "harmony", "friendliness", "dedication")
    make.deal(season, alice, *most)
    make.deal(season, bob, last)
    assert Hand.objects.get(player=alice).completed_at is None
    asked = play.request(season, alice, last, to=[bob]).trade
    play.accept(asked.id, bob)

    trade = Trade.objects.get(public_id=asked.id)
    assert Hand.objects.get(player=alice).completed_at == trade.closed_at
    assert told(alice, "trade.accepted")[0]["complete"] is True
    assert told(bob, "trade.accepted")[0]["complete"] is False

    # And whoever gives it away is complete no more.
    asked = play.request(season, bob, last, to=[alice]).trade
    play.accept(asked.id, alice)
    assert Hand.objects.get(player=alice).completed_at is None
