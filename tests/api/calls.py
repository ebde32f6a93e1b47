"""For every operation of the schema a request that its caller may make and that is answered well.

Each is a request of `world.me`. The matrix of roles, the tests of other people's objects, the plans and the fuzzer all
start from here; an operation without an example fails them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from accounts.models import Player
from tests.accounts import texting
from tests.api.operations import Call
from tests.api.world import PASSWORD, World
from tests.factories import talk
from tests.factories.accounts import PlayerFactory

NIGHTS = {"enabled": True, "muted": [], "quiet_from": "22:30", "quiet_to": "07:00", "tz": "Asia/Shanghai"}

EXAMPLES: dict[str, Callable[[World], Call]] = {
    # Campaigns
    "campaigns_list": lambda world: Call(),
    "campaigns_read": lambda world: _live(world),
    "campaigns_rules": lambda world: _live(world),
    "campaigns_rulebook": lambda world: Call({"slug": world.live.slug, "version": 1}),
    "rulebooks_list": lambda world: _live(world),
    "amendments_list": lambda world: _live(world),
    "proposals_list": lambda world: _live(world),
    "proposals_read": lambda world: Call({"proposal_id": world.vote().public_id}),
    "broadcasts_list": lambda world: _live(world),
    "events_list": lambda world: Call(),
    # Ballots
    "ballot_read": lambda world: Call({"proposal_id": world.voted().public_id}),
    "ballot_cast": lambda world: Call({"proposal_id": world.motion().public_id}, {"option": 2}),
    "ballots_list": lambda world: Call({"proposal_id": world.counted().public_id}),
    # What is said
    "announcements_list": lambda world: _live(world),
    "comments_list": lambda world: Call({"proposal_id": world.talked_about().public_id}),
    "comments_create": lambda world: Call(
        {"proposal_id": world.vote().public_id}, {"text": "留下吧"}, by=world.newcomer()
    ),
    "comments_delete": lambda world: _comment(world, world.newcomer()),
    # Players
    "players_create": lambda world: Call(body={"username": f"new-{secrets.token_hex(6)}", "password": PASSWORD}),
    "sessions_create": lambda world: Call(body={"username": world.me.username, "password": PASSWORD}),
    "phone_codes_create": lambda world: Call(body={"phone": texting.number()}),
    "sessions_create_by_phone": lambda world: _by_phone(texting.number()),
    "sessions_federated": lambda world: Call(body={"token": world.host.token(secrets.token_hex(6))}),
    "sessions_list": lambda world: Call(),
    "sessions_delete": lambda world: Call({"session": world.device()}),
    "sessions_delete_current": lambda world: Call(),
    "sessions_delete_all": lambda world: Call(by=world.newcomer()),
    "sessions_refresh": lambda world: Call(body={"refresh": world.session().tokens.refresh}),
    "me_read": lambda world: Call(),
    "me_change": lambda world: Call(body={"nickname": "Fu"}),
    "me_export": lambda world: Call(),
    "me_erase": lambda world: _erasure(world.newcomer()),
    "notifications_read": lambda world: Call(),
    "notifications_change": lambda world: Call(body=NIGHTS),
    "invitations_list": lambda world: Call(),
    "invitations_create": lambda world: Call(body={"channel": "moments"}, by=world.newcomer()),
    "invitations_read": lambda world: Call({"code": world.link(world.me)}),
    "invitations_delete": lambda world: Call({"code": world.link(world.me)}),
    "invitations_accept": lambda world: Call({"code": world.link(world.newcomer())}),
    "friendships_list": lambda world: Call(),
    "presence_read": lambda world: Call(),
    "friendships_create": lambda world: Call(body={"username": PlayerFactory.create().username}),
    "friendships_delete": lambda world: Call({"player": world.befriended()}),
    "friendships_accept": lambda world: Call({"player": world.asked()}),
    "blocks_create": lambda world: Call({"player": world.befriended()}),
    "blocks_delete": lambda world: Call({"player": world.shunned()}),
    # Cards
    "kinds_list": lambda world: _live(world),
    "fairness_read": lambda world: _live(world),
    "issues_list": lambda world: Call({"slug": world.revealed.slug, "kind": "patriotism"}),
    "hand_read": lambda world: _live(world),
    "draws_list": lambda world: _live(world),
    "scans_create": lambda world: Call({"slug": world.live.slug}, {"code": world.code()}),
    "check_ins_create": lambda world: Call({"slug": world.live.slug}, by=world.newcomer()),
    "referrals_list": lambda world: _live(world),
    "suggestions_list": lambda world: _live(world),
    "ranking_read": lambda world: _live(world),
    "trades_list": lambda world: _live(world),
    "trades_create": lambda world: Call(
        {"slug": world.live.slug}, {"type": "gift", "to": world.pal.public_id, "gives": [world.card()]}
    ),
    "trades_read": lambda world: Call({"trade_id": world.trade()}),
    "trades_accept": lambda world: Call({"trade_id": world.wish_of_pal()}),
    "trades_decline": lambda world: Call({"trade_id": world.wish_of_pal()}),
    "trades_cancel": lambda world: Call({"trade_id": world.wish()}),
    "links_read": lambda world: Call({"code": world.spread(world.me)}),
    "links_accept": lambda world: Call({"code": world.spread(world.newcomer())}),
    "history_list": lambda world: _live(world),
    "plays_list": lambda world: _live(world),
    "conversions_list": lambda world: _live(world),
    "steals_create": lambda world: _special(world, "steal"),
    "copies_create": lambda world: _special(world, "copy"),
    "wilds_create": lambda world: _wild(world, world.newcomer()),
    # Money
    "share_read": lambda world: _live(world),
    "settlement_read": lambda world: _revealed(world),
    "settlement_manifest": lambda world: _revealed(world),
    "packet_read": lambda world: _revealed(world),
    "packet_open": lambda world: _revealed(world),
    "wallet_read": lambda world: Call(),
    "wallet_entries": lambda world: Call(),
}


def _live(world: World) -> Call:
    return Call({"slug": world.live.slug})


def _special(world: World, role: str) -> Call:
    return Call({"slug": world.live.slug}, {"from": world.special(role), "kind": "patriotism"})


def _wild(world: World, player: Player) -> Call:
    """Of one who misses the card that it is turned into."""
    world.special("wild", by=player)
    return Call({"slug": world.live.slug}, {"kind": "harmony"}, by=player)


def _comment(world: World, player: Player) -> Call:
    """What a player has just written."""
    return Call({"comment_id": talk.comment(player, world.vote()).id}, by=player)


def _revealed(world: World) -> Call:
    return Call({"slug": world.revealed.slug})


def _by_phone(number: str) -> Call:
    return Call(body={"phone": number, "code": texting.ask(number)})


def _erasure(player: Player) -> Call:
    return Call(body={"confirm": player.username, "password": PASSWORD}, by=player)
