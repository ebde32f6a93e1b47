"""The table at the end of a demo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from config.demo import checks
from config.demo.facts import Facts
from config.demo.journal import Journal

FAULTS_SHOWN = 5


def lines(journal: Journal, facts: Facts, verdicts: list[checks.Check]) -> Iterator[str]:
    """Figures, refusals, and each check as ok or FAULT with what is off."""
    yield from _figures(journal, facts)
    yield ""
    yield from _cards(facts)
    yield ""
    yield from _refusals(journal)
    yield ""
    for check in verdicts:
        yield f"{'ok   ' if check.ok else 'FAULT'}  {check.title}"
        yield from (f"         {fault}" for fault in check.faults[:FAULTS_SHOWN])
        if len(check.faults) > FAULTS_SHOWN:
            yield f"         … and {len(check.faults) - FAULTS_SHOWN} more"


def _figures(journal: Journal, facts: Facts) -> Iterator[str]:
    diaries = journal.diaries
    amounts = list(facts.payouts.values())
    events = sum(len(diary.events) for diary in diaries)
    figures = {
        "players": f"{len(diaries):,}",
        "draws": f"{len(facts.draws):,}",
        "check-ins": f"{journal.check_ins:,}",
        "invitations": f"{journal.invitations:,}, {journal.credited:,} of them worth a card",
        "gifts": f"{len(facts.trades):,}",
        "other trades": f"{len(facts.deals):,} agreed",
        "special cards": f"{len(facts.plays):,} played",
        "cards moved": f"{len(facts.transfers):,}",
        "vote": _vote(facts),
        "writes sent again": f"{journal.replays:,}",
        "sockets opened again": f"{journal.reconnects:,}",
        "events": f"{events:,} and {sum(len(diary.broadcasts) for diary in diaries):,} broadcasts heard",
        "winners": f"{len(amounts):,}",
        "amounts": f"{yuan(min(amounts))} to {yuan(max(amounts))}" if amounts else "none",
        "sum": f"{yuan(sum(amounts))} + {yuan(facts.returned_fen)} returned; the pool was {yuan(facts.pool_fen)}",
        "opened by players": f"{sum(diary.opened_fen is not None for diary in diaries):,} of {len(amounts):,} packets",
        "deadline to settled": _seconds_to_settle(facts),
    }
    for name, figure in figures.items():
        yield f"{name:<22}{figure}"


def _vote(facts: Facts) -> str:
    vote, cards = facts.vote, sum(conversion.cards for conversion in facts.conversions.values())
    each = " : ".join(f"{vote.counts[option] or 0:,}" for option in sorted(vote.counts))
    return f"{vote.cast or 0:,} of {vote.eligible or 0:,} voted, {each}, {vote.outcome}; {cards:,} cards converted"


def _seconds_to_settle(facts: Facts) -> str:
    if facts.settled_at is None:
        return "not settled"
    return f"{(facts.settled_at - facts.closes_at).total_seconds():.1f} s"


def _cards(facts: Facts) -> Iterator[str]:
    wished, given = checks.wishes(facts), Counter(draw.kind for draw in facts.draws)
    expected, total = checks.expected(facts), max(len(facts.draws), 1)
    yield f"{'cards by kind':<22}{'odds':>8}{'drawn':>9}{'count':>8}{'given':>8}{'cap':>8}"
    for kind, count in wished.items():
        odds, share = expected[kind] / total, count / total
        cap = facts.rules.caps.get(kind)
        yield f"  {kind:<20}{odds:>8.1%}{share:>9.1%}{count:>8,}{given[kind]:>8,}{cap.units if cap else '–':>8}"
    yield f"  drawn against the odds: p = {checks.odds_likelihood(facts):.3f} (chi-square)"


def _refusals(journal: Journal) -> Iterator[str]:
    yield "refusals"
    for (what, code), count in sorted(journal.refusals.items()):
        yield f"  {what:<34}{code:<28}{count:>6,}"


def yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02} yuan"
