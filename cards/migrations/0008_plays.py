from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

from fortunes import sql

Q = models.Q

JUDGE_STEAL = (
    "cards_judge_steal(bigint, bigint, bigint, cards_hand, timestamptz, date, jsonb, integer, smallint, smallint[], "
    "integer, numeric)"
)
PLAY = (
    "cards_play(bigint, integer, smallint[], smallint, jsonb, integer, text, boolean, smallint, bigint, uuid, "
    "smallint, smallint[], text[], integer, numeric, text, text, bytea, uuid, text[], jsonb[])"
)

# No release has written to this table yet, so there is nothing to be looked through.
NUMBERED = """
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE cards_play ADD CONSTRAINT play_steals_are_numbered CHECK (
    (type = 'steal' AND number > 0 AND number IS NOT NULL) OR (type <> 'steal' AND number IS NULL AND among IS NULL)
)
"""


class Migration(migrations.Migration):
    dependencies = [("cards", "0007_trade_functions")]
    operations = [
        migrations.AddField(
            "play", "number", models.PositiveIntegerField(null=True, verbose_name="number of the steal")
        ),
        migrations.AddField(
            "play",
            "among",
            ArrayField(
                base_field=models.PositiveSmallIntegerField(),
                null=True,
                size=None,
                verbose_name="chosen by chance from",
            ),
        ),
        migrations.RunSQL(
            NUMBERED,
            "ALTER TABLE cards_play DROP CONSTRAINT play_steals_are_numbered",
            state_operations=[
                migrations.AddConstraint(
                    model_name="play",
                    constraint=models.CheckConstraint(
                        name="play_steals_are_numbered",
                        condition=Q(type="steal", number__gt=0) | (~Q(type="steal") & Q(number=None, among=None)),
                    ),
                )
            ],
        ),
        sql.append_only("cards_play"),
        sql.install_function("cards", "judge_steal", JUDGE_STEAL),
        sql.install_function("cards", "play", PLAY),
    ]
