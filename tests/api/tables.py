"""The tables that stay small; `tests.admin.crowd` fills the others."""

from __future__ import annotations

# A season adds a few rows to these, or staff do.
FEW = {
    "accounts_pushhost",
    "accounts_player_groups",
    "accounts_player_user_permissions",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "cards_aftermath",
    "cards_cardkind",
    "cards_codebatch",
    "cards_drawreader",
    "cards_drawtotal",
    "cards_source",
    "cards_stocktranche",
    "django_content_type",
    "django_session",
    "fortunes_amendment",
    "fortunes_announcement",
    # 64 an option.
    "fortunes_ballotcount",
    "fortunes_campaign",
    "fortunes_campaignfeed",
    "fortunes_compensation",
    "fortunes_job",
    "fortunes_option",
    "fortunes_process",
    "fortunes_proposal",
    "fortunes_rulebook",
    "redpackets_compensationfund",
    # Empty but for the minutes of a split, and read by the worker alone.
    "redpackets_contender",
    "redpackets_liveshare",
    "redpackets_pool",
    "redpackets_settlement",
}
