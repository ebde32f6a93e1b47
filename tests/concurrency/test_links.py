"""Looks at links under races on real PostgreSQL: each is counted once, and nobody waits for the link's row."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial

import pytest
from django.db import connection, transaction

from accounts.models import Player
from cards.actions import links, listing
from cards.models import LinkOpen, ShareLink
from fortunes import sql
from fortunes.models import Campaign
from tests.concurrency.together import together, until, until_somebody_waits
from tests.factories import cards as make
from tests.factories import trades as deals
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.committed

COUNT_OPEN = sql.text("cards", "count_open")


@pytest.fixture
def season() -> Campaign:
    return make.TradingSeasonFactory.create()


@pytest.fixture
def alice(season: Campaign) -> Player:
    alice = PlayerFactory.create()
    make.deal(season, alice, "harmony")
    return alice


@pytest.fixture
def link(season: Campaign, alice: Player) -> ShareLink:
    shared = deals.link_gift(season, alice, "harmony").trade.link
    assert shared
    return ShareLink.objects.get(code=shared.code)


def opens(link: ShareLink) -> int:
    """As its proposer is shown them."""
    shown = listing.trade(public_id=link.trade.public_id, player_id=link.player_id).link
    assert shown
    return shown.opens


def without(monkeypatch: pytest.MonkeyPatch, cuts: Mapping[str, str]) -> None:
    """The product's statement with parts of it replaced."""
    changed, text = COUNT_OPEN, sql.text
    for cut, put in cuts.items():
        if COUNT_OPEN.count(cut) != 1:
            raise ValueError(f"{cut} is not once in the statement")
        changed = changed.replace(cut, put)
    monkeypatch.setattr(sql, "text", lambda app, name: changed if name == "count_open" else text(app, name))


def test_a_hundred_looks_at_once(link: ShareLink) -> None:
    looked = together(*(partial(links.look, code=link.code) for _ in range(100)))
    assert [answer.state for answer in looked] == ["open"] * 100
    assert opens(link) == 100
    links.look(code=link.code)
    assert opens(link) == 101
    assert not LinkOpen.objects.filter(link=link).exists()


def test_nobody_waits_while_somebody_has_the_link(link: ShareLink) -> None:
    """As whoever claims it does."""
    with transaction.atomic():
        ShareLink.objects.select_for_update(no_key=True).get(pk=link.pk)
        together(*(partial(links.look, code=link.code) for _ in range(10)))
        # They are back, and the lock is still held.
        assert LinkOpen.objects.filter(link=link).count() == 10
    assert opens(link) == 10
    links.look(code=link.code)
    assert (opens(link), LinkOpen.objects.filter(link=link).count()) == (11, 0)


def test_control_without_skip_locked_they_wait(link: ShareLink, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, {" SKIP LOCKED\n": "\n"})
    done = threading.Event()

    def look() -> None:
        try:
            links.look(code=link.code)
        finally:
            done.set()
            connection.close()

    with transaction.atomic():
        ShareLink.objects.select_for_update(no_key=True).get(pk=link.pk)
        visitor = threading.Thread(target=look)
        visitor.start()
        until_somebody_waits()
        assert not done.is_set()
    until(done.is_set)
    visitor.join()


def test_control_what_is_not_put_aside_is_lost(link: ShareLink, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, {"WHERE NOT EXISTS (SELECT 1 FROM mine)": "WHERE false"})
    with transaction.atomic():
        ShareLink.objects.select_for_update(no_key=True).get(pk=link.pk)
        together(*(partial(links.look, code=link.code) for _ in range(3)))
    assert opens(link) == 0


def test_control_what_was_put_aside_counts_twice_unless_it_is_taken(
    link: ShareLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    LinkOpen.objects.create(link=link)
    cuts = {"DELETE FROM cards_linkopen o USING mine": "SELECT o.id FROM cards_linkopen o, mine", " RETURNING o.id": ""}
    without(monkeypatch, cuts)
    links.look(code=link.code)
    assert opens(link) == 3
