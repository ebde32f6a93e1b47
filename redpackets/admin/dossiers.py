"""What a player's page shows, in words: rows of figures as lists of cells, each under its heading."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Ban
from cards.admin import counted, named, sources
from cards.models import Draw, Hand, Trade, Transfer
from fortunes.amounts import yuan
from fortunes.models import Ballot, Event
from redpackets.actions.looking import Change, Dossier
from redpackets.admin.words import instant
from redpackets.models import AccountKind, LedgerEntry, Packet

CHANGES = {
    "session": gettext_lazy("sign-in"),
    "ban": gettext_lazy("banned"),
    "referral": gettext_lazy("invited"),
}


def shown(dossier: Dossier, *, offered: list[dict[str, Any]]) -> dict[str, Any]:
    """The template's context."""
    player = dossier.player
    return {
        "player": player,
        "offered": offered,
        "tags": list(_tags(player)),
        "facts": _facts(dossier),
        "sections": [
            _section("hands", _("Hands"), _HAND, map(_hand, dossier.hands)),
            _section("draws", _("Draws"), _DRAW, map(_draw, dossier.draws)),
            _section("trades", _("Trades"), _TRADE, (_trade(row, player.pk) for row in dossier.trades)),
            _section("transfers", _("Cards given and received"), _TRANSFER, map(_transfer, dossier.transfers)),
            _section("packets", _("Packets"), _PACKET, map(_packet, dossier.packets)),
            _section("ballots", _("Ballots, and not for what"), _BALLOT, map(_ballot, dossier.ballots)),
            _section("entries", _("Wallet's entries"), _ENTRY, (_entry(row, player.pk) for row in dossier.entries)),
            _section("changes", _("Sign-ins, bans and invited players"), _CHANGE,
                     (_change(row, player.now) for row in dossier.changes)),
            _section("events", _("Feed"), _EVENT, map(_event, dossier.events)),
        ],
    }  # fmt: skip


def _section(slug: str, title: str, headings: Iterable[Any], rows: Iterable[list[Any]]) -> dict[str, Any]:
    return {"slug": slug, "title": title, "headings": list(headings), "rows": list(rows)}


def _tags(player: Any) -> Iterable[tuple[str, str]]:
    if player.erased_at:
        yield "danger", _("erased")
    elif not player.is_active:
        yield "danger", _("shut out")
    else:
        yield "success", _("active")
    if player.is_staff:
        yield "info", _("staff")


def _facts(dossier: Dossier) -> list[tuple[str, Any]]:
    player = dossier.player
    return [
        (_("nickname"), player.nickname or "-"),
        (_("number"), player.pk),
        (_("public id"), player.public_id),
        (_("joined"), instant(player.joined_at)),
        (_("invited by"), player.inviter or "-"),
        (_("phone"), _("kept, sealed") if player.has_phone else _("none")),
        (_("friends"), player.friend_count),
        (_("wallet"), yuan(player.balance_fen or 0)),
    ]


_HAND = (gettext_lazy("campaign"), gettext_lazy("cards"), gettext_lazy("in escrow"), gettext_lazy("used of quotas"))
_DRAW = (
    gettext_lazy("at"), gettext_lazy("campaign"), gettext_lazy("kind"), gettext_lazy("serial"), gettext_lazy("source"),
)  # fmt: skip
_TRADE = (
    gettext_lazy("at"), gettext_lazy("campaign"), gettext_lazy("type"), gettext_lazy("with"), gettext_lazy("gives"),
    gettext_lazy("takes"), gettext_lazy("state"),
)  # fmt: skip
_TRANSFER = (gettext_lazy("at"), gettext_lazy("kind"), gettext_lazy("from"), gettext_lazy("to"))
_PACKET = (gettext_lazy("campaign"), gettext_lazy("amount"), gettext_lazy("opened or credited"))
_BALLOT = (gettext_lazy("at"), gettext_lazy("campaign"), gettext_lazy("question"))
_ENTRY = (
    gettext_lazy("at"),
    gettext_lazy("amount"),
    gettext_lazy("from"),
    gettext_lazy("to"),
    gettext_lazy("business key"),
)
_CHANGE = (gettext_lazy("at"), gettext_lazy("what"), gettext_lazy("until"), gettext_lazy("state"))
_EVENT = (gettext_lazy("number"), gettext_lazy("at"), gettext_lazy("type"), gettext_lazy("campaign"))


def _hand(hand: Hand) -> list[Any]:
    quotas = zip(sources(hand.campaign_id), hand.used_today, hand.used, strict=False)
    used = (_("%(source)s %(today)s today, %(all)s in all") % {"source": source, "today": today, "all": in_all}
            for source, today, in_all in quotas if in_all)  # fmt: skip
    return [
        hand.campaign,
        counted(hand.campaign_id, hand.counts),
        counted(hand.campaign_id, hand.escrow),
        "; ".join(used) or "-",
    ]


def _draw(draw: Draw) -> list[Any]:
    source = sources(draw.campaign_id)[draw.source]
    return [instant(draw.at), draw.campaign, named(draw.campaign_id, [draw.kind]), _or_dash(draw.serial), source]


def _trade(trade: Trade, player_id: int) -> list[Any]:
    """From the player's side of it."""
    proposed = trade.proposer_id == player_id
    gives, takes = (trade.gives, trade.takes) if proposed else (trade.takes, trade.gives)
    other = trade.recipient if proposed else trade.proposer
    return [
        instant(trade.created_at), trade.campaign, trade.get_type_display(), _linked(other),
        named(trade.campaign_id, gives), named(trade.campaign_id, takes), trade.get_state_display(),
    ]  # fmt: skip


def _transfer(transfer: Transfer) -> list[Any]:
    kind = named(transfer.campaign_id, [transfer.kind])
    return [instant(transfer.at), kind, _linked(transfer.giver), _linked(transfer.receiver)]


def _packet(packet: Packet) -> list[Any]:
    opened = instant(packet.opened_at) if packet.opened_at else _("not yet")
    return [packet.pool.campaign, yuan(packet.amount_fen), opened]


def _ballot(ballot: Ballot) -> list[Any]:
    return [instant(ballot.at), ballot.proposal.campaign, ballot.proposal]


def _entry(entry: LedgerEntry, player_id: int) -> list[Any]:
    incoming = (entry.destination_kind, entry.destination_owner) == (AccountKind.WALLET, player_id)
    amount = yuan(entry.amount_fen) if incoming else f"-{yuan(entry.amount_fen)}"
    return [
        instant(entry.at),
        amount,
        f"{entry.get_source_kind_display()} {entry.source_owner}",
        f"{entry.get_destination_kind_display()} {entry.destination_owner}",
        entry.business_key,
    ]


def _change(change: Change, now: datetime) -> list[Any]:
    what = str(CHANGES[change.what])
    if change.word:
        word = Ban.Reason(change.word).label if change.what == "ban" else change.word
        what = f"{what}: {word}"
    return [
        instant(change.since),
        what,
        instant(change.until) if change.until else "-",
        "" if change.what == "referral" else _state(change, now),
    ]


def _state(change: Change, now: datetime) -> str:
    if change.ended:
        return _("ended %(at)s") % {"at": instant(change.ended)}
    return _("expired") if change.until and change.until <= now else _("in force")


def _event(event: Event) -> list[Any]:
    return [event.seq, instant(event.at), event.type, event.campaign or "-"]


def _linked(player: Any) -> Any:
    """A player's name that leads to their page."""
    if player is None:
        return "-"
    return {"text": player.username, "url": reverse("admin:accounts_player_support", args=[player.pk])}


def _or_dash(value: Any) -> Any:
    return "-" if value is None else value
