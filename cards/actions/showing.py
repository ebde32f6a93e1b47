"""What players see of the cards, read. Nothing here locks or changes."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from accounts.models import Referral
from cards import answers, catalogue, hands
from cards.models import CardKind, Draw, InvitationCredit
from fortunes import answers as ground
from fortunes import rulebooks, sql
from fortunes.actions import feeds
from fortunes.models import Campaign

# The state of an invitation before it has a credit.
NOT_YET = "invited"


def kinds(*, campaign: Campaign) -> answers.Kinds:
    """The campaign's kinds in the order of their ordinals."""
    return answers.Kinds(
        items=[
            answers.KindAnswer(
                slug=row.slug,
                name=ground.Name(zh=row.name_zh, en=row.name_en),
                role=row.role,
                glyph=row.glyph,
                colour=row.colour,
            )
            for row in CardKind.objects.filter(campaign=campaign).order_by("ordinal")
        ]
    )


def hand(*, campaign: Campaign, player_id: int) -> answers.HandSnapshot:
    """A player's hand with what is left of their quotas, and the feed's position read before it."""
    seq = feeds.player_positions(players=[player_id])[player_id]
    known = catalogue.of(campaign.pk)
    rules = rulebooks.current(campaign.pk)
    row = next(iter(sql.fetch(sql.text("cards", "read_hand"), {"campaign": campaign.pk, "player": player_id})), None)
    held = hands.Held.of(player_id, row) if row else hands.Held.empty(player_id, len(known.kinds))
    none_used = [0] * len(known.sources)
    used_today, used = (row.used_today, row.used) if row else (none_used, none_used)
    return answers.HandSnapshot(
        seq=seq,
        hand=answers.hand(known, held),
        complete=known.complete(rules, held.counts, held.escrow),
        quotas=[
            answers.quota(*line) for line in zip(known.sources, known.quotas(rules), used_today, used, strict=True)
        ],
    )


def draws_of(*, campaign: Campaign, player_id: int) -> QuerySet[Draw]:
    """A player's draws in a campaign."""
    return Draw.objects.filter(campaign=campaign, player_id=player_id)


def draw(row: Draw) -> answers.DrawRecord:
    """A draw with what its owner needs to replay it once the secret is published."""
    known = catalogue.of(row.campaign_id)
    return answers.DrawRecord(
        id=row.public_id,
        kind=known.kinds[row.kind],
        wish=known.kinds[row.wish],
        serial=row.serial,
        rulebook_version=row.rulebook_version,
        drawn_at=ground.instant(row.at),
        proof=answers.Proof(
            campaign=row.campaign_id, source=row.source, nonce=bytes(row.nonce).hex(), player=row.player_id
        ),
    )


def fairness(*, campaign: Campaign) -> answers.Fairness:
    """The commitment, and what it committed to once that may be known."""
    known = catalogue.of(campaign.pk)
    return answers.Fairness(
        draw_commitment=bytes(campaign.draw_commitment).hex(),
        draw_secret=bytes(campaign.draw_secret).hex() if campaign.draw_secret else None,
        kinds=list(known.kinds),
        roles=list(known.roles),
        sources=list(known.types),
        tz=campaign.tz,
    )


def issues_of(*, campaign: Campaign, kind: str) -> QuerySet[Draw]:
    """Every issued unit of a capped kind; nothing until the split is sealed. Raises KindUnknown."""
    (ordinal,) = catalogue.of(campaign.pk).ordinals([kind])
    issued = Draw.objects.filter(campaign=campaign, kind=ordinal, serial__isnull=False)
    return issued if campaign.settled_at else issued.none()


def issue(row: Draw) -> answers.Issue:
    known = catalogue.of(row.campaign_id)
    if row.serial is None:
        raise ValueError("an issue has a serial")
    return answers.Issue(kind=known.kinds[row.kind], serial=row.serial, drawn_at=ground.instant(row.at))


def referrals_of(*, player_id: int) -> QuerySet[Referral]:
    """Who came by a player's invitation, whatever the campaign."""
    return Referral.objects.filter(inviter_id=player_id).select_related("invited")


def describe_referrals(rows: Iterable[Referral], *, campaign: Campaign) -> list[answers.Referred]:
    """Referrals and what became of them in a campaign, in one query for all of them."""
    rows = list(rows)
    found = InvitationCredit.objects.filter(campaign=campaign, invited__in=[row.invited_id for row in rows])
    credits = {credit.invited_id: credit for credit in found}
    return [_referred(row, credits.get(row.invited_id)) for row in rows]


def _referred(row: Referral, credit: InvitationCredit | None) -> answers.Referred:
    return answers.Referred(
        player=row.invited.public_id,
        nickname=row.invited.nickname,
        state=credit.state if credit else NOT_YET,
        draw=credit.draw if credit else None,
    )
