from django.db import migrations, models

NAME = "refresh_family_expiry"


class Migration(migrations.Migration):
    # Sign-ins go on while the index is made.
    atomic = False
    dependencies = [("accounts", "0003_append_only")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                # What an interrupted run leaves behind is no index yet.
                migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}", migrations.RunSQL.noop),
                migrations.RunSQL(
                    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {NAME} ON accounts_refreshfamily (expires_at)",
                    f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}",
                ),
            ],
            state_operations=[
                migrations.AddIndex(model_name="refreshfamily", index=models.Index(fields=["expires_at"], name=NAME)),
            ],
        ),
    ]
