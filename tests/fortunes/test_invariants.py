"""Each invariant finds what it is there to find: a planted violation, made as the owner who alone could."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from accounts.models import Player
from cards.actions import counts, credits
from cards.models import Hand
from fortunes import invariants
from fortunes.models import Campaign
from tests.cards.test_aftermath_invariants import PLANTS as PLANTED_IN_AFTERMATHS
from tests.cards.test_invariants import PLANTS as PLANTED_IN_TRADES
from tests.factories import cards as make
from tests.factories.accounts import FriendshipFactory, PlayerFactory, ReferralFactory
from tests.votes.test_ballot_invariants import PLANTS as PLANTED_IN_BALLOTS
from tests.votes.test_invariants import PLANTED as PLANTED_IN_VOTES

KNOWN = {known.name: known for known in invariants.every()}

# Invariant → statements that break it, for the season and the player of the fixture.
PLANTS: dict[str, str] = {
    "fortunes/events_without_a_gap": "DELETE FROM fortunes_event WHERE player_id = {player} AND seq = 2",
    "fortunes/pushes_are_due": "UPDATE fortunes_feed SET pushes = true WHERE player_id = {player}",
    "fortunes/broadcasts_without_a_gap": "UPDATE fortunes_campaignfeed SET seq = seq + 1 WHERE campaign_id = {season}",
    "fortunes/talk_was_told": (
        "INSERT INTO fortunes_announcement (public_id, campaign_id, title_zh, title_en, body_zh, body_en, pinned, "
        "publish_at, published_at) SELECT gen_random_uuid(), {season}, '', '', '', '', false, t, t "
        "FROM fortunes_clock() t"
    ),
    # Its other violations are in test_audit.py.
    "fortunes/audit_unbroken": (
        "INSERT INTO fortunes_auditentry (seq, at, action, subject, data, hash) "
        "SELECT coalesce(max(seq), 0) + 1, fortunes_clock(), 'slipped.in', 'none', '{{}}', sha256('') "
        "FROM fortunes_auditentry"
    ),
    "fortunes/rulebooks_in_order": "UPDATE fortunes_rulebook SET version = 3 WHERE campaign_id = {season}",
    "fortunes/rulebooks_say_what_changed": (
        """UPDATE fortunes_rulebook SET changes = '[{{"path": "/wilds_fill", "before": null, "after": true}}]' """
        "WHERE campaign_id = {season}"
    ),
    "fortunes/announcements_kept": (
        "INSERT INTO fortunes_amendment "
        "(public_id, campaign_id, name_zh, name_en, changes, takes_force_at, applied_at) "
        "VALUES (gen_random_uuid(), {season}, '', '', '{{}}', fortunes_clock(), fortunes_clock())"
    ),
    "cards/acts_name_the_rules_in_force": (
        "INSERT INTO fortunes_rulebook (campaign_id, version, rules, reason, in_force_at) "
        "SELECT campaign_id, 2, rules, 'staff', in_force_at FROM fortunes_rulebook WHERE campaign_id = {season}"
    ),
    "cards/cards_conserved": "UPDATE cards_hand SET counts[1] = counts[1] + 1 WHERE player_id = {player}",
    "cards/hands_equal_history": "UPDATE cards_hand SET escrow[2] = escrow[2] + 1 WHERE player_id = {player}",
    "cards/hands_not_negative": "UPDATE cards_hand SET used[1] = -1 WHERE player_id = {player}",
    "cards/completion_is_dated": "UPDATE cards_hand SET completed_at = fortunes_clock() WHERE player_id = {player}",
    "cards/quotas_counted": "UPDATE cards_hand SET used[1] = used[1] + 1 WHERE player_id = {player}",
    "cards/quotas_kept": (
        """UPDATE fortunes_rulebook SET rules = jsonb_set(rules, '{{quotas,code,per_day}}', '1') """
        "WHERE campaign_id = {season}"
    ),
    "cards/caps_kept": "DELETE FROM cards_stock WHERE campaign_id = {season} AND serial = 500",
    "cards/trades_moved_their_cards": (
        "UPDATE cards_trade SET gives = gives || 4::smallint WHERE proposer_id = {player}"
    ),
    "cards/both_sides_were_told": (
        "UPDATE fortunes_event SET type = 'gift.sent' WHERE player_id <> {player} AND type = 'gift.received' "
        "AND campaign_id = {season}"
    ),
    "cards/nothing_after_the_freeze": (
        "UPDATE cards_draw SET at = (SELECT closes_at FROM fortunes_campaign WHERE id = {season}) "
        "WHERE player_id = {player}"
    ),
    "cards/nonces_are_natural": "UPDATE cards_draw SET nonce = nonce || 'x' WHERE player_id = {player} AND source = 1",
    "cards/invitations_credited": (
        "UPDATE cards_invitationcredit SET state = 'refused', draw = NULL WHERE inviter_id = {player}"
    ),
    "cards/draws_counted": ("UPDATE cards_drawcount SET draws = draws + 1 WHERE campaign_id = {season} AND source = 1"),
    "cards/references_exist": "UPDATE cards_draw SET source = 9 WHERE player_id = {player}",
}


@pytest.fixture
def played(owner_connection: psycopg.Connection) -> Iterator[tuple[Campaign, Player, psycopg.Connection]]:
    """A season with draws and gifts, and a transaction of the owner that never commits."""
    season = make.SeasonFactory.create(rulebook={"quotas": make.PLENTY})
    alice, bob = PlayerFactory.create(), PlayerFactory.create()
    FriendshipFactory.create(player=alice, friend=bob)
    for _ in range(3):
        card = make.redeem(season, alice).draw.kind
        make.give(season, alice, bob, [card])
    make.redeem(season, alice)
    make.check_in(season, alice)
    ReferralFactory.create(inviter=alice, invited=bob)
    make.redeem(season, bob)
    credits.credit_due()
    counts.count_due()
    with owner_connection.transaction(force_rollback=True):
        yield season, alice, owner_connection


def found(name: str, connection: psycopg.Connection) -> bool:
    query = KNOWN[name].query
    return bool(connection.execute(f"SELECT * FROM ({query}) AS violation LIMIT 1".encode()).fetchall())


@pytest.mark.committed
@pytest.mark.parametrize("name", sorted(PLANTS))
def test_a_planted_violation_is_found(name: str, played: tuple[Campaign, Player, psycopg.Connection]) -> None:
    season, alice, connection = played
    assert Hand.objects.filter(player=alice).exists()
    assert not found(name, connection)

    connection.execute(PLANTS[name].format(season=season.pk, player=alice.pk).encode())
    assert found(name, connection)


def test_every_invariant_of_the_ground_and_the_cards_has_its_violation() -> None:
    of_cards = {f"cards/{name}" for name in (*PLANTED_IN_TRADES, *PLANTED_IN_AFTERMATHS)}
    of_votes = {f"fortunes/{name}" for name, _ in PLANTED_IN_VOTES} | set(PLANTED_IN_BALLOTS)
    assert {name for name in KNOWN if name.startswith(("fortunes/", "cards/"))} == set(PLANTS) | of_cards | of_votes
