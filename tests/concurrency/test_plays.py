"""Wild and copy cards under races on real PostgreSQL."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import psycopg
import pytest

from accounts.models import Player
from cards import answers, errors
from cards.models import Play, Transfer
from fortunes.models import Campaign
from tests.concurrency.robbing import friends_of
from tests.concurrency.together import together
from tests.concurrency.variants import erase, meeting, without
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.committed


@pytest.fixture
def season() -> Campaign:
    return make.TradingSeasonFactory.create()


@pytest.fixture
def alice(season: Campaign) -> Player:
    alice = PlayerFactory.create()
    make.deal(season, alice, *["wild"] * 8)
    return alice


def turn_all(season: Campaign, player: Player) -> Counter[Any]:
    outcomes = together(*[partial(play.turn, season, player, "harmony")] * 8)
    return Counter(type(outcome) for outcome in outcomes)


def test_of_8_wild_cards_turned_into_one_missing_kind_one_is(season: Campaign, alice: Player) -> None:
    assert turn_all(season, alice) == {answers.PlayReceipt: 1, errors.KindHeld: 7}
    assert make.held(season, alice) == {"harmony": 1, "wild": 7}


def test_control_without_the_lock_wild_cards_are_turned_into_what_is_held(
    season: Campaign, alice: Player, owner_connection: psycopg.Connection
) -> None:
    looked = "    SELECT * INTO gate FROM fortunes_gate_look(the_campaign);\n"
    with (
        meeting(owner_connection, 8) as meet,
        without(owner_connection, "cards", "lock_hand", cut=" FOR NO KEY UPDATE"),
        without(owner_connection, "cards", "play", cut=looked, put=f"    PERFORM {meet};\n{looked}"),
    ):
        outcomes = turn_all(season, alice)
    erase(season, owner_connection)

    assert outcomes[answers.PlayReceipt] > 1


def test_a_card_is_copied_by_20_friends_while_it_is_given_away(season: Campaign, alice: Player) -> None:
    """Each copy is of what the friend held at that moment; the card itself goes where it was given."""
    make.deal(season, alice, "dedication")
    receiver, *copiers = friends_of(alice, 21)
    for copier in copiers:
        make.deal(season, copier, "copy")
    *outcomes, given = together(
        *(partial(play.copy, season, copier, alice, "dedication") for copier in copiers),
        partial(make.give, season, alice, receiver, ["dedication"]),
    )

    kinds = Counter(type(outcome) for outcome in outcomes)
    assert set(kinds) <= {answers.PlayReceipt, errors.FriendLacksCard}
    assert isinstance(given, answers.TradeReceipt)
    assert (make.held(season, alice), make.held(season, receiver)) == ({"wild": 8}, {"dedication": 1})
    copied = [make.held(season, copier) for copier in copiers]
    assert copied.count({"dedication": 1}) == kinds[answers.PlayReceipt]
    assert copied.count({"copy": 1}) == kinds[errors.FriendLacksCard]
    # By the database's clock none was copied after the card had left.
    left_at = Transfer.objects.get(giver=alice, receiver=receiver).at
    assert not Play.objects.filter(friend=alice, at__gt=left_at).exists()
