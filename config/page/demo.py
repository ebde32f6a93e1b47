"""What makes the page a demo: codes for whoever asks. With a real season codes are printed, and found by players."""

from __future__ import annotations

from cards.actions import batches, printing
from fortunes import rest


def code(*, campaign: str) -> str:
    """A fresh code of an open campaign, in a batch of its own. Raises CampaignNotFound."""
    season = rest.require_campaign(campaign)
    batch = batches.create(campaign_id=season.pk, source_slug="code", count=1, expires_at=season.reveal_at)
    (text,) = printing.codes(batch=batch)
    return text
