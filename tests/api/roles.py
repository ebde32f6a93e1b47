"""The matrix of roles: who gets which status. `python -m tests.api.roles > docs/roles.md` writes it down for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Player(NamedTuple):
    """The status of one request over REST, for each who may send it.

    `owner` has what the request names, `other` is a stranger, `friend` is one of the owner's and `blocked` was blocked
    by them; `banned` was shut out. `staff` is a superuser with a player's token: the admin's rights count there only.
    """

    anonymous: int
    owner: int
    other: int
    friend: int
    blocked: int
    banned: int
    staff: int


def everybody(status: int) -> Player:
    """It doesn't matter who asks, and no token is looked at."""
    return Player(*[status] * 7)


def public(status: int) -> Player:
    """Nobody needs a token, and who brings one needs a good one."""
    return everybody(status)._replace(banned=401)


def players(status: int) -> Player:
    """Each asks for their own."""
    return public(status)._replace(anonymous=401)


def owner(status: int, others: int = 404) -> Player:
    """The owner alone; for others there is no such thing."""
    return players(others)._replace(owner=status)


OPERATIONS: dict[str, Player] = {
    "campaigns_list": public(200),
    "campaigns_read": public(200),
    "campaigns_rules": public(200),
    "campaigns_rulebook": public(200),
    "rulebooks_list": public(200),
    "amendments_list": public(200),
    "proposals_list": public(200),
    "proposals_read": public(200),
    "broadcasts_list": players(200),
    "events_list": players(200),
    "ballot_read": owner(200),
    "ballot_cast": owner(201, others=403),
    "ballots_list": public(200),
    "announcements_list": public(200),
    "comments_list": public(200),
    "comments_create": players(201),
    "comments_delete": owner(204),
    "players_create": everybody(201),
    "sessions_create": everybody(201),
    "sessions_create_by_phone": everybody(201),
    "sessions_federated": everybody(201),
    "sessions_list": players(200),
    "sessions_delete": owner(204),
    "sessions_delete_current": players(204),
    "sessions_delete_all": players(204),
    "phone_codes_create": everybody(202),
    "sessions_refresh": everybody(200),
    "me_read": players(200),
    "me_change": players(200),
    "me_export": players(200),
    "me_erase": owner(204, others=422),
    "notifications_read": players(200),
    "notifications_change": players(200),
    "invitations_list": players(200),
    "invitations_create": players(201),
    "invitations_read": public(200),
    "invitations_delete": owner(204),
    "invitations_accept": players(200),
    "friendships_list": players(200),
    "presence_read": players(200),
    "friendships_create": players(201),
    "friendships_delete": owner(204),
    "friendships_accept": owner(200),
    "blocks_create": players(200),
    "blocks_delete": players(204),
    "kinds_list": public(200),
    "fairness_read": public(200),
    "issues_list": public(200),
    "hand_read": players(200),
    "draws_list": players(200),
    "scans_create": players(201),
    "check_ins_create": players(201),
    "referrals_list": players(200),
    "suggestions_list": players(200),
    "ranking_read": players(200),
    "trades_list": players(200),
    "trades_create": owner(201),
    "trades_read": owner(200),
    "trades_accept": owner(200),
    "trades_decline": owner(200),
    "trades_cancel": owner(200),
    "links_read": public(200),
    "links_accept": players(200),
    "history_list": players(200),
    "plays_list": players(200),
    "conversions_list": players(200),
    "steals_create": owner(201),
    "copies_create": owner(201),
    "wilds_create": owner(201, others=409),
    "share_read": players(200),
    "settlement_read": public(200),
    "settlement_manifest": public(200),
    "packet_read": players(200),
    "packet_open": owner(200, others=409),
    "wallet_read": players(200),
    "wallet_entries": players(200),
}


class Staff(NamedTuple):
    """The status of one request to the admin.

    `player` has signed in without being staff, and a `clerk` is staff without any right. Then the three groups that
    every installation has, and superusers.
    """

    anonymous: int
    player: int
    clerk: int
    operations: int
    support: int
    auditor: int
    superuser: int


def staff(*groups: str, status: int = 200, otherwise: int = 403) -> Staff:
    """These groups and superusers. Whoever isn't staff is sent to the sign-in."""
    nobody = Staff(302, 302, *[otherwise] * 5)
    return nobody._replace(**dict.fromkeys((*groups, "superuser"), status))


def all_staff(status: int = 200) -> Staff:
    return Staff(302, 302, *[status] * 5)


NOBODY = all_staff(403)
LOOKING = ("operations", "auditor")
BOSS = staff()


def pages(
    model: str, *groups: str, change: Staff = NOBODY, add: Staff = NOBODY, delete: Staff = NOBODY
) -> dict[str, Staff]:
    """The pages that Django gives a model: `groups` may look, and hardly anybody may do more."""
    return {
        f"GET {model}_changelist": staff(*groups),
        f"GET {model}_history": staff(*groups),
        f"GET {model}_change": staff(*groups),
        f"POST {model}_change": change,
        f"GET {model}_add": add,
        f"POST {model}_add": add,
        f"GET {model}_delete": delete,
        f"POST {model}_delete": delete,
    }


def form(name: str, *groups: str, status: int = 200) -> dict[str, Staff]:
    """A page of ours with a form."""
    return dict.fromkeys((f"GET {name}", f"POST {name}"), staff(*groups, status=status))


def button(name: str, *groups: str) -> dict[str, Staff]:
    """What is pressed on a page and leads back to one; nothing to look at."""
    return {f"GET {name}": all_staff(405), f"POST {name}": staff(*groups, status=302)}


ADMIN: dict[str, Staff] = {
    # Django's own
    "GET index": all_staff(),
    "GET app_list": staff("operations", "support", "auditor", otherwise=404),
    "GET search": all_staff(),
    "GET jsi18n": all_staff(),
    "GET autocomplete": NOBODY,
    "GET view_on_site": all_staff(404),
    "GET login": Staff(200, 200, 302, 302, 302, 302, 302),
    "POST logout": all_staff(),
    "GET password_change": all_staff(),
    "GET password_change_done": all_staff(),
    # The season
    **pages("fortunes_campaign", "operations", "support", "auditor", change=staff("operations"), add=all_staff(302)),
    **form("fortunes_campaign_preset", "operations"),
    **form("fortunes_campaign_pool", "operations"),
    **form("fortunes_campaign_funding", "operations", status=302),
    **form("fortunes_campaign_compensations", "operations"),
    **button("fortunes_campaign_opening", "operations"),
    "GET fortunes_campaign_live": staff("operations", "support", "auditor"),
    "GET fortunes_campaign_figures": staff("operations", "support", "auditor"),
    **pages("fortunes_rulebook", *LOOKING),
    "GET fortunes_rulebook_season": staff(*LOOKING),
    **form("fortunes_rulebook_staff", "operations"),
    **pages("fortunes_amendment", *LOOKING),
    **form("fortunes_amendment_announcement", "operations"),
    **button("fortunes_amendment_motion", "operations"),
    **pages("fortunes_proposal", *LOOKING),
    "GET fortunes_proposal_figures": staff(*LOOKING),
    **form("fortunes_proposal_draft", "operations"),
    **form("fortunes_proposal_edit", "operations"),
    "GET fortunes_proposal_effects": all_staff(405),
    "POST fortunes_proposal_effects": staff("operations"),
    **button("fortunes_proposal_opening", "operations"),
    **form("fortunes_proposal_extension", "operations"),
    **form("fortunes_proposal_cancellation", "operations"),
    **pages("fortunes_membership", *LOOKING),
    **pages("fortunes_exclusion", *LOOKING),
    **pages("fortunes_event", *LOOKING),
    **pages("fortunes_broadcast", *LOOKING),
    # What is said
    **pages("fortunes_announcement", *LOOKING, add=staff("operations")),
    **form("fortunes_announcement_edit", "operations"),
    **button("fortunes_announcement_publication", "operations"),
    **button("fortunes_announcement_withdrawal", "operations"),
    **button("fortunes_announcement_pinning", "operations"),
    **button("fortunes_announcement_unpinning", "operations"),
    **pages("fortunes_comment", *LOOKING, "support"),
    **form("fortunes_comment_reply", "operations", "support"),
    **button("fortunes_comment_hiding", "operations", "support"),
    **button("fortunes_comment_showing", "operations", "support"),
    # The machines
    **pages("fortunes_job", *LOOKING),
    **button("fortunes_job_run", "operations"),
    **pages("fortunes_process", *LOOKING),
    **pages("fortunes_deadletter", *LOOKING),
    **button("fortunes_deadletter_revival", "operations"),
    **button("fortunes_deadletter_dismissal", "operations"),
    **pages("fortunes_auditentry", *LOOKING),
    **button("fortunes_auditentry_verification", *LOOKING),
    **pages("admin_logentry", "auditor"),
    # Cards
    **pages("cards_cardkind", *LOOKING, change=staff("operations")),
    **pages("cards_source", *LOOKING, change=staff("operations")),
    **pages("cards_hand", *LOOKING),
    **pages("cards_stocktranche", *LOOKING),
    **pages("cards_stock", *LOOKING),
    **pages("cards_draw", *LOOKING),
    **pages("cards_trade", *LOOKING),
    **pages("cards_sharelink", *LOOKING),
    **pages("cards_play", *LOOKING),
    **pages("cards_transfer", *LOOKING),
    **pages("cards_aftermath", *LOOKING),
    **pages("cards_conversion", *LOOKING),
    **pages("cards_codebatch", *LOOKING),
    **button("cards_codebatch_revocation", "operations"),
    **pages("cards_invitationcredit", *LOOKING),
    # Money
    **pages("redpackets_pool", *LOOKING),
    **pages("redpackets_settlement", *LOOKING),
    **button("redpackets_settlement_pause", "operations"),
    **button("redpackets_settlement_resumption", "operations"),
    **pages("redpackets_settlementchunk", *LOOKING),
    **pages("redpackets_packet", *LOOKING),
    **pages("redpackets_ledgerentry", *LOOKING),
    **pages("redpackets_wallet", *LOOKING),
    **pages("redpackets_compensationfund", *LOOKING),
    **pages("redpackets_liveshare", *LOOKING),
    # People
    **pages("accounts_player", "auditor", change=staff(status=302)),
    **form("auth_user_password_change"),
    **form("accounts_player_look_up", "support"),
    "GET accounts_player_support": staff("support"),
    **form("accounts_player_help:draw", "support"),
    **form("accounts_player_help:money", "support"),
    **form("accounts_player_help:ban", "support"),
    **form("accounts_player_help:unban", "support"),
    **form("accounts_player_help:erasure"),
    **pages("accounts_friendship", "auditor"),
    **pages("accounts_refreshfamily", "auditor"),
    **pages("accounts_ban", "auditor"),
    **pages("accounts_invitationlink", "auditor"),
    **pages("accounts_referral", "auditor"),
    **pages("accounts_federatedidentity", "auditor"),
    **pages("accounts_message", *LOOKING),
    **pages("accounts_push", *LOOKING),
    **pages("accounts_pushhost", *LOOKING),
    **pages("auth_group", "auditor", change=BOSS, add=BOSS, delete=BOSS),
}

HEAD = """\
# Who may do what

A test asks every one of these addresses as everybody in turn and compares the status
([tests/api/roles.py](../tests/api/roles.py) is the table). An operation or an address of the admin without a row here
fails it. Every request is one that its owner, or those who have the right, may make.

"""
PLAYERS = """\
## The API

`owner` has what the request names. `other` is a stranger, `friend` is the owner's, `blocked` was blocked by them, and
`banned` was shut out. `staff` is a superuser who asks as a player: rights count in the admin only. What is somebody
else's is 404, and the same as what does not exist.

"""
OFFICE = """\
## The admin

302 without being staff is the way to the sign-in. A `clerk` is staff without a right; then the groups that every
installation has ([config/groups.py](../config/groups.py)). A form is answered with 200, a button with 302 to a page
that says what came of it.

"""


def document() -> str:
    """docs/roles.md."""
    said = [HEAD, PLAYERS, *_table("operation", Player._fields, OPERATIONS)]
    return "".join([*said, "\n", OFFICE, *_table("address", Staff._fields, ADMIN)])


def _table(what: str, columns: tuple[str, ...], rows: Mapping[str, tuple[int, ...]]) -> Iterator[str]:
    yield f"| {what} | {' | '.join(columns)} |\n"
    yield "|---|" + "---|" * len(columns) + "\n"
    for name, row in rows.items():
        yield f"| `{name}` | {' | '.join(map(str, row))} |\n"


if __name__ == "__main__":
    print(document(), end="")
