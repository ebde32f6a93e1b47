"""The ground: campaigns, their rulebooks and votes, who takes part, the feeds of events, and what staff do and say.

Tables that only grow (`Rulebook`, `Compensation`, `Event`, `Broadcast`, `Exclusion`, `AuditEntry`) are append-only for
the application's role; see the migrations.
"""

from fortunes.models.campaigns import BilingualName, Campaign, DatabaseNow, Exclusion, Membership, Rulebook
from fortunes.models.feeds import Broadcast, CampaignFeed, Event, Feed, PushDue
from fortunes.models.operations import AuditEntry, DeadLetter, IdempotencyKey, Job, Process
from fortunes.models.talk import Announcement, Comment
from fortunes.models.votes import SHARDS, Amendment, Ballot, BallotCount, Compensation, Option, Proposal

__all__ = [
    "SHARDS",
    "Amendment",
    "Announcement",
    "AuditEntry",
    "Ballot",
    "BallotCount",
    "BilingualName",
    "Broadcast",
    "Campaign",
    "CampaignFeed",
    "Comment",
    "Compensation",
    "DatabaseNow",
    "DeadLetter",
    "Event",
    "Exclusion",
    "Feed",
    "IdempotencyKey",
    "Job",
    "Membership",
    "Option",
    "Process",
    "Proposal",
    "PushDue",
    "Rulebook",
]
