from django.db import migrations

from fortunes import sql

WINNERS = "redpackets_winners(bigint, bigint, bigint, smallint[], timestamptz)"


def sealed_table(table: str) -> migrations.RunSQL:
    """Rows of `table` are never changed or deleted, not even by its owner."""
    return migrations.RunSQL(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION redpackets_refuse_change()",
        f"DROP TRIGGER append_only ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [("redpackets", "0001_initial"), ("cards", "0002_functions"), ("fortunes", "0003_functions")]
    operations = [
        sql.install_function("redpackets", "winners", WINNERS),
        sql.install_function("redpackets", "refuse_change", "redpackets_refuse_change()"),
        sql.append_only("redpackets_ledgerentry"),
        sql.append_only("redpackets_payout"),
        sealed_table("redpackets_ledgerentry"),
        sealed_table("redpackets_payout"),
        migrations.RunSQL(sql.text("redpackets", "packet_view"), "DROP VIEW redpackets_packet"),
    ]
