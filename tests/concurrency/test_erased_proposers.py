"""A player who proposes a trade with a note while they are being erased."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest

from accounts import errors
from accounts.actions import erasure
from accounts.models import Player
from cards.models import Trade, TradeNote
from fortunes.models import Campaign
from tests.concurrency.together import PATIENCE_S, together, until, until_somebody_waits
from tests.concurrency.variants import without
from tests.factories import cards as make
from tests.factories import trades as play
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.committed

SHARED = "    PERFORM 1 FROM accounts_player p WHERE p.id = proposer AND p.erased_at IS NULL FOR SHARE;\n"


@pytest.fixture
def season() -> Campaign:
    return make.TradingSeasonFactory.create()


@pytest.fixture
def alice() -> Player:
    alice, bob = PlayerFactory.create_batch(2)
    play.befriend(alice, bob)
    return alice


def propose_while_being_erased(
    season: Campaign, alice: Player, monkeypatch: pytest.MonkeyPatch, wait: Callable[[], None]
) -> Any:
    """What comes of a proposal that begins when the erasure has deleted all notes; the erasure goes on after `wait`."""
    deleted = threading.Event()
    forget = erasure._forget_names

    def forget_later(player_id: int) -> None:
        deleted.set()
        wait()
        forget(player_id)

    def propose() -> Any:
        assert deleted.wait(PATIENCE_S)
        return play.request(season, alice, "harmony", everyone=True, note="my own words")

    monkeypatch.setattr(erasure, "_forget_names", forget_later)
    erased, proposed = together(partial(erasure.erase, player_id=alice.pk, by=alice.pk), propose)
    assert erased is None
    return proposed


def test_a_proposal_waits_for_the_erasure_of_its_player(
    season: Campaign, alice: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.deal(season, alice, "harmony")
    outcome = propose_while_being_erased(season, alice, monkeypatch, until_somebody_waits)

    assert isinstance(outcome, errors.TokenInvalid)
    assert not Trade.objects.filter(proposer=alice).exists()


def test_control_without_that_lock_a_note_outlives_its_player(
    season: Campaign, alice: Player, monkeypatch: pytest.MonkeyPatch, owner_connection: psycopg.Connection
) -> None:
    make.deal(season, alice, "harmony")
    with without(owner_connection, "cards", "propose", cut=SHARED, put="    PERFORM 1;\n"):
        propose_while_being_erased(
            season, alice, monkeypatch, partial(until, TradeNote.objects.filter(player=alice).exists)
        )
    left = TradeNote.objects.filter(player=alice)
    assert Player.objects.get(pk=alice.pk).erased_at is not None
    assert [note.text for note in left] == ["my own words"]
    left.delete()
