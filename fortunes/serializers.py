"""What the ground's views read from requests."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from fortunes import commenting, tally, wording
from fortunes.actions.feeds import PAGE
from fortunes.rest import StrictSerializer

# The one in the address.
PROPOSAL = OpenApiParameter("proposal_id", UUID, OpenApiParameter.PATH)


class AfterQuery(StrictSerializer):
    """A place in a feed: what follows `after`."""

    after = serializers.IntegerField(min_value=0, max_value=2**63 - 1, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=PAGE, default=PAGE)


class CommentRequest(StrictSerializer):
    """A comment of some lines."""

    text = serializers.CharField(max_length=commenting.LENGTH)

    def validate_text(self, text: str) -> str:
        tidied = wording.tidy(text)
        if not commenting.is_comment(tidied):
            raise serializers.ValidationError(_("A comment is text that can be read."))
        return tidied


class BallotRequest(StrictSerializer):
    """The number of an option."""

    option = serializers.IntegerField(min_value=1, max_value=tally.MOST_OPTIONS)
