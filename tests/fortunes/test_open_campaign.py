"""The statement by which nearly every request finds its campaign gives the very row that the ORM would."""

from __future__ import annotations

import pytest

from fortunes import errors, rest
from fortunes.models import Campaign
from tests.factories import cards as make

pytestmark = pytest.mark.django_db


def test_it_is_the_same_row_with_all_of_its_columns() -> None:
    season = make.SeasonFactory()
    found, same = rest.require_campaign(season.slug), Campaign.objects.get(slug=season.slug)
    assert not found.get_deferred_fields()
    for field in Campaign._meta.concrete_fields:
        one, other = (getattr(row, field.attname) for row in (found, same))
        assert bytes(one) == bytes(other) if isinstance(other, bytes | memoryview) else one == other, field.attname


def test_drafts_and_unknown_ones_are_not_found() -> None:
    draft = make.DraftSeasonFactory()
    for slug in (draft.slug, "unknown"):
        with pytest.raises(errors.CampaignNotFound):
            rest.require_campaign(slug)
