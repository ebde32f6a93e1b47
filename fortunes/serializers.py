"""What the ground's views read from requests."""

from __future__ import annotations

from rest_framework import serializers

from fortunes.actions.feeds import PAGE
from fortunes.rest import StrictSerializer


class AfterQuery(StrictSerializer):
    """A place in a feed: what follows `after`."""

    after = serializers.IntegerField(min_value=0, max_value=2**63 - 1, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=PAGE, default=PAGE)
