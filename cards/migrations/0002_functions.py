from django.db import migrations

from fortunes import sql

SCAN = (
    "cards_scan(bigint, integer, bigint[], text[], bytea[], smallint[], bytea[], timestamptz[], smallint[], smallint[], "
    "smallint[], smallint[], boolean[])"
)


class Migration(migrations.Migration):
    dependencies = [("cards", "0001_initial"), ("fortunes", "0003_functions")]
    operations = [
        sql.install_function("cards", "scan", SCAN),
        sql.append_only("cards_draw"),
        sql.append_only("cards_transfer"),
        # Hands are updated in place all day: leave room for it on their page.
        migrations.RunSQL("ALTER TABLE cards_hand SET (fillfactor = 70)", "ALTER TABLE cards_hand RESET (fillfactor)"),
    ]
