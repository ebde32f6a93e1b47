"""What the database says about one season, read once it is over. Players and trades are public ids, kinds are slugs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Player
from cards import catalogue, draws
from cards.models import Draw, Hand, Play, Trade, Transfer
from config.demo import votes
from config.demo.journal import Deal, Given, Heard
from config.demo.votes import ConversionFact, VersionFact, VoteFacts
from fortunes import rulebooks, rules
from fortunes.models import Broadcast, Campaign, Event
from redpackets.models import LedgerEntry, Payout, Pool, Settlement, Wallet


@dataclass(frozen=True, slots=True)
class DrawFact:
    """A draw by the rules of a `version`; `replayed` is what the published secret says it had to wish for."""

    id: str
    player: str
    kind: str
    wish: str
    replayed: str | None
    at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class TransferFact:
    """One card. `by` is the trade, the play or the conversion.

    Without a giver the card was minted, without a receiver used up.
    """

    by: str
    giver: str
    receiver: str
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """`payouts` and `paid_fen` are by player; `paid_fen` is what the ledger moved from the pool to their wallet.

    `trades` are direct gifts, `deals` what was accepted of all other trades, `plays` players with what they gained.
    `rules` are those of the end, `versions` all that ever were; `joined` says since when players belong to the season,
    `loose_ends` what a change of the rules should have ended.
    """

    rules: rules.Rules
    closes_at: datetime
    frozen_at: datetime | None
    settled_at: datetime | None
    pool_fen: int
    returned_fen: int
    draws: list[DrawFact]
    transfers: list[TransferFact]
    trades: dict[str, tuple[str, Given]]
    deals: dict[str, Deal]
    plays: dict[str, tuple[str, str]]
    hands: dict[str, Counter[str]]
    events: dict[str, list[Heard]]
    broadcasts: list[Heard]
    payouts: dict[str, int]
    paid_fen: dict[str, int]
    wallets: dict[str, int]
    vote: VoteFacts
    versions: list[VersionFact]
    joined: dict[str, datetime]
    conversions: dict[str, ConversionFact]
    loose_ends: list[str]


def read(campaign_id: int, players: Iterable[str]) -> Facts:
    """Everything about the campaign, and about these players (public ids) outside of it."""
    campaign = Campaign.objects.get(pk=campaign_id)
    pool = Pool.objects.get(campaign=campaign)
    names = {
        pk: str(public_id)
        for pk, public_id in Player.objects.filter(public_id__in=list(players)).values_list("pk", "public_id")
    }
    known = catalogue.read(campaign_id)
    versions = votes.read_versions(campaign_id)
    return Facts(
        rules=versions[-1].rules,
        closes_at=campaign.closes_at,
        frozen_at=campaign.frozen_at,
        settled_at=campaign.settled_at,
        pool_fen=pool.amount_fen,
        returned_fen=Settlement.objects.values_list("returned_fen", flat=True).get(pool=pool) or 0,
        draws=_draws(campaign, known, names),
        transfers=_transfers(campaign_id, known, names),
        trades=_gifts(campaign_id, known, names),
        deals=_deals(campaign_id, known, names),
        plays=_plays(campaign_id, known, names),
        hands=_hands(campaign_id, known, names),
        events=_events(names),
        broadcasts=_broadcasts(campaign_id),
        payouts=_named(names, Payout.objects.filter(pool=pool).values_list("player_id", "amount_fen")),
        paid_fen=_paid(pool.pk, names),
        wallets=_named(names, Wallet.objects.filter(player__in=names).values_list("player_id", "balance_fen")),
        vote=votes.read_vote(campaign_id, names),
        versions=versions,
        joined=votes.read_joined(campaign_id, names),
        conversions=votes.read_conversions(campaign_id, known, names),
        loose_ends=votes.read_loose_ends(campaign_id, known, _removed(versions)),
    )


def _removed(versions: list[VersionFact]) -> frozenset[str]:
    """The special kinds that the rules have ever allowed and don't allow any more; their slugs are their roles."""
    ever = {role for version in versions for role in version.rules.specials}
    return frozenset(ever - set(versions[-1].rules.specials))


def _named(names: dict[int, str], rows: Iterable[tuple[int, int]]) -> dict[str, int]:
    """Sums by public id; whoever does not belong to the season shows up under their number."""
    sums: dict[str, int] = defaultdict(int)
    for player, amount in rows:
        sums[names.get(player, f"player {player}")] += amount
    return dict(sums)


def _draws(campaign: Campaign, known: catalogue.Catalogue, names: dict[int, str]) -> list[DrawFact]:
    secret = bytes(campaign.draw_secret) if campaign.draw_secret else None
    return [
        DrawFact(
            id=str(row.public_id),
            player=names.get(row.player_id, f"player {row.player_id}"),
            kind=known.kinds[row.kind],
            wish=known.kinds[row.wish],
            replayed=known.kinds[_replay(secret, known, row)] if secret else None,
            at=row.at,
            version=row.rulebook_version,
        )
        for row in Draw.objects.filter(campaign=campaign).order_by("id")
    ]


def _replay(secret: bytes, known: catalogue.Catalogue, row: Draw) -> int:
    key = draws.scan_key(campaign_id=row.campaign_id, source=row.source, nonce=bytes(row.nonce))
    odds = known.odds(rulebooks.version(row.campaign_id, row.rulebook_version))
    return draws.outcome(odds, draws.roll(secret, key, row.player_id))[0]


def _transfers(campaign_id: int, known: catalogue.Catalogue, names: dict[int, str]) -> list[TransferFact]:
    rows = Transfer.objects.filter(campaign_id=campaign_id).order_by("id")
    return [
        TransferFact(
            by=str(trade or play or conversion),
            giver=names.get(giver, f"player {giver}") if giver else "",
            receiver=names.get(receiver, f"player {receiver}") if receiver else "",
            kind=known.kinds[kind],
            at=at,
        )
        for trade, play, conversion, giver, receiver, kind, at in rows.values_list(
            "trade__public_id", "play__public_id", "conversion__public_id", "giver_id", "receiver_id", "kind", "at"
        )
    ]


# Of all trades only direct gifts were never open, and so have no time until which they were.
DIRECT = {"expires_at": None}


def _gifts(campaign_id: int, known: catalogue.Catalogue, names: dict[int, str]) -> dict[str, tuple[str, Given]]:
    rows = Trade.objects.filter(campaign_id=campaign_id, state=Trade.State.ACCEPTED, **DIRECT)
    return {
        str(row.public_id): (
            names.get(row.proposer_id, ""),
            Given(names.get(row.recipient_id or 0, ""), tuple(sorted(known.slugs(row.gives)))),
        )
        for row in rows
    }


def _deals(campaign_id: int, known: catalogue.Catalogue, names: dict[int, str]) -> dict[str, Deal]:
    rows = Trade.objects.filter(campaign_id=campaign_id, state=Trade.State.ACCEPTED).exclude(**DIRECT)
    return {
        str(row.public_id): Deal(
            names.get(row.proposer_id, ""),
            names.get(row.recipient_id or 0, ""),
            tuple(sorted(known.slugs(row.gives))),
            tuple(sorted(known.slugs(row.takes))),
        )
        for row in rows
    }


def _plays(campaign_id: int, known: catalogue.Catalogue, names: dict[int, str]) -> dict[str, tuple[str, str]]:
    rows = Play.objects.filter(campaign_id=campaign_id).values_list("public_id", "player_id", "kind")
    return {str(play): (names.get(player, ""), known.kinds[kind]) for play, player, kind in rows}


def _hands(campaign_id: int, known: catalogue.Catalogue, names: dict[int, str]) -> dict[str, Counter[str]]:
    rows = Hand.objects.filter(campaign_id=campaign_id).values_list("player_id", "counts", "escrow")
    return {
        names.get(player, f"player {player}"): Counter(known.counts(counts)) + Counter(known.counts(escrow))
        for player, counts, escrow in rows
    }


def _events(names: dict[int, str]) -> dict[str, list[Heard]]:
    heard: dict[str, list[Heard]] = {name: [] for name in names.values()}
    rows = Event.objects.filter(player__in=names).order_by("player", "seq")
    for player, seq, kind, data in rows.values_list("player_id", "seq", "type", "data"):
        heard[names[player]].append(Heard(seq, kind, data))
    return heard


def _broadcasts(campaign_id: int) -> list[Heard]:
    rows = Broadcast.objects.filter(campaign_id=campaign_id).order_by("seq")
    return [Heard(*row) for row in rows.values_list("seq", "type", "data")]


def _paid(pool_id: int, names: dict[int, str]) -> dict[str, int]:
    rows = LedgerEntry.objects.filter(source_kind="pool", source_owner=pool_id, destination_kind="wallet")
    return _named(names, rows.values_list("destination_owner", "amount_fen"))
