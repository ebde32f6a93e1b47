from django.db import migrations

from fortunes import sql


class Migration(migrations.Migration):
    dependencies = [("fortunes", "0002_initial")]
    operations = [
        sql.install_function("fortunes", "gate_lock", "fortunes_gate_lock(bigint)"),
        sql.install_function("fortunes", "gate_look", "fortunes_gate_look(bigint)"),
        sql.install_function("fortunes", "append_events", "fortunes_append_events(bigint, bigint[], text[], jsonb[])"),
        sql.install_function("fortunes", "append_broadcast", "fortunes_append_broadcast(bigint, text, jsonb)"),
        sql.install_function("fortunes", "stamp_exclusion", "fortunes_stamp_exclusion()"),
        migrations.RunSQL(
            "CREATE TRIGGER stamp BEFORE INSERT ON fortunes_exclusion "
            "FOR EACH ROW EXECUTE FUNCTION fortunes_stamp_exclusion()",
            "DROP TRIGGER stamp ON fortunes_exclusion",
        ),
        sql.append_only("fortunes_rulebook"),
        sql.append_only("fortunes_exclusion"),
        sql.append_only("fortunes_event"),
        sql.append_only("fortunes_broadcast"),
        # Rows that are updated in place all day leave room for it on their page.
        migrations.RunSQL(
            "ALTER TABLE fortunes_feed SET (fillfactor = 70)", "ALTER TABLE fortunes_feed RESET (fillfactor)"
        ),
    ]
