from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    # An index on a table that is in use is made beside it, which no transaction can hold.
    atomic = False
    dependencies = [("cards", "0003_sources")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddConstraint(
                    model_name="source",
                    constraint=models.UniqueConstraint(
                        fields=["campaign", "type"], condition=~Q(type="code"), name="source_type_once"
                    ),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS source_type_once "
                    "ON cards_source (campaign_id, type) WHERE NOT (type = 'code')",
                    "DROP INDEX CONCURRENTLY source_type_once",
                ),
            ],
        ),
    ]
