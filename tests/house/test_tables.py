"""What the database itself refuses, and what its busy tables carry. Everything as it was migrated."""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg
import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from config.local.roles import APP
from tests.house import tree

APPEND_ONLY = {
    # But for its `paid_at`.
    "cards_conversion",
    "cards_draw",
    "cards_play",
    "cards_transfer",
    "django_admin_log",
    "django_migrations",
    # But for what has become of it.
    "fortunes_amendment",
    "fortunes_auditentry",
    "fortunes_broadcast",
    "fortunes_compensation",
    "fortunes_event",
    "fortunes_exclusion",
    "fortunes_rulebook",
    "redpackets_ledgerentry",
    "redpackets_payout",
}
# Money is guarded by a trigger as well, so that not even the owner changes it by mistake.
SEALED = {"redpackets_ledgerentry", "redpackets_payout"}


@dataclass(frozen=True)
class Carried:
    """Columns with a foreign key, and the columns of each index besides the primary key."""

    foreign: set[str] = field(default_factory=set)
    unique: set[str] = field(default_factory=set)
    indexes: set[str] = field(default_factory=set)


# The tables that get rows while a season is live. Each foreign key and each index is paid for with every row.
BUSY = {
    "cards_addressee": Carried(
        foreign={"trade_id"}, unique={"trade_id,player_id"}, indexes={"player_id,campaign_id,trade_id"}
    ),
    "cards_conversion": Carried(
        foreign={"aftermath_id", "player_id"},
        unique={"public_id", "aftermath_id,kind,player_id"},
        indexes={"player_id,campaign_id,id", "id"},
    ),
    "cards_linkopen": Carried(indexes={"link_id"}),
    "cards_play": Carried(foreign={"player_id"}, unique={"public_id"}, indexes={"player_id,campaign_id,type,at"}),
    "cards_sharelink": Carried(
        foreign={"player_id", "trade_id"}, unique={"code"}, indexes={"player_id,campaign_id,created_at"}
    ),
    "accounts_lockout": Carried(indexes={"ends_at"}),
    "accounts_message": Carried(unique={"public_id"}, indexes={"next_try_at", "number_hash", "created_at"}),
    "accounts_phone": Carried(foreign={"player_id"}, unique={"number_hash"}),
    "accounts_phonecode": Carried(unique={"number_hash"}, indexes={"asked_at"}),
    "accounts_push": Carried(unique={"public_id"}, indexes={"host,next_try_at", "created_at"}),
    "accounts_refreshfamily": Carried(foreign={"player_id"}, unique={"public_id"}, indexes={"player_id", "expires_at"}),
    "cards_draw": Carried(
        foreign={"player_id"},
        unique={"campaign_id,source,nonce", "player_id,campaign_id,key", "campaign_id,kind,serial"},
    ),
    "cards_drawcount": Carried(unique={"campaign_id,minute,source,kind"}),
    "cards_drawtotal": Carried(unique={"campaign_id,source,kind"}),
    "cards_hand": Carried(foreign={"player_id"}, unique={"campaign_id,player_id"}, indexes={"player_id"}),
    "cards_invitationcredit": Carried(unique={"campaign_id,invited_id"}, indexes={"due_at"}),
    "cards_stock": Carried(unique={"campaign_id,kind,serial"}),
    "cards_trade": Carried(
        foreign={"proposer_id"},
        unique={"public_id"},
        indexes={
            "campaign_id",
            "proposer_id,campaign_id,id",
            "recipient_id,campaign_id,id",
            "proposer_id,campaign_id",
            "campaign_id,expires_at",
            "proposer_id,campaign_id,created_at",
        },
    ),
    "cards_tradenote": Carried(foreign={"player_id", "trade_id"}, indexes={"player_id"}),
    "cards_transfer": Carried(
        foreign={"giver_id", "trade_id"},
        unique={"trade_id,position", "play_id,position", "conversion_id,position"},
        indexes={"campaign_id", "giver_id,campaign_id,id", "receiver_id,campaign_id,id"},
    ),
    "fortunes_ballot": Carried(foreign={"player_id"}, unique={"player_id,proposal_id"}, indexes={"proposal_id,leaf"}),
    "fortunes_ballotcount": Carried(),
    "fortunes_comment": Carried(
        foreign={"answers_id", "hidden_by_id", "player_id", "proposal_id"},
        unique={"public_id"},
        indexes={"proposal_id,id", "player_id,at"},
    ),
    "fortunes_event": Carried(unique={"player_id,seq"}),
    "fortunes_feed": Carried(foreign={"player_id"}),
    "fortunes_idempotencykey": Carried(unique={"player_id,route,key"}, indexes={"at"}),
    "fortunes_membership": Carried(foreign={"player_id"}, unique={"player_id,campaign_id"}, indexes={"campaign_id"}),
    "fortunes_pushdue": Carried(indexes={"due_at"}),
    "redpackets_ledgerentry": Carried(
        unique={"business_key"},
        indexes={"destination_owner,id", "source_owner,id", "destination_owner"},
    ),
    "redpackets_payout": Carried(),
    "redpackets_wallet": Carried(),
}

FOREIGN_KEYS = """
SELECT t.relname, a.attname
  FROM pg_constraint c
  JOIN pg_class t ON t.oid = c.conrelid
  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
 WHERE c.contype = 'f' AND t.relnamespace = 'public'::regnamespace
"""
# An expression has no column of its own and is shown as it is; a condition is part of what makes indexes differ.
INDEXES = """
SELECT t.relname, i.indisprimary, i.indisunique,
       (SELECT string_agg(pg_get_indexdef(i.indexrelid, n, true), ',' ORDER BY n)
          FROM generate_series(1, i.indnkeyatts) n),
       coalesce(pg_get_expr(i.indpred, i.indrelid), '')
  FROM pg_index i
  JOIN pg_class t ON t.oid = i.indrelid
 WHERE t.relnamespace = 'public'::regnamespace
"""


def our_tables() -> set[str]:
    models = [model for app in tree.APPS for model in apps.get_app_config(app).get_models() if model._meta.managed]
    return {model._meta.db_table for model in models}


class TestAppendOnly:
    @pytest.mark.parametrize("table", sorted(APPEND_ONLY))
    @pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
    def test_application_is_refused(self, db: None, table: str, verb: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [table])
            (column,) = cursor.fetchone()
            statement = {
                "UPDATE": f"UPDATE {table} SET {column} = {column}",
                "DELETE": f"DELETE FROM {table}",
                "TRUNCATE": f"TRUNCATE {table}",
            }[verb]
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                cursor.execute(statement)

    def test_application_records_no_migration(self, db: None) -> None:
        record = "INSERT INTO django_migrations (app, name, applied) VALUES ('cards', '9999', fortunes_clock())"
        with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied"):
            cursor.execute(record)

    def test_no_other_table_is_closed_by_mistake(self, db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
                "AND NOT has_table_privilege(%s, oid, 'UPDATE')",
                [APP],
            )
            # An option's count alone is written; see tests/votes/test_kept.py.
            assert {name for (name,) in cursor.fetchall()} == APPEND_ONLY | {"fortunes_option"}

    def test_application_truncates_nothing(self, db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace "
                "AND has_table_privilege(%s, oid, 'TRUNCATE')",
                [APP],
            )
            assert cursor.fetchall() == []

    @pytest.mark.parametrize("table", sorted(SEALED))
    @pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET amount_fen = 1"])
    def test_owner_is_refused_too(self, owner_connection: psycopg.Connection, table: str, statement: str) -> None:
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner_connection.execute(statement.format(table).encode())


class TestIndexes:
    @pytest.mark.parametrize("table", BUSY)
    def test_busy_table_carries_what_it_needs(self, db: None, table: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(FOREIGN_KEYS)
            foreign = {column for name, column in cursor.fetchall() if name == table}
            cursor.execute(INDEXES)
            rows = [row for row in cursor.fetchall() if row[0] == table and not row[1]]
        unique = {columns.replace('"', "") for _, _, is_unique, columns, _ in rows if is_unique}
        indexes = {columns.replace('"', "") for _, _, is_unique, columns, _ in rows if not is_unique}
        assert Carried(foreign, unique, indexes) == BUSY[table]

    def test_no_index_repeats_the_beginning_of_another(self, db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(INDEXES)
            rows = [row for row in cursor.fetchall() if row[0] in our_tables()]
        useless = {
            f"{table} ({columns})"
            for table, primary, unique, columns, condition in rows
            for other_table, _, _, other, other_condition in rows
            if table == other_table and not (primary or unique) and condition == other_condition
            if other.startswith(f"{columns},")
        }
        assert not useless
