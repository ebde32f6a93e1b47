"""A season in which something is put to the vote."""

from __future__ import annotations

import pytest

from fortunes.models import Campaign
from tests.factories.cards import SeasonFactory


@pytest.fixture
def season() -> Campaign:
    campaign: Campaign = SeasonFactory.create()
    return campaign
