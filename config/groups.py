"""The groups of the staff: who may do what. Whoever belongs to none sees nothing, and superusers see and do it all."""

from __future__ import annotations

OPERATIONS, SUPPORT, AUDITOR = "Operations", "Support", "Auditor"
VIEW_ALL = "view_*"

# A group's permissions by app. What staff may do to colleagues' rights is for superusers.
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    # A season from the draft to the payout, and the machines that run it.
    OPERATIONS: {
        "fortunes": (
            VIEW_ALL,
            "add_campaign",
            "change_campaign",
            "operate_jobs",
            "run_votes",
            "publish_announcements",
            "moderate_comments",
        ),
        "cards": (VIEW_ALL, "change_cardkind", "change_source", "revoke_codebatch"),
        "redpackets": (VIEW_ALL, "operate_settlement"),
        "accounts": ("view_message", "view_push", "view_pushhost"),
    },
    # People: looked up, compensated, banned. Lists of everybody are not needed for that.
    SUPPORT: {
        "accounts": ("support_player", "ban_player"),
        "cards": ("compensate_player",),
        "redpackets": ("compensate_player",),
        "fortunes": ("view_campaign", "view_comment", "moderate_comments"),
    },
    # Looks at everything, what staff did above all, and changes nothing.
    AUDITOR: {
        "fortunes": (VIEW_ALL,),
        "cards": (VIEW_ALL,),
        "redpackets": (VIEW_ALL,),
        "accounts": (VIEW_ALL,),
        "admin": ("view_logentry",),
        "auth": ("view_group",),
    },
}
