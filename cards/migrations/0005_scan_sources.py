from django.db import migrations

from fortunes import sql

BEFORE = (
    "cards_scan(bigint, integer, bigint[], text[], bytea[], smallint[], bytea[], timestamptz[], "
    "smallint[], smallint[], smallint[], smallint[], boolean[])"
)
AFTER = (
    "cards_scan(bigint, integer, bigint[], text[], bytea[], smallint[], bytea[], timestamptz[], integer[], date[], "
    "smallint[], smallint[], smallint[], smallint[], boolean[])"
)


class Migration(migrations.Migration):
    dependencies = [("cards", "0004_one_source_a_type")]
    operations = [
        # Not kept beside the new one: it would let a revoked code pass. No release has called it.
        migrations.RunSQL(
            [f"-- squawk-ignore ban-drop-function\nDROP FUNCTION {BEFORE}"], sql.text("cards", "functions/scan")
        ),
        sql.install_function("cards", "scan_v2", AFTER),
    ]
