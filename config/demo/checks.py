"""Is everything right? What the players know against what the database says. Pure: each check is a list of faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from config.demo import chances, vote_checks
from config.demo.facts import Facts
from config.demo.journal import Given, Heard, Journal

# One honest season in a million looks this crooked.
TOO_UNLIKELY = 1e-6
MILESTONES = {"campaign.opened", "campaign.frozen", "campaign.settled"}


@dataclass(frozen=True, slots=True)
class Check:
    """`faults` is empty where all is well; each fault says what is off."""

    title: str
    faults: list[str]

    @property
    def ok(self) -> bool:
        return not self.faults


def every(journal: Journal, facts: Facts) -> list[Check]:
    """All checks in the order of a season, passed or not."""
    return [Check(title, list(find(journal, facts))) for title, find in _CHECKS.items()]


def complete_hands(facts: Facts) -> set[str]:
    """Who holds every kind of the full set, from Draws and Transfers alone."""
    cards = _cards(facts)
    return {player for player, held in cards.items() if all(held[kind] > 0 for kind in facts.rules.complete_set)}


def wishes(facts: Facts) -> dict[str, int]:
    """How often each kind with a weight was wished for, those of the full set first."""
    counts = Counter(draw.wish for draw in facts.draws)
    return {kind: counts[kind] for kind in (*facts.rules.complete_set, *facts.rules.weights)}


def expected(facts: Facts) -> dict[str, float]:
    """How often each kind was to be wished for, by the odds that were in force at each draw."""
    sums: dict[str, float] = dict.fromkeys(wishes(facts), 0.0)
    draws = Counter(draw.version for draw in facts.draws)
    for version in facts.versions:
        weights = version.rules.weights
        for kind, weight in weights.items():
            sums[kind] += draws[version.number] * weight / sum(weights.values())
    return sums


def odds_likelihood(facts: Facts) -> float:
    """Of draws by several versions: then they scatter a little less than the test allows for."""
    return chances.chi_square(list(wishes(facts).values()), list(expected(facts).values()))


def _cards(facts: Facts) -> dict[str, Counter[str]]:
    cards: dict[str, Counter[str]] = {player: Counter() for player in facts.events}
    for draw in facts.draws:
        cards.setdefault(draw.player, Counter())[draw.kind] += 1
    for transfer in facts.transfers:
        if transfer.giver:
            cards.setdefault(transfer.giver, Counter())[transfer.kind] -= 1
        if transfer.receiver:
            cards.setdefault(transfer.receiver, Counter())[transfer.kind] += 1
    return cards


def _something_happened(journal: Journal, facts: Facts) -> Iterator[str]:
    """A check that finds no fault in an empty season would prove nothing."""
    players = len(journal.diaries)
    done = {
        "players": (players, 2),
        "scans": (sum(len(diary.draws) for diary in journal.diaries), players),
        "gifts": (sum(len(diary.gifts) for diary in journal.diaries), 1),
        "other trades": (len(facts.deals), 1),
        "special cards played": (len(facts.plays), 1),
        "ballots": (len(facts.vote.ballots), 1),
        "changes of the rules": (len(facts.versions) - 1, 1),
        "check-ins": (journal.check_ins, 1),
        "invitations that brought a card": (journal.credited, 1),
        "repeated writes": (journal.replays, 1),
        "refusals": (journal.refusals.total(), 1),
        "events": (sum(len(diary.events) for diary in journal.diaries), players),
        "winners": (len(facts.payouts), 1),
        "packets opened": (sum(diary.opened_fen is not None for diary in journal.diaries), 1),
    }
    for what, (count, least) in done.items():
        if count < least:
            yield f"only {count} {what}"
    for what in ("scan", "gift"):
        if not journal.refusals[(f"late {what}", "campaign-frozen")]:
            yield f"no {what} was refused after the deadline"


def _surprises(journal: Journal, facts: Facts) -> Iterator[str]:
    yield from journal.surprises


def _scans(journal: Journal, facts: Facts) -> Iterator[str]:
    stored = Counter((draw.player, draw.id, draw.kind) for draw in facts.draws)
    known = Counter((diary.player, draw, kind) for diary in journal.diaries for draw, kind in diary.draws.items())
    yield from (f"acknowledged but not stored: draw {draw} of {player}" for player, draw, _ in known - stored)
    yield from (f"stored but nobody was told: draw {draw} of {player}" for player, draw, _ in stored - known)


def _gifts(journal: Journal, facts: Facts) -> Iterator[str]:
    known = {
        trade: (diary.player, Given(gift.to, tuple(sorted(gift.kinds))))
        for diary in journal.diaries
        for trade, gift in diary.gifts.items()
    }
    yield from (
        f"acknowledged but not stored as such: gift {trade}"
        for trade in known
        if known[trade] != facts.trades.get(trade)
    )
    yield from (f"stored but nobody was told: gift {trade}" for trade in facts.trades if trade not in known)
    due = Counter((trade, giver, gift.to, kind) for trade, (giver, gift) in facts.trades.items() for kind in gift.kinds)
    yield from (f"gift {trade} moved other cards than it gave" for trade in _moved_wrongly(facts, due, facts.trades))


def _moved_wrongly(facts: Facts, due: Counter[tuple[str, str, str, str]], among: Collection[str]) -> Iterator[str]:
    """Trades of which the transfers are not those that are due."""
    moved = Counter((t.by, t.giver, t.receiver, t.kind) for t in facts.transfers if t.by in among)
    yield from sorted({trade for trade, *_ in (moved - due) + (due - moved)})


def _deals(journal: Journal, facts: Facts) -> Iterator[str]:
    diaries = {diary.player: diary for diary in journal.diaries}
    for trade, deal in facts.deals.items():
        for side in (deal.proposer, deal.by):
            if diaries[side].deals.get(trade) != deal:
                yield f"{side} was not told, or something else, of trade {trade}"
    for diary in journal.diaries:
        yield from (
            f"not stored: trade {trade}, of which {diary.player} knows" for trade in diary.deals.keys() - facts.deals
        )
        yield from (f"acknowledged but not stored: trade {trade}" for trade in diary.agreed - facts.deals.keys())
    due: Counter[tuple[str, str, str, str]] = Counter()
    for trade, deal in facts.deals.items():
        due.update((trade, deal.proposer, deal.by, kind) for kind in deal.gives)
        due.update((trade, deal.by, deal.proposer, kind) for kind in deal.takes)
    yield from (f"trade {trade} moved other cards than agreed" for trade in _moved_wrongly(facts, due, facts.deals))
    known = {*facts.trades, *facts.deals, *facts.plays, *facts.conversions}
    yield from (f"cards moved by {t.by}, which nobody knows" for t in facts.transfers if t.by not in known)


def _plays(journal: Journal, facts: Facts) -> Iterator[str]:
    known = {play: (diary.player, kind) for diary in journal.diaries for play, kind in diary.plays.items()}
    yield from (
        f"acknowledged but not stored as such: play {play}" for play in known if known[play] != facts.plays.get(play)
    )
    yield from (f"stored but nobody was told: play {play}" for play in facts.plays if play not in known)
    moved = Counter(transfer.by for transfer in facts.transfers)
    yield from (f"play {play} moved {moved[play]} cards" for play in facts.plays if moved[play] != 2)


def _events(journal: Journal, facts: Facts) -> Iterator[str]:
    for diary in journal.diaries:
        yield from _feed(f"events of {diary.player}", diary.events, facts.events.get(diary.player, []))


def _broadcasts(journal: Journal, facts: Facts) -> Iterator[str]:
    if len(facts.broadcasts) < 3:
        yield f"only {len(facts.broadcasts)} broadcasts"
    for diary in journal.diaries:
        yield from _feed(f"broadcasts to {diary.player}", diary.broadcasts, facts.broadcasts)


def _once(journal: Journal, facts: Facts) -> Iterator[str]:
    """What a season goes through is announced once, whoever else has tried to do it."""
    for what, times in Counter(item.type for item in facts.broadcasts).items():
        if what in MILESTONES and times != 1:
            yield f"{what} was announced {times} times"
    yield from (f"{what} was not announced" for what in MILESTONES - {item.type for item in facts.broadcasts})


def _feed(name: str, heard: list[Heard], stored: list[Heard]) -> Iterator[str]:
    """In order, without a gap, each once, and as they are stored."""
    numbers = [item.seq for item in heard]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"{name}: not numbered 1, 2, 3 …: {numbers}"
    elif heard != stored:
        yield f"{name}: {len(heard)} were heard, {len(stored)} are stored, or their content differs"


def _hands(journal: Journal, facts: Facts) -> Iterator[str]:
    cards = _cards(facts)
    for diary in journal.diaries:
        counts = [+diary.cards, +facts.hands.get(diary.player, Counter()), +cards.get(diary.player, Counter())]
        if counts[0] != counts[1] or counts[1] != counts[2]:
            yield f"{diary.player} reckons {dict(counts[0])}, holds {dict(counts[1])}, history says {dict(counts[2])}"
    yield from (f"{player} is none of the players but has a hand" for player in facts.hands if player not in cards)


def _deadline(journal: Journal, facts: Facts) -> Iterator[str]:
    late = [draw.id for draw in facts.draws if draw.at >= facts.closes_at]
    # What a vote has promised before the deadline is kept, and the freeze waits for it.
    moved = [transfer for transfer in facts.transfers if transfer.by not in facts.conversions]
    late += [transfer.by for transfer in moved if transfer.at >= facts.closes_at]
    yield from (f"{fact} came after the deadline" for fact in late)
    if facts.frozen_at is None or facts.settled_at is None:
        yield "the campaign was not frozen and settled"


def _odds(journal: Journal, facts: Facts) -> Iterator[str]:
    likelihood = odds_likelihood(facts)
    if likelihood < TOO_UNLIKELY:
        yield f"p = {likelihood:.2g} for {wishes(facts)}"


def _proofs(journal: Journal, facts: Facts) -> Iterator[str]:
    if any(draw.replayed is None for draw in facts.draws):
        yield "the draw secret is not published"
        return
    for draw in facts.draws:
        if draw.replayed != draw.wish:
            yield f"draw {draw.id} wished for {draw.wish}; the published secret says {draw.replayed}"
        elif draw.kind != draw.wish and draw.wish not in facts.rules.caps:
            yield f"draw {draw.id} gave {draw.kind} instead of {draw.wish}, which has no cap"


def _winners(journal: Journal, facts: Facts) -> Iterator[str]:
    due, paid = complete_hands(facts), set(facts.payouts)
    yield from (f"{player} has a complete hand and no packet" for player in sorted(due - paid))
    yield from (f"{player} has a packet and no complete hand" for player in sorted(paid - due))


def _split(journal: Journal, facts: Facts) -> Iterator[str]:
    amounts = list(facts.payouts.values())
    total = sum(amounts) + facts.returned_fen
    if total != facts.pool_fen:
        yield f"{sum(amounts)} fen in packets + {facts.returned_fen} returned are not the {facts.pool_fen} of the pool"
    if amounts and max(amounts) - min(amounts) > 1:
        yield f"packets hold from {min(amounts)} to {max(amounts)} fen, which is not even"


def _money(journal: Journal, facts: Facts) -> Iterator[str]:
    for player in sorted(set(facts.payouts) | set(facts.paid_fen) | set(facts.wallets)):
        due, paid, held = (money.get(player, 0) for money in (facts.payouts, facts.paid_fen, facts.wallets))
        if not due == paid == held:
            yield f"{player}: packet {due} fen, posted {paid} fen, wallet {held} fen"


def _packets(journal: Journal, facts: Facts) -> Iterator[str]:
    for diary in journal.diaries:
        due = facts.payouts.get(diary.player)
        if diary.opened_fen is not None and not diary.opened_fen == diary.wallet_fen == due:
            yield (
                f"{diary.player} was told {diary.opened_fen} fen and a balance of {diary.wallet_fen}; "
                f"the packet holds {due}"
            )


_CHECKS: dict[str, Callable[[Journal, Facts], Iterator[str]]] = {
    "enough happened to be worth a check": _something_happened,
    "every answer was one that is documented": _surprises,
    "every acknowledged scan is stored, once, and no other": _scans,
    "every acknowledged gift is stored, once, and no other": _gifts,
    "every trade that was agreed is stored, once, and both sides know": _deals,
    "every special card that was played is stored, once, and no other": _plays,
    **vote_checks.CHECKS,
    "hands = what players reckon = draws + transfers": _hands,
    "nothing counts after the deadline": _deadline,
    "cards fall by the published odds": _odds,
    "the published secret explains every draw": _proofs,
    "winners = complete hands": _winners,
    "packets + returned = pool, evenly": _split,
    "every packet is in its wallet, to the fen": _money,
    "players were told what their packet holds": _packets,
    "events reached their players in order, once, without a gap": _events,
    "broadcasts reached everybody": _broadcasts,
    "the season opened, froze and settled once": _once,
}
