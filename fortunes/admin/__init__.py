"""The ground at the admin: history and jobs to look at, and what staff say to players.

Campaigns and votes are in `redpackets.admin`, since opening one needs the pool.
"""

from fortunes.admin.looking import (
    AuditEntryAdmin,
    BroadcastAdmin,
    DeadLetterAdmin,
    EventAdmin,
    ExclusionAdmin,
    JobAdmin,
    MembershipAdmin,
    ProcessAdmin,
    RulebookAdmin,
)
from fortunes.admin.talk import AnnouncementAdmin, CommentAdmin

__all__ = [
    "AnnouncementAdmin",
    "AuditEntryAdmin",
    "BroadcastAdmin",
    "CommentAdmin",
    "DeadLetterAdmin",
    "EventAdmin",
    "ExclusionAdmin",
    "JobAdmin",
    "MembershipAdmin",
    "ProcessAdmin",
    "RulebookAdmin",
]
