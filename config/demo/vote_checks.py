"""Is everything right about the vote, and about what it changed? Pure, as checks.py is."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from uuid import UUID

from config.demo import voting
from config.demo.facts import Facts
from config.demo.journal import Journal, Voted
from config.demo.votes import VersionFact


def changed(facts: Facts) -> VersionFact | None:
    """The version of the rules that the vote has made."""
    return next((version for version in facts.versions if version.proposal == facts.vote.proposal), None)


def ballots(journal: Journal, facts: Facts) -> Iterator[str]:
    """Who was told that they voted has voted, for that; and the other way round."""
    known = {diary.player: diary.voted for diary in journal.diaries if diary.voted}
    stored = Counter(row.player for row in facts.vote.ballots)
    yield from (f"{player} has {times} ballots" for player, times in stored.items() if times > 1)
    rows = {row.player: Voted(row.option, row.receipt, row.leaf) for row in facts.vote.ballots}
    for player in sorted(known.keys() | rows.keys()):
        if known.get(player) != rows.get(player):
            yield f"{player} was told {known.get(player)}, stored is {rows.get(player)}"


def voters(journal: Journal, facts: Facts) -> Iterator[str]:
    """Ballots are of players who had joined before, and from the time of the vote."""
    vote = facts.vote
    for row in vote.ballots:
        joined = facts.joined.get(row.player)
        if joined is None or joined >= vote.opens_at:
            yield f"{row.player} has voted and joined {joined or 'never'}"
        if not vote.opens_at <= row.at < vote.closes_at:
            yield f"the ballot of {row.player} came at {row.at}"
    eligible = sum(at < vote.opens_at for at in facts.joined.values())
    if vote.eligible != eligible:
        yield f"{vote.eligible} are said to have been eligible; {eligible} had joined"


def result(journal: Journal, facts: Facts) -> Iterator[str]:
    """Counted anew from the rows: kept sums, stored and published result, list and hash say the same."""
    vote = facts.vote
    rows = Counter(row.option for row in vote.ballots)
    leaves = sorted(row.leaf for row in vote.ballots)
    said = {
        "the sums that were kept": {option: count for option, count in vote.shards.items() if count},
        "the result": {option: count for option, count in vote.counts.items() if count},
        "the published list": dict(Counter(journal.published.values())),
        "the result over REST": {option: count for option, count in journal.result.items() if count},
    }
    yield from (f"{what}: {counts}; the ballots: {dict(rows)}" for what, counts in said.items() if counts != dict(rows))
    if vote.cast != rows.total():
        yield f"{vote.cast} were counted; there are {rows.total()}"
    for row in vote.ballots:
        proposal = UUID(vote.proposal).bytes
        leaf = hashlib.sha256(proposal + bytes.fromhex(row.receipt) + bytes([row.option])).hexdigest()
        if leaf != row.leaf or journal.published.get(leaf) != row.option:
            yield f"the ballot of {row.player} can't be found in the published list"
    if hashlib.sha256(bytes.fromhex("".join(leaves))).hexdigest() != vote.digest:
        yield "the hash of the ballots is another one"
    if (vote.outcome, vote.winner) != _decided(facts, rows):
        yield f"{vote.outcome}, {vote.winner}; by the ballots it is {_decided(facts, rows)}"


def _decided(facts: Facts, rows: Counter[int]) -> tuple[str, int | None]:
    vote, first = facts.vote, rows.most_common(2)
    if rows.total() < max(vote.quorum, 1):
        return "no-quorum", None
    if len(first) > 1 and first[0][1] == first[1][1]:
        return "tie", None
    winner, most = first[0]
    return ("adopted", winner) if most * 10_000 > vote.threshold_bp * rows.total() else ("below-threshold", None)


def in_force(journal: Journal, facts: Facts) -> Iterator[str]:
    """The rules have changed as was decided, once, and never otherwise."""
    version, numbers = changed(facts), [version.number for version in facts.versions]
    was_removed = facts.vote.winner == voting.REMOVE
    if numbers != ([1, 2] if was_removed else [1]):
        yield f"versions of the rules: {numbers}; the vote ended {facts.vote.outcome} for {facts.vote.winner}"
    if version is None:
        return
    if version.reason != "vote" or version.in_force_at < facts.vote.closes_at:
        yield f"version {version.number} came by {version.reason} at {version.in_force_at}"
    if voting.SUBJECT in version.rules.specials or version.rules.weights[voting.SUBJECT]:
        yield f"version {version.number} still has the {voting.SUBJECT} card"


def heard(journal: Journal, facts: Facts) -> Iterator[str]:
    """Everybody was told of the new rules, once, and read the same over REST."""
    version = changed(facts)
    for diary in journal.diaries:
        told = [item.data["version"] for item in diary.broadcasts if item.type == "rulebook.changed"]
        if told != ([version.number] if version else []):
            yield f"{diary.player} was told of the versions {told}"
        if len(diary.readings) != len(told):
            yield f"{diary.player} has read the rules {len(diary.readings)} times"
        for reading in diary.readings:
            if reading.version < reading.told or not reading.agrees or voting.SUBJECT in reading.specials:
                yield f"{diary.player} was told one thing and read another: {reading}"


def removed(journal: Journal, facts: Facts) -> Iterator[str]:
    """From the instant of the change on no such card is drawn, moved or played, but for what the vote promised."""
    version = changed(facts)
    if version is None:
        return
    since = version.in_force_at
    yield from (f"draw {draw.id} gave one" for draw in facts.draws if draw.kind == voting.SUBJECT and draw.at >= since)
    yield from (
        f"one was moved by {transfer.by}"
        for transfer in facts.transfers
        if transfer.kind == voting.SUBJECT and transfer.at >= since and transfer.by not in facts.conversions
    )
    yield from (f"not finished: {what}" for what in facts.loose_ends)


def compensated(journal: Journal, facts: Facts) -> Iterator[str]:
    """Each card that was held has become what was promised, once, and its player was told so."""
    held: Counter[str] = Counter()
    for draw in facts.draws:
        held[draw.player] += draw.kind == voting.SUBJECT
    for transfer in facts.transfers:
        if transfer.kind == voting.SUBJECT and transfer.by not in facts.conversions:
            held[transfer.receiver] += 1
            held[transfer.giver] -= 1
    held.pop("", None)
    done: Counter[str] = Counter()
    for name, conversion in facts.conversions.items():
        done[conversion.player] += conversion.cards
        moved = Counter((t.giver, t.receiver, t.kind) for t in facts.transfers if t.by == name)
        due = Counter({(conversion.player, "", conversion.kind): conversion.cards})
        due.update(("", conversion.player, kind) for kind in conversion.into)
        if moved != due or conversion.into != (voting.INTO,) * conversion.cards:
            yield f"conversion {name} of {conversion.cards} cards moved {dict(moved)}"
    due_cards = +held if changed(facts) else Counter()
    for player in sorted(due_cards.keys() | done.keys()):
        if due_cards[player] != done[player]:
            yield f"{player} held {due_cards[player]} {voting.SUBJECT} cards, and {done[player]} were converted"
    told = {
        item.data["conversion"]: (diary.player, item.data["cards"], tuple(sorted(item.data["into"])))
        for diary in journal.diaries
        for item in diary.events
        if item.type == "card.converted"
    }
    if told != {name: (row.player, row.cards, row.into) for name, row in facts.conversions.items()}:
        yield f"{len(told)} conversions were told, {len(facts.conversions)} are stored, or their content differs"


def tallies(journal: Journal, facts: Facts) -> Iterator[str]:
    """Whoever watched saw the ballots grow to what they were in the end, and never anything else."""
    final = facts.vote.shards
    if not any(diary.tallies for diary in journal.diaries):
        yield "nobody has seen a tally"
    for diary in journal.diaries:
        seen = sorted(diary.tallies, key=lambda counted: counted.at)
        for one, other in pairwise(seen):
            if any(other.ballots.get(option, 0) < count for option, count in one.ballots.items()):
                yield f"{diary.player} saw {one.ballots} become {other.ballots}"
        yield from (
            f"{diary.player} saw {counted.ballots}; in the end there were {final}"
            for counted in seen
            if any(count > final.get(int(option), 0) for option, count in counted.ballots.items())
        )


CHECKS = {
    "every acknowledged ballot is stored, once, and no other": ballots,
    "who voted had joined before, and did it in time": voters,
    "result = ballots = their published list, hash included": result,
    "the rules are those that were voted for": in_force,
    "everybody heard of the new rules, and REST says the same": heard,
    "what was removed is drawn, moved and played no more": removed,
    "each card that was removed was compensated once": compensated,
    "tallies grew to the result": tallies,
}
