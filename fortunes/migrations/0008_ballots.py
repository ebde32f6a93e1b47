from django.db import migrations

from fortunes import sql


class Migration(migrations.Migration):
    dependencies = [("fortunes", "0007_votes")]
    operations = [
        sql.install_function(
            "fortunes",
            "cast",
            "fortunes_cast(bigint, text, bigint[], text[], bytea[], uuid[], smallint[], bytea[], bytea[])",
        ),
        # A ballot may be changed by its player; that one was cast never comes undone.
        migrations.RunSQL(
            "REVOKE DELETE, TRUNCATE ON fortunes_ballot, fortunes_ballotcount FROM fortunes_app",
            "GRANT DELETE ON fortunes_ballot, fortunes_ballotcount TO fortunes_app",
        ),
        # Few rows that change with every ballot: room on each page lets a new version lie beside the old one.
        migrations.RunSQL(
            "ALTER TABLE fortunes_ballotcount SET (fillfactor = 20)",
            "ALTER TABLE fortunes_ballotcount RESET (fillfactor)",
        ),
    ]
