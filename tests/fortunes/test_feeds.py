"""What sockets ask of the feeds, for many of them in one statement."""

from __future__ import annotations

import pytest
from django.db import transaction

from fortunes import events
from fortunes.actions import feeds
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import SeasonFactory

pytestmark = pytest.mark.django_db


def test_where_the_feeds_of_several_are_and_what_they_have_beyond() -> None:
    season = SeasonFactory.create()
    alice, bob = PlayerFactory.create_batch(2)
    news = events.CampaignSettled(campaign=season.slug, winners=1, reveal_at="-")
    with transaction.atomic():
        for _ in range(3):
            events.append(campaign_id=season.pk, entries=[(alice.pk, news)])

    told, silence = feeds.read_on([(alice.pk, 1), (bob.pk, 0)])
    assert [event.seq for event in told] == [2, 3] and silence == []
    assert {event.campaign for event in told} == {season.slug}
    mine, theirs = feeds.newest([feeds.Seen(alice.pk, season.pk, 1, 0), feeds.Seen(bob.pk, season.pk)])
    assert (mine.seq, mine.next_seq, theirs.seq) == (3, 2, 0)
