from django.db import migrations

from fortunes import sql

BEFORE = (
    "cards_scan(bigint, integer, bigint[], text[], bytea[], smallint[], bytea[], timestamptz[], integer[], date[], "
    "smallint[], smallint[], smallint[], smallint[], boolean[])"
)
AFTER = (
    "cards_scan(bigint, integer, bigint[], text[], bytea[], smallint[], bytea[], timestamptz[], integer[], date[], "
    "smallint[], smallint[], smallint[], smallint[], boolean[], smallint[], smallint)"
)


class Migration(migrations.Migration):
    dependencies = [("cards", "0008_plays")]
    operations = [
        # Not kept beside the new one: it would leave a hand that it completes without the date.
        migrations.RunSQL(
            [f"-- squawk-ignore ban-drop-function\nDROP FUNCTION {BEFORE}"], sql.text("cards", "functions/scan_v2")
        ),
        sql.install_function("cards", "scan_v3", AFTER),
    ]
