"""One player for those who help: found by what they know of themselves, and shown with all that they have.

Nothing here changes a player. Each list is short, by an index, and newest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import CharField, DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value

from accounts import phones
from accounts.errors import InvalidPhone, PlayerNotFound
from accounts.models import Ban, Phone, Player, Referral, RefreshFamily
from cards.models import Draw, Hand, Trade, Transfer
from fortunes import audit, naming
from fortunes.models import Ballot, DatabaseNow, Event
from redpackets.actions import showing
from redpackets.models import LedgerEntry, Packet, Wallet

ROWS = 20
NEVER = Value(None, output_field=DateTimeField())


@dataclass(frozen=True, slots=True)
class Change:
    """Something about the account: a sign-in, a ban, or a player who came by this one's invitation.

    It lasts `until` then unless it `ended` before; `word` is the ban's reason, or the invited player's username.
    """

    what: str
    since: datetime
    until: datetime | None
    ended: datetime | None
    word: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """What is shown of one player. `player` carries `now`, `balance_fen`, `inviter` and `has_phone`."""

    player: Any
    hands: Sequence[Hand]
    draws: Sequence[Draw]
    trades: Sequence[Trade]
    transfers: Sequence[Transfer]
    events: Sequence[Event]
    entries: Sequence[LedgerEntry]
    packets: Sequence[Packet]
    # Without what they were for: that is the player's own business.
    ballots: Sequence[Ballot]
    changes: Sequence[Change]


def find(*, word: str, by: int) -> list[int]:
    """The ids of the players whom a word names: by username, public id, number or phone, whole. It goes on record whom
    somebody has looked up, and not how.
    """
    with transaction.atomic(durable=True):
        found = sorted({*naming.players(word.strip()), *_phoned(word)})
        for player_id in found:
            audit.record(actor=by, action="player.looked_up", subject="accounts.player", subject_id=player_id)
        return found


def player(*, player_id: int) -> Dossier:
    """Raises PlayerNotFound."""
    invited = Referral.objects.filter(invited=OuterRef("pk")).values("inviter__username")
    shown = Player.objects.annotate(
        now=DatabaseNow(),
        balance_fen=Subquery(Wallet.objects.filter(player=OuterRef("pk")).values("balance_fen")),
        inviter=Subquery(invited),
        has_phone=Exists(Phone.objects.filter(player=OuterRef("pk"))),
    )
    found = shown.filter(pk=player_id).first()
    if found is None:
        raise PlayerNotFound
    hands = list(_newest(Hand.objects.filter(player=player_id).select_related("campaign")))
    campaigns = [hand.campaign_id for hand in hands]
    return Dossier(
        player=found,
        hands=hands,
        draws=_newest(Draw.objects.filter(player=player_id).select_related("campaign")),
        trades=_newest(_of_campaigns(Trade.objects, campaigns, proposer=player_id, recipient=player_id)),
        transfers=_newest(_of_campaigns(Transfer.objects, campaigns, giver=player_id, receiver=player_id)),
        events=list(Event.objects.filter(player=player_id).select_related("campaign").order_by("-seq")[:ROWS]),
        entries=_newest(showing.entries_of(player_id=player_id)),
        packets=_packets(player_id, campaigns),
        ballots=_ballots(player_id),
        changes=_changes(player_id),
    )


def _phoned(word: str) -> list[int]:
    try:
        owner = phones.find(phones.normalise(word))
    except InvalidPhone:
        return []
    return [owner.pk] if owner else []


def _newest(rows: QuerySet) -> list[Any]:
    return list(rows.order_by("-pk")[:ROWS])


def _of_campaigns(rows: Any, campaigns: Sequence[int], **sides: int) -> QuerySet:
    """Rows of which the player is on one side, through an index for each; the campaigns are those of their hands."""
    either = Q()
    for side, player_id in sides.items():
        either |= Q(**{side: player_id, "campaign__in": campaigns})
    found: QuerySet = rows.filter(either).select_related("campaign", *sides)
    return found


def _ballots(player_id: int) -> list[Ballot]:
    cast = Ballot.objects.filter(player=player_id).select_related("proposal__campaign").only("at", "proposal")
    return list(cast.order_by("-proposal")[:ROWS])


def _packets(player_id: int, campaigns: Sequence[int]) -> list[Packet]:
    """Payouts have an index by pool and player only."""
    packets = Packet.objects.filter(pool__campaign__in=campaigns, player=player_id)
    return list(packets.select_related("pool__campaign").order_by("-pool")[:ROWS])


def _changes(player_id: int) -> list[Change]:
    sessions = RefreshFamily.objects.filter(player=player_id)
    bans = Ban.objects.filter(player=player_id)
    referrals = Referral.objects.filter(inviter=player_id)
    parts = [
        _changed(sessions, "session", "created_at", until=F("expires_at"), ended=F("revoked_at"), word=Value("")),
        _changed(bans, "ban", "at", until=NEVER, ended=F("lifted_at"), word=F("reason")),
        _changed(referrals, "referral", "at", until=NEVER, ended=NEVER, word=F("invited__username")),
    ]
    rows = parts[0].union(*parts[1:], all=True).order_by("-since")
    return [Change(**row) for row in rows]


def _changed(rows: QuerySet, what: str, at: str, **columns: Any) -> QuerySet:
    """All kinds of change in the same columns, for one query."""
    given = {"what": Value(what, output_field=CharField()), "since": F(at), **columns}
    newest: QuerySet = rows.order_by(f"-{at}").values(**given)[:ROWS]
    return newest
