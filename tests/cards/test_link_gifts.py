"""Trades by link: gifts that wait in escrow for whoever claims them, and requests that anybody may answer. The engine;
what a link shows is in test_links. One connection."""

from __future__ import annotations

import pytest

from accounts.actions import erasure, friendships
from accounts.models import FRIEND_LIMIT, Friendship, Player
from cards import errors
from cards.actions import trades
from cards.models import Hand, ShareLink, Trade
from fortunes import errors as ground
from fortunes import rulebooks
from fortunes.models import Campaign, DatabaseNow, Event, Rulebook
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(season: Campaign) -> Player:
    """Has harmony twice."""
    alice = PlayerFactory.create()
    make.deal(season, alice, "harmony", "harmony")
    return alice


@pytest.fixture
def bob() -> Player:
    """Nobody's friend."""
    return PlayerFactory.create()


def claim(trade_id, by: Player, key: str | None = None):
    trade = Trade.objects.get(public_id=trade_id)
    asked = make.asked(by, "link-acceptance", {"trade": str(trade_id)}, key)
    return trades.accept_by_link(asked=asked, trade_pk=trade.pk, by=by)


def are_friends(one: Player, other: Player) -> bool:
    return Friendship.objects.filter(player=one, friend=other, state="friends").exists()


def test_a_gift_by_link_waits_in_escrow(season: Campaign, alice: Player) -> None:
    offered = play.link_gift(season, alice, "harmony", link="weibo")

    assert (offered.trade.state, offered.trade.audience, offered.trade.recipient) == ("open", "link", None)
    assert (offered.hand.counts["harmony"], offered.hand.escrow["harmony"]) == (1, 1)
    link = ShareLink.objects.get()
    assert offered.trade.link is not None
    assert (offered.trade.link.code, link.channel, link.player) == (link.code, "weibo", alice)
    hand = Hand.objects.get(player=alice)
    assert hand.version == offered.hand.version == 3
    assert not Event.objects.exclude(player=alice).exists()


def test_whoever_claims_it_gets_the_card_and_a_friend(season: Campaign, alice: Player, bob: Player) -> None:
    offered = play.link_gift(season, alice, "harmony")
    claimed = claim(offered.trade.id, bob)

    assert (claimed.trade.state, claimed.trade.recipient) == ("accepted", bob.public_id)
    # Whose link it is, only its owner sees.
    assert claimed.trade.link is None
    assert claimed.hand.counts["harmony"] == 1
    assert make.held(season, alice) == {"harmony": 1}
    assert set(Hand.objects.get(player=alice).escrow) == {0}
    assert are_friends(alice, bob) and are_friends(bob, alice)
    assert ShareLink.objects.get().claims == 1
    for player in (alice, bob):
        types = Event.objects.filter(player=player).order_by("seq").values_list("type", flat=True)
        assert list(types)[-2:] == ["friendship.accepted", "trade.accepted"]


def test_a_request_by_link_is_answered_by_a_stranger(season: Campaign, alice: Player, bob: Player) -> None:
    asked = play.request(season, alice, "prosperity", link="qr").trade
    assert set(Hand.objects.get(player=alice).escrow) == {0}
    with pytest.raises(errors.CardNotHeld):
        claim(asked.id, bob)
    # A refusal makes no friends either.
    assert not are_friends(alice, bob)

    make.deal(season, bob, "prosperity")
    claim(asked.id, bob)
    assert make.held(season, alice) == {"harmony": 2, "prosperity": 1}
    assert are_friends(alice, bob)


def test_it_is_claimed_once(season: Campaign, alice: Player, bob: Player) -> None:
    offered = play.link_gift(season, alice, "harmony").trade
    first = claim(offered.id, bob, key="k1")

    charlie = PlayerFactory.create()
    for late in (charlie, bob):
        with pytest.raises(errors.TradeAlreadyClosed) as refused:
            claim(offered.id, late)
        assert refused.value.facts == {"state": "accepted"}
    assert not are_friends(alice, charlie)
    assert claim(offered.id, bob, key="k1") == first


def test_a_key_is_of_one_link(season: Campaign, alice: Player, bob: Player) -> None:
    one, other = (play.link_gift(season, alice, "harmony").trade for _ in range(2))
    claim(one.id, bob, key="k1")
    with pytest.raises(ground.IdempotencyKeyReused):
        claim(other.id, bob, key="k1")


def test_a_friend_may_claim_it_as_well(season: Campaign, alice: Player, bob: Player) -> None:
    play.befriend(alice, bob)
    claim(play.link_gift(season, alice, "harmony").trade.id, bob)
    assert make.held(season, bob) == {"harmony": 1}
    assert not Event.objects.filter(player=bob, type="friendship.accepted", seq__gt=2).exists()


def test_a_full_list_of_friends_is_no_obstacle(season: Campaign, alice: Player, bob: Player) -> None:
    Player.objects.filter(pk=alice.pk).update(friend_count=FRIEND_LIMIT)
    claim(play.link_gift(season, alice, "harmony").trade.id, bob)
    assert make.held(season, bob) == {"harmony": 1}
    assert not are_friends(alice, bob)
    Player.objects.filter(pk=alice.pk).update(friend_count=0)


@pytest.mark.parametrize("blocks", ["alice", "bob"])
def test_after_a_block_there_is_no_such_link(season: Campaign, alice: Player, bob: Player, blocks: str) -> None:
    offered = play.link_gift(season, alice, "harmony").trade
    one, other = (alice, bob) if blocks == "alice" else (bob, alice)
    friendships.block(by=one.pk, player=other.public_id)
    with pytest.raises(errors.LinkNotFound):
        claim(offered.id, bob)
    assert make.held(season, bob) == {}


def test_nobody_claims_their_own(season: Campaign, alice: Player) -> None:
    offered = play.link_gift(season, alice, "harmony").trade
    with pytest.raises(errors.TradeWithOneself):
        claim(offered.id, alice)


def test_a_link_is_followed_and_not_accepted_by_its_id(season: Campaign, alice: Player, bob: Player) -> None:
    """Who knows the trade's id, a friend even, doesn't have the link."""
    play.befriend(alice, bob)
    offered = play.link_gift(season, alice, "harmony").trade
    for verb in (play.accept, play.decline, play.cancel):
        with pytest.raises(errors.TradeNotFound):
            verb(offered.id, bob)
    with pytest.raises(errors.LinkNotFound):
        asked = make.asked(bob, "link-acceptance", {})
        trades.accept_by_link(asked=asked, trade_pk=10**12, by=bob)


def test_a_cancelled_gift_returns(season: Campaign, alice: Player, bob: Player) -> None:
    offered = play.link_gift(season, alice, "harmony").trade
    cancelled = play.cancel(offered.id, alice)

    assert (cancelled.trade.state, cancelled.trade.link.claims) == ("cancelled", 0)
    assert (cancelled.hand.counts["harmony"], cancelled.hand.escrow["harmony"]) == (2, 0)
    told = Event.objects.get(player=alice, type="trade.closed").data
    assert told["hand_version"] == cancelled.hand.version
    with pytest.raises(errors.TradeAlreadyClosed) as refused:
        claim(offered.id, bob)
    assert refused.value.facts == {"state": "cancelled"}
    with pytest.raises(errors.TradeAlreadyClosed):
        play.cancel(offered.id, alice)
    assert make.held(season, alice) == {"harmony": 2}


def test_a_cancelled_request_by_link_leaves_the_hand_alone(season: Campaign, alice: Player) -> None:
    asked = play.request(season, alice, "prosperity", link="qr").trade
    version = Hand.objects.get(player=alice).version
    assert play.cancel(asked.id, alice).hand.version == version
    assert Event.objects.get(player=alice, type="trade.closed").data["hand_version"] is None


def test_what_is_in_escrow_is_neither_given_nor_offered(season: Campaign, alice: Player, bob: Player) -> None:
    play.befriend(alice, bob)
    make.deal(season, bob, "prosperity")
    offer = play.offer(season, alice, ["harmony", "harmony"], ["prosperity"], to=[bob]).trade
    play.link_gift(season, alice, "harmony")

    with pytest.raises(errors.CardNotHeld):
        make.give(season, alice, bob, ["harmony", "harmony"])
    with pytest.raises(errors.CardNotHeld):
        play.link_gift(season, alice, "harmony", "harmony")
    with pytest.raises(errors.OfferNotCovered):
        play.accept(offer.id, bob)


def test_what_is_in_escrow_completes_a_set_until_it_is_claimed(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "patriotism", "prosperity", "friendliness", "dedication")
    since = Hand.objects.get(player=alice).completed_at
    assert since is not None
    one, other = (play.link_gift(season, alice, "harmony").trade for _ in range(2))
    assert Hand.objects.get(player=alice).completed_at == since

    claim(one.id, bob)
    assert Hand.objects.get(player=alice).completed_at == since
    claim(other.id, bob)
    assert Hand.objects.get(player=alice).completed_at is None


def test_a_full_hand_claims_nothing_and_room_is_kept_for_what_returns(
    season: Campaign, alice: Player, bob: Player
) -> None:
    play.befriend(alice, bob)
    offered = play.link_gift(season, alice, "harmony").trade
    make.deal(season, bob, "harmony")
    hand = Hand.objects.get(player=alice)
    Hand.objects.filter(player=alice).update(counts=[0, 0, 32_766, *hand.counts[3:]])
    with pytest.raises(errors.HandFull):
        make.give(season, bob, alice, ["harmony"])
    assert play.cancel(offered.id, alice).hand.counts["harmony"] == 32_767
    Hand.objects.filter(player=alice).update(counts=[0, 0, 2, *hand.counts[3:]])


def test_whose_giver_was_erased_is_claimed_by_nobody(season: Campaign, alice: Player, bob: Player) -> None:
    offered = play.link_gift(season, alice, "harmony").trade
    erasure.erase(player_id=alice.pk, by=alice.pk)
    with pytest.raises((errors.LinkNotFound, errors.TradeAlreadyClosed)):
        claim(offered.id, bob)
    assert make.held(season, bob) == {}


def test_a_claim_by_the_rules_of_yesterday_is_made_by_those_of_today(
    season: Campaign, alice: Player, bob: Player
) -> None:
    offered = play.link_gift(season, alice, "harmony").trade
    assert rulebooks.believed(season.pk) == 1
    first = Rulebook.objects.get(campaign=season, version=1)
    Rulebook.objects.create(campaign=season, version=2, rules=first.rules, in_force_at=DatabaseNow())

    claim(offered.id, bob)
    assert rulebooks.believed(season.pk) == 2
    # One friendship, told once: the first attempt has left nothing behind.
    assert Event.objects.filter(player=bob, type="friendship.accepted").count() == 1
    assert are_friends(alice, bob)
