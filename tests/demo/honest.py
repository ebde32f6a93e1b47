"""An honest season of two players: what its journal says and what its database says agree."""

from __future__ import annotations

import copy
import hashlib
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

from config.demo import checks, voting
from config.demo.facts import DrawFact, Facts, TransferFact
from config.demo.journal import Counted, Deal, Diary, Given, Heard, Journal, Reading, Voted
from config.demo.votes import BallotFact, ConversionFact, VersionFact, VoteFacts
from fortunes import amending, rules, tally

CLOSES_AT = datetime(2027, 2, 5, 14, tzinfo=UTC)
BEFORE = CLOSES_AT - timedelta(seconds=1)
KINDS = ("red", "green")
BROADCASTS = [
    Heard(1, "campaign.opened", {}),
    Heard(2, "rulebook.changed", {"version": 2}),
    Heard(3, "campaign.frozen", {}),
    Heard(4, "campaign.settled", {}),
]
# When ballots were taken.
FROM, TO = CLOSES_AT - timedelta(seconds=9), CLOSES_AT - timedelta(seconds=6)


RULES = rules.parse(
    {
        "weights": {"red": 1, "green": 1, "wild": 1, "steal": 1},
        "complete_set": ["red", "green"],
        "specials": ["wild", "steal"],
        "quotas": {"code": {"per_day": 3, "per_campaign": 3}},
    }
)
VOTE = uuid.UUID(int=5)
VERSIONS = [
    VersionFact(1, "start", CLOSES_AT - timedelta(seconds=20), RULES, None),
    VersionFact(2, "vote", TO, amending.merged(RULES, {"weights": {"steal": 0}, "specials": ["wild"]}), str(VOTE)),
]
DRAWS = [
    *(
        DrawFact(str(n), player, kind, kind, kind, BEFORE, version=2)
        for n, (player, kind) in enumerate(
            [("alice", "red"), ("alice", "red"), ("alice", "green"), ("bob", "green"), ("alice", "wild")]
        )
    ),
    DrawFact("early", "alice", "steal", "steal", "steal", FROM - timedelta(seconds=1)),
]
GIFT, DEAL = Given("bob", ("red",)), Deal("alice", "bob", ("green",), ("green",))
TRANSFERS = [
    TransferFact("t", "alice", "bob", "red", BEFORE),
    TransferFact("p", "alice", "", "wild", BEFORE),
    TransferFact("p", "", "alice", "green", BEFORE),
    TransferFact("s", "alice", "bob", "green", BEFORE),
    TransferFact("s", "bob", "alice", "green", BEFORE),
    TransferFact("c", "alice", "", "steal", BEFORE),
    TransferFact("c", "", "alice", "wild", BEFORE),
]
HANDS = {"alice": Counter(red=1, green=2, wild=1), "bob": Counter(red=1, green=1)}
RECEIPTS = {"alice": bytes(16), "bob": bytes([1] * 16)}
BALLOTS = [
    BallotFact(player, voting.REMOVE, receipt.hex(), tally.leaf(VOTE, receipt, voting.REMOVE).hex(), FROM)
    for player, receipt in RECEIPTS.items()
]
RESULT = VoteFacts(
    proposal=str(VOTE),
    opens_at=FROM,
    closes_at=TO,
    quorum=1,
    threshold_bp=5000,
    outcome="adopted",
    winner=voting.REMOVE,
    eligible=2,
    cast=2,
    digest=hashlib.sha256(b"".join(sorted(bytes.fromhex(row.leaf) for row in BALLOTS))).hexdigest(),
    counts={voting.KEEP: 0, voting.REMOVE: 2},
    shards={voting.REMOVE: 2},
    ballots=BALLOTS,
)
CONVERTED = Heard(3, "card.converted", {"conversion": "c", "cards": 1, "into": ["wild"]})
HEARD = {
    player: [Heard(1, "friendship.accepted", {}), Heard(2, f"gift.{what}", {"trade": "t"})]
    for player, what in (("alice", "sent"), ("bob", "received"))
}
HEARD["alice"].append(CONVERTED)
AMOUNTS = {"alice": 51, "bob": 50}


def honest() -> tuple[Journal, Facts]:
    """Alice draws two reds and a green and gives bob a red; bob has drawn a green. Both win, 101 fen between them.

    Alice has a wild card as well, which she turns into a green and swaps for bob's, card by card the same. Both vote
    against the steal card, and the one that alice has drawn becomes a wild card.
    """
    facts = Facts(
        rules=VERSIONS[-1].rules,
        closes_at=CLOSES_AT,
        frozen_at=CLOSES_AT,
        settled_at=CLOSES_AT + timedelta(seconds=2),
        pool_fen=101,
        returned_fen=0,
        draws=DRAWS,
        transfers=TRANSFERS,
        trades={"t": ("alice", GIFT)},
        deals={"s": DEAL},
        plays={"p": ("alice", "green")},
        hands=HANDS,
        events=HEARD,
        broadcasts=BROADCASTS,
        payouts=AMOUNTS,
        paid_fen=dict(AMOUNTS),
        wallets=dict(AMOUNTS),
        vote=RESULT,
        versions=VERSIONS,
        joined=dict.fromkeys(AMOUNTS, FROM - timedelta(seconds=1)),
        conversions={"c": ConversionFact("alice", 2, "steal", 1, ("wild",))},
        loose_ends=[],
    )
    alice, bob = (
        Diary(
            player=player,
            draws={draw.id: draw.kind for draw in DRAWS if draw.player == player},
            cards=Counter(HANDS[player]),
            deals={"s": DEAL},
            events=list(HEARD[player]),
            broadcasts=list(BROADCASTS),
            voted=Voted(row.option, row.receipt, row.leaf),
            tallies=[Counted(f"{n}", {"1": 0, "2": n}) for n in range(3)],
            readings=[Reading(2, 2, agrees=True, specials=("wild",))],
            opened_fen=amount,
            wallet_fen=amount,
        )
        for (player, amount), row in zip(AMOUNTS.items(), BALLOTS, strict=True)
    )
    alice.gifts, alice.plays, bob.agreed = {"t": GIFT}, {"p": "green"}, {"s"}
    refusals = Counter({("late scan", "campaign-frozen"): 1, ("late gift", "campaign-frozen"): 1})
    journal = Journal(diaries=[alice, bob], refusals=refusals, check_ins=1, invitations=1, credited=1, replays=1)
    journal.published = {row.leaf: row.option for row in BALLOTS}
    journal.result = {voting.KEEP: 0, voting.REMOVE: 2}
    # Each test spoils its own.
    return copy.deepcopy((journal, facts))


def broken(journal: Journal, facts: Facts) -> list[str]:
    return [check.title for check in checks.every(journal, facts) if not check.ok]
