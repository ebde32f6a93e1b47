from django.db import migrations, models

NAME = "transfer_of_conversion_once"


class Migration(migrations.Migration):
    """The index of the migration before, made while trades go on."""

    atomic = False
    dependencies = [("cards", "0010_aftermath")]
    operations = [
        # What an interrupted run leaves behind is no index yet.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}", migrations.RunSQL.noop),
                migrations.RunSQL(
                    f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {NAME} "
                    "ON cards_transfer (conversion_id, position) WHERE conversion_id IS NOT NULL",
                    f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}",
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    "transfer",
                    models.UniqueConstraint(
                        fields=["conversion", "position"], condition=models.Q(conversion__isnull=False), name=NAME
                    ),
                )
            ],
        ),
    ]
