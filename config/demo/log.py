"""What `./dev soak demo` has to know of a demo: when its phases are, and what came of it. A file of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from config.demo import outages
from config.demo.checks import Check
from config.demo.facts import Facts
from config.demo.journal import Journal
from config.demo.outages import Done
from config.demo.staging import Stage


class Log:
    """Instants are on the monotonic clock, which all processes of a machine share."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def staged(self, stage: Stage) -> None:
        world = stage.world
        self._write(
            campaign=stage.campaign_id,
            opens=world.opens,
            votes=world.vote.closes,
            closes=world.closes,
            reveals=world.reveals,
        )

    def outcome(self, journal: Journal, stage: Stage, facts: Facts, verdicts: list[Check]) -> None:
        self._write(
            checks=[[check.title, check.faults] for check in verdicts],
            done=[asdict(item) for item in journal.done],
            lost=[asdict(item) for item in outages.lost(journal.done, _stored(facts))],
            doubled=[asdict(item) for item in _untold(journal, stage, facts)],
            outages=[asdict(item) for item in journal.outages],
            replays=journal.replays,
            reconnects=journal.reconnects,
            events=sum(len(diary.events) for diary in journal.diaries),
            winners=len(facts.payouts),
        )

    def _write(self, **entry: Any) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def read(self) -> list[dict[str, Any]]:
        """What has been written so far, whole lines only."""
        if not self.path.exists():
            return []
        *whole, _unfinished = self.path.read_text().split("\n")
        return [json.loads(line) for line in whole]


def _stored(facts: Facts) -> dict[str, set[str]]:
    return {
        "draw": {draw.id for draw in facts.draws},
        "gift": set(facts.trades),
        "trade": set(facts.deals),
        "play": set(facts.plays),
        "ballot": {row.leaf for row in facts.vote.ballots},
        "opening": {player for player, fen in facts.paid_fen.items() if fen == facts.payouts.get(player)},
    }


def _untold(journal: Journal, stage: Stage, facts: Facts) -> Iterator[Done]:
    """What is there and nobody was told of: done twice, or done and taken for refused."""
    known = {("draw", draw) for diary in journal.diaries for draw in diary.draws}
    known |= {("move", item) for diary in journal.diaries for item in (*diary.gifts, *diary.deals, *diary.plays)}
    known |= {("ballot", diary.voted.leaf) for diary in journal.diaries if diary.voted}
    to_monotonic = stage.world.closes - facts.closes_at.timestamp()
    stored = [("draw", draw.id, draw.at) for draw in facts.draws]
    stored += [("move", move.by, move.at) for move in facts.transfers if move.by not in facts.conversions]
    stored += [("ballot", row.leaf, row.at) for row in facts.vote.ballots]
    seen = set()
    for what, item, at in stored:
        if (what, item) not in known and (what, item) not in seen:
            seen.add((what, item))
            yield Done(what, item, at.timestamp() + to_monotonic)
