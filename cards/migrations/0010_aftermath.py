import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import fortunes.models
from fortunes import sql

Q = models.Q

FORMER = """
ALTER TABLE cards_transfer ADD CONSTRAINT transfer_by_trade_or_play CHECK (
    (trade_id IS NOT NULL AND play_id IS NULL AND giver_id IS NOT NULL AND receiver_id IS NOT NULL)
    OR (trade_id IS NULL AND play_id IS NOT NULL AND (giver_id IS NOT NULL OR receiver_id IS NOT NULL))
) NOT VALID
"""


def identity():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def refers(to, **options):
    return models.ForeignKey(
        db_index=False, on_delete=models.deletion.PROTECT, to=to, **{"related_name": "+", **options}
    )


class Migration(migrations.Migration):
    dependencies = [
        ("cards", "0009_scan_v3"),
        ("fortunes", "0007_votes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Aftermath",
            fields=[
                ("id", identity()),
                ("version", models.PositiveIntegerField(verbose_name="rulebook")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("void", "closing open trades"),
                            ("convert", "converting cards"),
                            ("complete", "looking for complete sets"),
                            ("done", "done"),
                        ],
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("last_player", models.BigIntegerField(db_default=0, verbose_name="done up to player")),
                ("made_at", models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="begun")),
                ("done_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("campaign", refers("fortunes.campaign")),
            ],
            options={
                "verbose_name": "aftermath of a change of the rules",
                "verbose_name_plural": "aftermaths of changes of the rules",
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "version"), name="aftermath_once"),
                    models.CheckConstraint(
                        condition=Q(state="done", done_at__isnull=False) | (~Q(state="done") & Q(done_at=None)),
                        name="aftermath_done_at_its_end",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Conversion",
            fields=[
                ("id", identity()),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("kind", models.PositiveSmallIntegerField(verbose_name="kind")),
                ("cards", models.PositiveSmallIntegerField(verbose_name="cards")),
                (
                    "into",
                    ArrayField(base_field=models.PositiveSmallIntegerField(), size=None, verbose_name="became"),
                ),
                ("fen", models.BigIntegerField(db_default=0, verbose_name="amount (fen)")),
                ("by_chance", models.BooleanField(db_default=False, verbose_name="by chance")),
                ("paid_at", models.DateTimeField(null=True, verbose_name="paid")),
                ("at", models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="at")),
                ("aftermath", refers("cards.aftermath", related_name="conversions")),
                ("campaign", refers("fortunes.campaign", db_constraint=False)),
                ("player", refers(settings.AUTH_USER_MODEL)),
            ],
            options={
                "verbose_name": "conversion of cards",
                "verbose_name_plural": "conversions of cards",
                "indexes": [
                    models.Index(fields=["player", "campaign", "id"], name="conversion_of_player"),
                    models.Index(fields=["id"], condition=Q(fen__gt=0, paid_at=None), name="conversion_unpaid"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("aftermath", "kind", "player"), name="conversion_once"),
                    models.CheckConstraint(
                        condition=Q(cards__gt=0)
                        & (
                            Q(into__len=models.F("cards"), fen=0, paid_at=None)
                            | Q(into__len=0, fen__gt=0, by_chance=False)
                        ),
                        name="conversion_into_cards_or_money",
                    ),
                ],
            },
        ),
        # What is paid in money is marked so; for the rest it is append-only.
        sql.append_only("cards_conversion"),
        migrations.RunSQL(
            "GRANT UPDATE (paid_at) ON cards_conversion TO fortunes_app",
            "REVOKE UPDATE (paid_at) ON cards_conversion FROM fortunes_app",
        ),
        migrations.AlterField(
            "trade",
            "state",
            models.CharField(
                choices=[
                    ("open", "open"),
                    ("accepted", "accepted"),
                    ("declined", "declined"),
                    ("cancelled", "cancelled"),
                    ("expired", "expired"),
                    ("voided", "made void by a change of the rules"),
                ],
                max_length=9,
                verbose_name="state",
            ),
        ),
        migrations.AddField(
            "transfer",
            "conversion",
            refers("cards.conversion", db_constraint=False, null=True, related_name="transfers"),
        ),
        # Not validated here: that would read the whole table while nobody can write to it.
        AddConstraintNotValid(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=Q(
                    trade__isnull=False, play=None, conversion=None, giver__isnull=False, receiver__isnull=False
                )
                | (
                    (
                        Q(trade=None, play__isnull=False, conversion=None)
                        | Q(trade=None, play=None, conversion__isnull=False)
                    )
                    & (Q(giver__isnull=False) | Q(receiver__isnull=False))
                ),
                name="transfer_has_one_cause",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "-- squawk-ignore ban-drop-constraint\n"
                    "ALTER TABLE cards_transfer DROP CONSTRAINT transfer_by_trade_or_play",
                    FORMER,
                )
            ],
            state_operations=[migrations.RemoveConstraint(model_name="transfer", name="transfer_by_trade_or_play")],
        ),
    ]
