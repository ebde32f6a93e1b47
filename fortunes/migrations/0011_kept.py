from django.db import migrations

from fortunes import sql


class Migration(migrations.Migration):
    """What was put to the vote, and what was announced, is kept by the database too."""

    dependencies = [("fortunes", "0010_validated")]
    operations = [
        sql.install_function("fortunes", "keep_options", "fortunes_keep_options()"),
        migrations.RunSQL(
            "CREATE TRIGGER keep BEFORE DELETE ON fortunes_option "
            "FOR EACH ROW EXECUTE FUNCTION fortunes_keep_options()",
            "DROP TRIGGER keep ON fortunes_option",
        ),
        sql.only_update("fortunes_option", "ballots"),
        sql.append_only("fortunes_amendment"),
        sql.only_update("fortunes_amendment", "applied_at", "struck_at", "struck_by_id", "impossible"),
    ]
