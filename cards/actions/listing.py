"""The trades of a player, read: their own and those that they are asked by. Nothing here locks or changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from accounts import friends
from cards import answers, catalogue, errors
from cards.models import Addressee, ShareLink, Trade, TradeNote
from fortunes import clock
from fortunes.answers import instant
from fortunes.models import Campaign

OPEN, EXPIRED, DECLINED = Trade.State.OPEN, Trade.State.EXPIRED, Trade.State.DECLINED


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads which trades of a campaign: `sent` are the player's own, `received` those that they are asked by."""

    campaign: Campaign
    player_id: int
    box: str = ""
    state: str = ""

    def trades(self, *, before: str | None, limit: int) -> list[Trade]:
        """The newest `limit` trades, of those before an id.

        There are three ways to take part in a trade, and each has an index, from whose end as many are read.
        """
        now, me = clock.estimate(), self.player_id
        rows = Trade.objects.filter(campaign=self.campaign)
        if before is not None:
            rows = rows.filter(pk__lt=int(before))
        parts = []
        if self.box != "received":
            parts.append(rows.filter(self._in_state(now), proposer=me))
        if self.box != "sent":
            asked = Q(addressees__player=me, addressees__campaign=self.campaign) & self._in_state(now, asked=True)
            parts += [rows.filter(self._in_state(now), recipient=me), rows.exclude(recipient=me).filter(asked)]
        first, *others = [part.order_by("-pk")[:limit] for part in parts]
        return list(first.union(*others, all=True).order_by("-pk")[:limit] if others else first)

    def describe(self, rows: Sequence[Trade]) -> list[answers.TradeAnswer]:
        return describe(rows, seen_by=self.player_id)

    def _in_state(self, now: datetime, *, asked: bool = False) -> Q:
        """Trades that are shown in the state; of an Addressee what they have declined is declined."""
        runs, has_declined = Q(state=OPEN, expires_at__gt=now), Q(addressees__declined_at__isnull=False)
        if self.state == OPEN:
            return runs & ~has_declined if asked else runs
        if self.state == EXPIRED:
            return Q(state=EXPIRED) | Q(state=OPEN, expires_at__lte=now)
        if self.state == DECLINED and asked:
            return Q(state=DECLINED) | (runs & has_declined)
        return Q(state=self.state) if self.state else Q()


def trade(*, public_id: UUID, player_id: int) -> answers.TradeAnswer:
    """A trade of a player's, or one that they are asked by. Raises TradeNotFound for everybody else."""
    asked = Exists(Addressee.objects.filter(trade=OuterRef("pk"), player=player_id))
    mine = Q(proposer=player_id) | Q(recipient=player_id) | Q(asked)
    row = Trade.objects.filter(mine, public_id=public_id).first()
    if row is None:
        raise errors.TradeNotFound
    return describe([row], seen_by=player_id)[0]


def describe(rows: Iterable[Trade], *, seen_by: int) -> list[answers.TradeAnswer]:
    """Trades as one of those who take part sees them, in a few queries for all of them.

    Who else was asked learns that a trade is settled, and not with whom. What came of a link is its proposer's to know.
    """
    rows = list(rows)
    parties = {row.pk: row.recipient_id if seen_by in (row.proposer_id, row.recipient_id) else None for row in rows}
    names = friends.public_ids({row.proposer_id for row in rows} | {other for other in parties.values() if other})
    notes = dict(TradeNote.objects.filter(trade__in=parties).values_list("trade", "text"))
    links = _links([row.pk for row in rows if row.audience == Trade.Audience.LINK and row.proposer_id == seen_by])
    declined = _declined([row.pk for row in rows if row.audience == Trade.Audience.SOME], seen_by)
    described = []
    for row in rows:
        kinds, other = catalogue.of(row.campaign_id), parties[row.pk]
        described.append(
            answers.TradeAnswer(
                id=row.public_id,
                type=row.type,
                state=state(row, has_declined=row.pk in declined),
                audience=row.audience,
                proposer=names[row.proposer_id],
                recipient=names[other] if other else None,
                gives=kinds.slugs(row.gives),
                takes=kinds.slugs(row.takes),
                note=notes.get(row.pk),
                link=links.get(row.pk),
                created_at=instant(row.created_at),
                expires_at=instant(row.expires_at) if row.expires_at else None,
                closed_at=instant(row.closed_at) if row.closed_at else None,
            )
        )
    return described


def state(row: Trade, *, has_declined: bool = False) -> str:
    """The state that a trade is shown in, to one who has declined it or to the others."""
    if row.state != OPEN or row.expires_at is None:
        return row.state
    # Whenever the worker comes to write it down; and after the freeze nothing is written any more.
    if row.expires_at <= clock.estimate():
        return EXPIRED.value
    return DECLINED.value if has_declined else row.state


def _links(trades: list[int]) -> dict[int, answers.LinkShared]:
    if not trades:
        return {}
    links = counted(ShareLink.objects.filter(trade__in=trades))
    return {link.pk: answers.link(link.code, link.channel, opens=link.looks, claims=link.claims) for link in links}


def counted(links: QuerySet[ShareLink]) -> QuerySet[Any]:
    """Links with all their `looks`, also those that were put aside, and with the trades that say what came of them."""
    return links.select_related("trade").annotate(looks=F("opens") + Count("uncounted"))


def _declined(trades: list[int], player_id: int) -> set[int]:
    """Of trades that several were asked by, those that this one has declined."""
    if not trades:
        return set()
    mine = Addressee.objects.filter(trade__in=trades, player=player_id, declined_at__isnull=False)
    return set(mine.values_list("trade", flat=True))
