"""What became of a player's cards that the rules removed, read."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from cards import answers, catalogue
from cards.models import Conversion
from fortunes.answers import instant
from fortunes.models import Campaign


def of(*, campaign: Campaign, player_id: int) -> QuerySet[Conversion]:
    return Conversion.objects.filter(player=player_id, campaign=campaign).select_related("aftermath")


def describe(rows: Iterable[Conversion]) -> list[answers.ConversionAnswer]:
    """With slugs, and with what is needed to replay what chance decided."""
    return [_describe(row) for row in rows]


def _describe(row: Conversion) -> answers.ConversionAnswer:
    kinds = catalogue.of(row.campaign_id)
    return answers.ConversionAnswer(
        id=row.public_id,
        rulebook_version=row.aftermath.version,
        kind=kinds.kinds[row.kind],
        cards=row.cards,
        into=kinds.slugs(row.into),
        amount_fen=row.fen,
        paid_at=instant(row.paid_at) if row.paid_at else None,
        chance=answers.ConversionChance(
            campaign=row.campaign_id, player=row.player_id, version=row.aftermath.version, kind=row.kind
        )
        if row.by_chance
        else None,
        converted_at=instant(row.at),
    )
