from django.db import migrations

from fortunes import sql

SCAN = (
    "cards_scan(bigint, integer, bigint[], text[], bytea[], smallint[], bytea[], timestamptz[], "
    "smallint[], smallint[], smallint[], smallint[], boolean[])"
)
GIVE = (
    "cards_give(bigint, integer, smallint[], bigint, bigint, smallint[], text, text, bytea, uuid, text, jsonb, jsonb)"
)


class Migration(migrations.Migration):
    dependencies = [
        ("cards", "0001_initial"),
        ("accounts", "0002_functions"),
        ("fortunes", "0003_functions"),
    ]
    operations = [
        sql.install_function("cards", "scan", SCAN),
        sql.install_function("cards", "lock_hand", "cards_lock_hand(bigint, bigint)"),
        sql.install_function("cards", "shifted", "cards_shifted(smallint[], smallint[], integer)"),
        sql.install_function("cards", "complete", "cards_complete(smallint[], smallint[], smallint[])"),
        sql.install_function("cards", "give", GIVE),
        sql.append_only("cards_draw"),
        sql.append_only("cards_transfer"),
        # Hands are updated in place all day: leave room for it on their page.
        migrations.RunSQL("ALTER TABLE cards_hand SET (fillfactor = 70)", "ALTER TABLE cards_hand RESET (fillfactor)"),
    ]
