"""A vote with very many ballots, made in a minute: one player really votes, whose rows are then copied."""

from __future__ import annotations

import secrets
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path

import msgspec
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts.models import Player
from cards import hands
from cards.actions import presets
from config.demo import season
from config.local import environment
from config.soak import crowd
from fortunes import clock, keys
from fortunes.actions import ballots, proposals, votes
from fortunes.actions.judging import OptionPlan
from fortunes.models import Ballot, Campaign, Proposal

# Of a hundred so many are for the first option, as in 2017 against the card; the rest is for the second.
FOR_THE_FIRST = 53
SCRIPT = Path(environment.ROOT) / "docs" / "verify" / "ballots.py"

# Options by the players' numbers, and receipts that nobody else has. What is published follows from them, as it does in
# `fortunes.tally`, and the counts from all of them, as in `fortunes_cast`.
COPY = """
INSERT INTO fortunes_ballot (proposal_id, player_id, option, receipt, leaf, at)
SELECT o.proposal_id, c.id, c.option, c.receipt,
       sha256(uuid_send(v.public_id) || c.receipt || set_byte('\\x00', 0, c.option)), o.at
  FROM fortunes_ballot o
  JOIN fortunes_proposal v ON v.id = o.proposal_id
  JOIN accounts_player first ON first.id = o.player_id
  JOIN LATERAL (SELECT p.id, CASE WHEN p.id %% 100 < %(first)s THEN 1 ELSE 2 END AS option,
                       substr(sha256(o.receipt || int8send(p.id)), 1, 16) AS receipt
                  FROM accounts_player p WHERE p.username LIKE first.username || '-%%') c ON true
 WHERE o.proposal_id = %(proposal)s
"""
COUNT = """
INSERT INTO fortunes_ballotcount AS c (proposal_id, option, shard, ballots)
SELECT proposal_id, option, player_id %% 64, count(*)
  FROM fortunes_ballot WHERE proposal_id = %(proposal)s AND player_id <> %(player)s
 GROUP BY proposal_id, option, player_id %% 64
ON CONFLICT (proposal_id, option, shard) DO UPDATE SET ballots = c.ballots + excluded.ballots
"""


@dataclass(frozen=True, slots=True)
class Electorate:
    """An open vote that closes in an hour, with so many ballots."""

    proposal: int
    ballots: int


def gather(count: int) -> Electorate:
    """Players and ballots, so that every invariant holds."""
    slug = f"soak-{secrets.token_hex(4)}"
    campaign = _campaign(slug)
    player = Player.objects.create_user(username=f"{slug}-a")
    hands.ensure(campaign_id=campaign.pk, players=[player.pk])
    with transaction.atomic(durable=True):
        _for_as_long_as_it_takes()
        crowd.copy_players(player, count - 1)
        crowd.copy("fortunes_membership", player, {})
    proposal = _opened(campaign)
    _vote(player, proposal)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        _for_as_long_as_it_takes()
        cursor.execute(COPY, {"proposal": proposal.pk, "first": FOR_THE_FIRST})
        cursor.execute(COUNT, {"proposal": proposal.pk, "player": player.pk})
    return Electorate(proposal.pk, Ballot.objects.filter(proposal=proposal).count())


def _campaign(slug: str) -> Campaign:
    now = clock.now()
    closes_at = now + timedelta(hours=2)
    draft = presets.five_fortunes(
        slug=slug, opens_at=now - timedelta(minutes=1), closes_at=closes_at, reveal_at=closes_at
    )
    return season.ready(draft, pool_fen=1_000_003, credit_after_s=None)


def _opened(campaign: Campaign) -> Proposal:
    now = clock.now()
    draft = proposals.draft(
        campaign_id=campaign.pk,
        by=None,
        question_zh="要不要允许更多交换？",
        question_en="Shall more trades be open at a time?",
        options=[
            OptionPlan(name_zh="多一些", name_en="More", changes={"trading": {"open_trades": 25}}),
            OptionPlan(name_zh="不变", name_en="As it is"),
        ],
        opens_at=now,
        closes_at=now + timedelta(hours=1),
    )
    return proposals.open_(proposal_id=draft.pk, by=None)


def _vote(player: Player, proposal: Proposal) -> None:
    body = {"proposal": proposal.public_id, "option": 1}
    asked = keys.request(player_id=player.pk, route=ballots.ROUTE, key=secrets.token_hex(8), body=body)
    ballots.cast(asked=asked, proposal_id=proposal.public_id, option=1, by=player)


def _for_as_long_as_it_takes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")


def faults(proposal_id: int) -> list[str]:
    """What is wrong with a closed vote: by the invariants, and by the published script, which finds a ballot."""
    found, report = list[str](), StringIO()
    try:
        call_command("check_invariants", stdout=report, stderr=report)
    except (CommandError, SystemExit) as error:
        found.append(f"invariants: {error} {report.getvalue()}")
    proposal = Proposal.objects.get(pk=proposal_id)
    receipt = bytes(Ballot.objects.filter(proposal=proposal).values_list("receipt", flat=True)[0]).hex()
    with tempfile.NamedTemporaryFile("wb") as file:
        file.write(_published(proposal))
        file.flush()
        command = [sys.executable, "-I", "-S", str(SCRIPT), file.name, receipt]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
    return [*found, f"the published script: {said.stdout}{said.stderr}"] if said.returncode else found


def _published(proposal: Proposal) -> bytes:
    """What anybody may fetch, page after page."""
    leaves, after = list[object](), b""
    while page := ballots.published(proposal_id=proposal.public_id, after=after, limit=ballots.LEAVES_AT_ONCE):
        leaves += page
        after = bytes.fromhex(page[-1].leaf)
    told = {"proposal": votes.read(proposal_id=proposal.public_id, player_id=None), "ballots": leaves}
    return msgspec.json.encode(told, enc_hook=str)
