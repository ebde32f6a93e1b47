"""Rows in bulk, in which only what indexes and statistics look at means something. Never in a test's own database."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psycopg

from accounts.models import Player
from cards.models import Aftermath
from fortunes.models import Campaign
from redpackets.models import Pool
from tests.factories.cards import SeasonFactory
from tests.factories.votes import OpenProposalFactory

# Rows of most tables; `./dev soak plans` has a million. Those of the old season come first, so that the newest-first
# lists find them last.
ROWS = int(os.environ.get("FORTUNES_CROWD_ROWS", "30000"))
OLD_ROWS = 1_000

PLAYERS = """
INSERT INTO accounts_player (password, is_superuser, public_id, username, nickname, is_staff, is_active, friend_count)
SELECT '!', false, gen_random_uuid(), 'player-' || n, '', n %% 10000 = 1, n %% 10000 <> 2, 0
  FROM generate_series(1, %(rows)s) n
"""
# p: a player. c: the old season for the first few, then the new one. n: counts the rows.
EACH = """
  FROM (SELECT n, %(first)s + n AS p, CASE WHEN n <= %(old_rows)s THEN %(old)s ELSE %(new)s END AS c
          FROM generate_series(1, %(rows)s) n) AS each
"""
STATEMENTS = [
    "INSERT INTO fortunes_membership (campaign_id, player_id) SELECT c, p",
    "INSERT INTO fortunes_exclusion (campaign_id, player_id, reason) SELECT c, p, 'staff'",
    "INSERT INTO fortunes_event (player_id, seq, campaign_id, type, data) SELECT p, 1, c, 'gift.received', '{}'",
    "INSERT INTO fortunes_broadcast (campaign_id, seq, type, data) SELECT c, n + 100, 'rule.changed', '{}'",
    """INSERT INTO accounts_friendship (player_id, friend_id, state) SELECT p, p + 1, 'friends'""",
    """INSERT INTO accounts_refreshfamily (public_id, player_id, token_hash, expires_at)
       SELECT gen_random_uuid(), p, sha256(p::text::bytea), fortunes_clock() + interval '1 day'""",
    """INSERT INTO cards_hand (campaign_id, player_id, counts, escrow, used_today, used, version)
       SELECT c, p, array_prepend(1, array_fill(0, ARRAY[k.kinds - 1])), array_fill(0, ARRAY[k.kinds]),
              '{1}', '{1}', 1""",
    """INSERT INTO cards_draw (campaign_id, player_id, source, nonce, key, body_hash, rulebook_version, wish, kind,
                               serial, hand_after, escrow_after, used_today_after, used_after, hand_version, at)
       SELECT c, p, 0, sha256(n::text::bytea), n, '', 1, 0, 0, NULL, '{1}', '{0}', 1, 1, 1, fortunes_clock()""",
    """INSERT INTO cards_stock (campaign_id, kind, serial, available_at) SELECT c, 4, n + 1000000, fortunes_clock()""",
    """INSERT INTO cards_trade (public_id, campaign_id, type, state, proposer_id, recipient_id, gives, takes,
                                rulebook_version, closed_at)
       SELECT gen_random_uuid(), c, 'gift', 'accepted', p, p + 1, '{0}', '{}', 1, fortunes_clock()""",
    """INSERT INTO cards_transfer (campaign_id, kind, giver_id, receiver_id, trade_id, position)
       SELECT c, 0, p, p + 1, (SELECT min(id) FROM cards_trade) + n - 1, 0""",
    """INSERT INTO cards_addressee (campaign_id, player_id, trade_id)
       SELECT c, p, (SELECT min(id) FROM cards_trade) + n - 1""",
    """INSERT INTO cards_tradenote (trade_id, player_id, text)
       SELECT (SELECT min(id) FROM cards_trade) + n - 1, p, '-'""",
    """INSERT INTO cards_sharelink (trade_id, campaign_id, player_id, code, channel)
       SELECT (SELECT min(id) FROM cards_trade) + n - 1, c, p, 'code-' || n, 'qr'""",
    "INSERT INTO cards_linkopen (link_id) SELECT (SELECT min(id) FROM cards_trade) + n - 1",
    """INSERT INTO cards_play (public_id, campaign_id, type, player_id, friend_id, kind, rulebook_version)
       SELECT gen_random_uuid(), c, 'copy', p, p + 1, 0, 1""",
    """INSERT INTO redpackets_payout (pool_id, player_id, amount_fen)
       SELECT (SELECT id FROM redpackets_pool WHERE campaign_id = c), p, 27166""",
    """INSERT INTO redpackets_ledgerentry (source_kind, source_owner, destination_kind, destination_owner, amount_fen,
                                           business_key)
       SELECT 'pool', o.id, 'wallet', p, 27166, 'payout:' || o.id || ':' || p""",
    "INSERT INTO redpackets_wallet (player_id, balance_fen) SELECT p, 27166",
    """INSERT INTO redpackets_settlementchunk (settlement_id, number, low, high)
       SELECT (SELECT s.id FROM redpackets_settlement s JOIN redpackets_pool o ON o.id = s.pool_id
                WHERE o.campaign_id = c), n, n, n""",
    """INSERT INTO cards_drawcount (campaign_id, minute, source, kind, draws)
       SELECT c, date_trunc('minute', fortunes_clock()) - n * interval '1 minute', 0, 0, 1""",
    """INSERT INTO cards_invitationcredit (campaign_id, invited_id, inviter_id, state, scanned_at, due_at)
       SELECT c, p, p + 1, 'waiting', fortunes_clock(), fortunes_clock()""",
    """INSERT INTO accounts_ban (player_id, by_id, reason) SELECT p, %(first)s, 'farm'""",
    """INSERT INTO accounts_invitationlink (player_id, code) SELECT p, 'code-' || n""",
    """INSERT INTO accounts_referral (invited_id, inviter_id, link_id)
       SELECT p, p + 1, (SELECT min(id) FROM accounts_invitationlink)""",
    """INSERT INTO accounts_federatedidentity (player_id, issuer, subject) SELECT p, 'host', 'user-' || n""",
    """INSERT INTO accounts_push (public_id, player_id, host, after, upto, state, expires_at)
       SELECT gen_random_uuid(), p, 'host', 0, 1, 'sent', fortunes_clock()""",
    """INSERT INTO fortunes_ballot (proposal_id, player_id, option, receipt, leaf)
       SELECT (SELECT id FROM fortunes_proposal WHERE campaign_id = c), p, 1, '', sha256(n::text::bytea)""",
    """INSERT INTO fortunes_comment (public_id, proposal_id, player_id, text)
       SELECT gen_random_uuid(), (SELECT id FROM fortunes_proposal WHERE campaign_id = c), p, '-'""",
    """INSERT INTO cards_conversion (public_id, aftermath_id, campaign_id, player_id, kind, cards, "into", fen, paid_at)
       SELECT gen_random_uuid(), (SELECT id FROM cards_aftermath WHERE campaign_id = c), c, p, 0, 1, '{}', 1,
              fortunes_clock()""",
    "INSERT INTO fortunes_pushdue (player_id, due_at) SELECT p, fortunes_clock() + interval '1 day'",
    "INSERT INTO accounts_notificationsettings (player_id, enabled, muted, tz) SELECT p, true, '{}', 'UTC'",
    """INSERT INTO accounts_message (public_id, number_hash, seal_key_id, state, expires_at)
       SELECT gen_random_uuid(), sha256(n::text::bytea), 'k', 'sent', fortunes_clock()""",
    """INSERT INTO accounts_phone (player_id, number_hash, hash_key_id, sealed, seal_key_id)
       SELECT p, sha256(n::text::bytea), 'k', '', 'k'""",
    """INSERT INTO fortunes_auditentry (seq, at, actor_id, action, subject, subject_id, data, hash)
       SELECT 1000000 + n, fortunes_clock(), %(first)s + n %% 5, 'player.looked_up', 'accounts.player', p, '{}', ''""",
    """INSERT INTO fortunes_deadletter (job, subject_id, error, outcome, decided_at)
       SELECT 'a.job', p, '', 'dismissed', fortunes_clock()""",
    """INSERT INTO django_admin_log (action_time, object_repr, action_flag, change_message, user_id)
       SELECT fortunes_clock(), '', 2, '', p""",
    "INSERT INTO fortunes_feed (player_id, seq) SELECT p, 1",
    """INSERT INTO fortunes_idempotencykey (player_id, route, key, body_hash, result)
       SELECT p, 'trades', n, sha256(n::text::bytea), '{}'""",
    """INSERT INTO accounts_lockout (subject, tries, ends_at)
       SELECT sha256(n::text::bytea), 1, fortunes_clock() + interval '1 day'""",
    """INSERT INTO accounts_phonecode (number_hash, code_hash, key_id, asked_at, expires_at, day_began_at)
       SELECT sha256(n::text::bytea), '', 'k1', fortunes_clock(), fortunes_clock(), fortunes_clock()""",
    """INSERT INTO accounts_spenttoken (digest, expires_at)
       SELECT sha256(n::text::bytea), fortunes_clock() + interval '1 day'""",
]
JOINED = {
    "redpackets_ledgerentry": " JOIN redpackets_pool o ON o.campaign_id = c",
    "cards_hand": """ JOIN (SELECT campaign_id, count(*)::int AS kinds FROM cards_cardkind GROUP BY 1) k
                        ON k.campaign_id = c""",
}
GROWING = {
    "accounts_player",
    "django_admin_log",
    *(statement.split()[2] for statement in STATEMENTS),
}


@dataclass(frozen=True)
class Crowd:
    """An old season that few took part in, a new one, and the first of the players."""

    old: Campaign
    new: Campaign
    boss: Player
    first: int

    @classmethod
    def gather(cls) -> Crowd:
        boss = Player.objects.create_superuser("boss")
        return cls(SeasonFactory(), SeasonFactory(), boss, boss.pk)

    def multiply(self, owner: psycopg.Connection) -> None:
        for season in (self.old, self.new):
            OpenProposalFactory(campaign=season)
            Aftermath.objects.create(campaign=season, version=2, state=Aftermath.State.CONVERT)
        params = {"rows": ROWS, "old_rows": OLD_ROWS, "first": self.first, "old": self.old.pk, "new": self.new.pk}
        owner.execute(PLAYERS.encode(), params | {"rows": ROWS + 1})
        for statement in STATEMENTS:
            owner.execute((statement + EACH + JOINED.get(statement.split()[2], "")).encode(), params)
        owner.execute("VACUUM ANALYZE")

    @property
    def pools(self) -> tuple[int, int]:
        old, new = (Pool.objects.get(campaign=campaign).pk for campaign in (self.old, self.new))
        return old, new
