from django.db import migrations, models

from fortunes import sql

BEFORE = "redpackets_winners(bigint, bigint, bigint, smallint[], timestamptz)"
AFTER = "redpackets_winners(bigint, bigint, bigint, smallint[], smallint, timestamptz)"


class Migration(migrations.Migration):
    dependencies = [("redpackets", "0004_compensations"), ("cards", "0002_functions")]
    operations = [
        migrations.AddField(
            "settlement",
            "wild_kind",
            models.PositiveSmallIntegerField(null=True, verbose_name="card that stands for missing ones"),
        ),
        # Not kept beside the new one: two that say who wins could disagree. A stage that asks for it meanwhile is tried
        # again.
        migrations.RunSQL(
            [f"-- squawk-ignore ban-drop-function\nDROP FUNCTION {BEFORE}"],
            sql.text("redpackets", "functions/winners"),
        ),
        sql.install_function("redpackets", "winners_v2", AFTER),
    ]
