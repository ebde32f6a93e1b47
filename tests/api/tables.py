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
    "cards_cardkind",
    "cards_codebatch",
    "cards_drawreader",
    "cards_drawtotal",
    "cards_source",
    "cards_stocktranche",
    "django_content_type",
    "django_session",
    "fortunes_announcement",
    "fortunes_campaign",
    "fortunes_campaignfeed",
    "fortunes_job",
    "fortunes_process",
    "fortunes_rulebook",
    "redpackets_compensationfund",
    "redpackets_liveshare",
    "redpackets_pool",
    "redpackets_settlement",
}
