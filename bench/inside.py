"""What a run does beside its servers: make seasons and crowds, tell them things, and check what came of it.

`python -m bench.inside WORDS` prints its answer as JSON. Its environment names the servers' database.
"""

from __future__ import annotations

import itertools
import json
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.core.management import CommandError, call_command
from django.db import transaction

from accounts import tokens
from accounts.actions import friendships
from accounts.events import FriendshipAsked
from accounts.models import Player
from cards import answers, hands
from cards.actions import batches, presets, printing, scans
from cards.models import Trade, Transfer
from config.demo import season
from fortunes import clock, events, keys
from fortunes.actions import ballots, feeds, proposals
from fortunes.actions.judging import OptionPlan
from fortunes.models import Ballot, Campaign, Proposal

PLENTY = 10_000
ONE_CARD = {
    "weights": {"patriotism": 1},
    "complete_set": ["patriotism"],
    "caps": {},
    "quotas": {"code": {"per_day": PLENTY, "per_campaign": PLENTY}},
    "trading": {"received_per_day": PLENTY},
}
AT_ONCE = 500
# Of an access token: a run is over before.
HOURS = 3


def pairs(count: int, cards: int) -> dict[str, Any]:
    """Pairs of friends who have cards of one kind: `players` are one and the other, in turn."""
    campaign = _campaign()
    crowd = _players(2 * count)
    for one, other in zip(crowd[::2], crowd[1::2], strict=True):
        friendships.ask(by=one.pk, player=other.public_id)
        friendships.accept(by=other.pk, player=one.public_id)
    for _ in range(cards):
        _scan(campaign, crowd)
    return _stage(campaign, crowd)


def crowd(count: int) -> dict[str, Any]:
    """Players without cards."""
    return _stage(_campaign(), _players(count))


def electorate(count: int, votes: int) -> dict[str, Any]:
    """Players who have joined, and so many open votes of theirs: `proposals` are their public ids."""
    campaign, voters = _campaign(), _players(count)
    for part in _parts(player.pk for player in voters):
        hands.ensure(campaign_id=campaign.pk, players=part)
    now = clock.now()
    options = [OptionPlan(name_zh="好", name_en="Yes"), OptionPlan(name_zh="不好", name_en="No")]
    opened = []
    for number in range(votes):
        draft = proposals.draft(
            campaign_id=campaign.pk, by=None, question_zh=f"第{number}次", question_en=f"Vote {number}",
            options=options, opens_at=now, closes_at=now + timedelta(hours=HOURS / 2),
        )  # fmt: skip
        opened.append(str(proposals.open_(proposal_id=draft.pk, by=None).public_id))
    return {**_stage(campaign, voters), "proposals": opened}


def announce(slug: str, times: int, every_s: float) -> list[float]:
    """Broadcast to everybody in a campaign; when each began, by the machine's monotonic clock."""
    campaign = Campaign.objects.get(slug=slug)
    payload = events.CampaignFrozen(campaign=slug, frozen_at="2026-01-01T00:00:00Z")
    began = []
    for _ in range(times):
        time.sleep(every_s)
        began.append(time.monotonic())
        with transaction.atomic():
            events.broadcast(campaign_id=campaign.pk, payload=payload)
    return began


def tell(slug: str, each: int) -> dict[str, Any]:
    """So many events to every player of the bench, and one broadcast; the newest numbers after it, by public id."""
    campaign = Campaign.objects.get(slug=slug)
    ids = dict(Player.objects.filter(username__startswith="bench-").values_list("pk", "public_id"))
    for part in _parts(sorted(ids)):
        entries = [(pk, FriendshipAsked(by=ids[pk], to=ids[pk])) for pk in part for _ in range(each)]
        with transaction.atomic():
            events.append(campaign_id=campaign.pk, entries=entries)
    announce(slug, 1, 0.0)
    newest = feeds.player_positions(players=ids)
    return {
        "campaign_seq": feeds.campaign_positions(campaigns=[campaign.pk])[campaign.pk],
        "seqs": {str(ids[pk]): seq for pk, seq in newest.items()},
    }


def check(path: str | None = None) -> list[str]:
    """What is wrong: broken invariants; acknowledged gifts, whose ids are the file's lines, that aren't there once."""
    report = StringIO()
    try:
        call_command("check_invariants", stdout=report, stderr=report)
    except (CommandError, SystemExit) as error:
        return [f"invariants: {error} {report.getvalue()}"]
    if path is None:
        return []
    acknowledged = Path(path).read_text().split()
    done = {str(name) for name in Trade.objects.values_list("public_id", flat=True)}
    found = [f"{len(set(acknowledged) - done)} acknowledged gifts are lost"] if set(acknowledged) - done else []
    if len(acknowledged) != len(set(acknowledged)):
        found.append(f"{len(acknowledged) - len(set(acknowledged))} gifts were acknowledged twice")
    if len(done) != len(acknowledged):
        found.append(f"{len(done)} gifts were done, {len(acknowledged)} acknowledged")
    if Transfer.objects.count() != len(done):
        found.append("a gift has not moved exactly its card")
    return found


def count(path: str) -> list[str]:
    """What is wrong: broken invariants; ballots with a receipt, "proposal option leaf" in the file's lines, that are
    not all there are; a tally that is not theirs.
    """
    acknowledged = {tuple(line.split()) for line in Path(path).read_text().splitlines()}
    rows = Ballot.objects.values_list("proposal__public_id", "option", "leaf")
    there = {(str(proposal), str(option), bytes(leaf).hex()) for proposal, option, leaf in rows.iterator()}
    found = [f"{len(acknowledged - there)} ballots with a receipt are lost"] if acknowledged - there else []
    if there - acknowledged:
        found.append(f"{len(there - acknowledged)} ballots were counted that nobody had a receipt for")
    shown = ballots.tallies(proposals=list(Proposal.objects.values_list("pk", flat=True)))
    for proposal in Proposal.objects.all():
        told = Counter(option for name, option, _ in acknowledged if name == str(proposal.public_id))
        if Counter(shown[proposal.pk].ballots) != told:
            found.append(f"the tally of {proposal} is {shown[proposal.pk].ballots}, of {dict(told)}")
    return [*found, *check()]


def _campaign() -> Campaign:
    now = clock.now()
    closes_at = now + timedelta(hours=HOURS)
    draft = presets.five_fortunes(
        slug=f"bench-{secrets.token_hex(4)}",
        opens_at=now - timedelta(minutes=1),
        closes_at=closes_at,
        reveal_at=closes_at,
        rulebook=ONE_CARD,
    )
    return season.ready(draft, pool_fen=1_000_003, credit_after_s=None)


def _players(count: int) -> list[Player]:
    run = secrets.token_hex(4)
    wanted = [Player(username=f"bench-{run}-{number}", password="!") for number in range(count)]
    return Player.objects.bulk_create(wanted)


def _scan(campaign: Campaign, crowd: list[Player]) -> None:
    """A card for each."""
    until = campaign.closes_at + timedelta(days=1)
    batch = batches.create(campaign_id=campaign.pk, source_slug="code", count=len(crowd), expires_at=until)
    codes = zip(crowd, printing.codes(batch=batch), strict=True)
    for part in _parts(codes):
        wanted = [
            scans.Scan(keys.request(player_id=player.pk, route="scans", key=secrets.token_hex(8), body=code), code)
            for player, code in part
        ]
        for outcome in scans.redeem(campaign=campaign, scans=wanted):
            if not isinstance(outcome, answers.Redemption):
                raise outcome


def _parts(items: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(items)
    while part := list(itertools.islice(remaining, AT_ONCE)):
        yield part


def _stage(campaign: Campaign, crowd: list[Player]) -> dict[str, Any]:
    return {
        "campaign": campaign.slug,
        "players": [[str(player.public_id), tokens.issue(player).token] for player in crowd],
    }


def main(word: str, *words: str) -> None:
    verbs: dict[str, Callable[..., Any]] = {
        "pairs": lambda count, cards: pairs(int(count), int(cards)),
        "crowd": lambda count: crowd(int(count)),
        "electorate": lambda count, votes: electorate(int(count), int(votes)),
        "count": count,
        "announce": lambda slug, times, every: announce(slug, int(times), float(every)),
        "tell": lambda slug, each: tell(slug, int(each)),
        "check": check,
    }
    sys.stdout.write(json.dumps(verbs[word](*words)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
