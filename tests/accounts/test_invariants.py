"""Each invariant finds what is planted against it, and nothing in what the actions made."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import InvitationLink, Player, Referral
from fortunes import sql
from tests.factories.accounts import FriendshipFactory

pytestmark = pytest.mark.django_db

PLANTED = [
    ("friendships_mirror", "DELETE FROM accounts_friendship WHERE player_id = %(alice)s"),
    ("friendships_mirror", "UPDATE accounts_friendship SET state = 'asked' WHERE player_id = %(alice)s"),
    ("friendships_mirror", "UPDATE accounts_friendship SET since = fortunes_clock() WHERE player_id = %(alice)s"),
    ("friendships_mirror", "UPDATE accounts_friendship SET state = 'mutual' WHERE player_id = %(alice)s"),
    ("friends_counted", "UPDATE accounts_player SET friend_count = 7 WHERE id = %(alice)s"),
    ("friends_counted", "DELETE FROM accounts_friendship WHERE %(alice)s IN (player_id, friend_id)"),
    ("bans_shut_out", "INSERT INTO accounts_ban (player_id, by_id, reason) VALUES (%(alice)s, 1, 'fraud')"),
]


@pytest.mark.parametrize(("name", "violation"), PLANTED)
def test_a_planted_violation_is_found(name: str, violation: str, alice: Player, bob: Player):
    query = sql.text("accounts", f"invariants/{name}")
    FriendshipFactory.create(player=alice, friend=bob)
    assert sql.fetch(query) == []
    with connection.cursor() as cursor:
        cursor.execute(violation, {"alice": alice.pk})
    assert sql.fetch(query) != []


FORGET = """
UPDATE accounts_player
   SET nickname = '', username = 'erased-' || lpad(id::text, 16, '0'), password = '!', is_active = false,
       erased_at = fortunes_clock()
 WHERE id IN (%(alice)s, %(charlie)s)
"""
LEFT = [
    "UPDATE accounts_player SET nickname = 'Alice' WHERE id = %(alice)s",
    "UPDATE accounts_player SET username = 'alice' WHERE id = %(alice)s",
    "UPDATE accounts_player SET password = 'pbkdf2' WHERE id = %(alice)s",
    "INSERT INTO accounts_friendship (player_id, friend_id, state) VALUES (%(bob)s, %(alice)s, 'friends')",
    "INSERT INTO accounts_friendship (player_id, friend_id, state) VALUES (%(alice)s, %(bob)s, 'asked')",
    "INSERT INTO accounts_federatedidentity (player_id, issuer, subject) VALUES (%(alice)s, 'wallet', 'user-7')",
    "INSERT INTO accounts_notificationsettings (player_id, enabled, muted, tz) VALUES (%(alice)s, true, '{}', 'UTC')",
    "INSERT INTO accounts_invitationlink (player_id, code) VALUES (%(alice)s, 'x')",
    """INSERT INTO accounts_invitationlink (player_id, code, channel, revoked_at)
       VALUES (%(alice)s, 'x', 'fans', fortunes_clock())""",
    """INSERT INTO accounts_phone (player_id, number_hash, hash_key_id, sealed, seal_key_id)
       VALUES (%(alice)s, '', '', '', '')""",
    """WITH season AS (INSERT INTO fortunes_campaign (name_zh, name_en, public_id, slug, tz, opens_at, closes_at,
                                                      reveal_at, draw_key_id, draw_commitment)
                       SELECT '', '', gen_random_uuid(), 'x', 'UTC', t, t + interval '1 day', t + interval '1 day',
                              '', '' FROM fortunes_clock() t RETURNING id),
            vote AS (INSERT INTO fortunes_proposal (campaign_id, public_id, question_zh, question_en, opens_at,
                                                    closes_at, quorum, threshold_bp, may_change, state)
                     SELECT id, gen_random_uuid(), '', '', t, t + interval '1 day', 1, 5000, false, 'draft'
                       FROM season, fortunes_clock() t RETURNING id)
       INSERT INTO fortunes_comment (public_id, proposal_id, player_id, text)
       SELECT gen_random_uuid(), id, %(alice)s, 'mine' FROM vote""",
]


@pytest.mark.parametrize("left", LEFT)
def test_what_is_left_of_an_erased_player_is_found(left: str, alice: Player, bob: Player, charlie: Player):
    query = sql.text("accounts", "invariants/erased_players_are_forgotten")
    ids = {"alice": alice.pk, "bob": bob.pk, "charlie": charlie.pk}
    with connection.cursor() as cursor:
        cursor.execute(FORGET, ids)
        assert sql.fetch(query) == []
        cursor.execute(left, ids)
    assert [row.player_id for row in sql.fetch(query)] == [alice.pk]


@pytest.mark.parametrize("owner", ["bob", "nobody"])
def test_a_referral_by_somebody_elses_link_is_found(owner: str, alice: Player, bob: Player, charlie: Player):
    query = sql.text("accounts", "invariants/referrals_have_their_link")
    link = InvitationLink.objects.create(player=alice, code="alices")
    referral = Referral.objects.create(invited=charlie, inviter=alice, link=link)
    assert sql.fetch(query) == []
    theirs = InvitationLink.objects.create(player=bob, code="bobs")
    Referral.objects.filter(pk=referral.pk).update(link=theirs.pk if owner == "bob" else 2**40)
    assert sql.fetch(query) != []
