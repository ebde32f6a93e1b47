import uuid

from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import fortunes.models
from cards.models.trades import TradeFits
from fortunes import sql

# What a trade could be before: a direct gift.
FORMER = {
    "trade_type_matches_cards": "type = 'gift' AND cardinality(gives) > 0 AND cardinality(takes) = 0",
    "trade_closed_or_open": "(state = 'open') = (closed_at IS NULL)",
}


def player(**options):
    return models.ForeignKey(
        on_delete=models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        **{"db_index": False, **options},
    )


def campaign():
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=models.deletion.PROTECT, related_name="+", to="fortunes.campaign"
    )


def one_a_trade(name):
    return models.OneToOneField(
        on_delete=models.deletion.PROTECT, primary_key=True, related_name=name, serialize=False, to="cards.trade"
    )


def drop_check(name):
    """One that says it of all trades follows in the same transaction."""
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                f"-- squawk-ignore ban-drop-constraint\nALTER TABLE cards_trade DROP CONSTRAINT {name}",
                f"ALTER TABLE cards_trade ADD CONSTRAINT {name} CHECK ({FORMER[name]}) NOT VALID",
            )
        ],
        state_operations=[migrations.RemoveConstraint(model_name="trade", name=name)],
    )


def check(model, name, condition):
    """Not validated here: that would read the whole table while nobody can write to it."""
    return AddConstraintNotValid(model_name=model, constraint=models.CheckConstraint(condition=condition, name=name))


def may_be_null(name, field):
    """Django would also drop the foreign key and make it anew, which reads the whole table."""
    column = f"ALTER TABLE cards_transfer ALTER COLUMN {name}_id"
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                f"-- squawk-ignore ban-drop-not-null\n{column} DROP NOT NULL",
                f"-- squawk-ignore adding-not-nullable-field\n{column} SET NOT NULL",
            )
        ],
        state_operations=[migrations.AlterField("transfer", name, field)],
    )


Q = models.Q


class Migration(migrations.Migration):
    dependencies = [
        ("cards", "0005_scan_sources"),
        ("fortunes", "0005_jobs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField("hand", "completed_at", models.DateTimeField(null=True, verbose_name="complete since")),
        migrations.AddField("hand", "fed_day", models.DateField(null=True, verbose_name="day of gifts")),
        migrations.AddField(
            "hand", "fed_today", models.SmallIntegerField(db_default=0, verbose_name="cards given to them that day")
        ),
        migrations.AddField("hand", "robbed_at", models.DateTimeField(null=True, verbose_name="robbed")),
        migrations.AddField(
            "trade",
            "audience",
            models.CharField(
                choices=[("one", "one friend"), ("some", "several friends"), ("link", "whoever has the link")],
                db_default="one",
                max_length=4,
                verbose_name="audience",
            ),
        ),
        migrations.AddField("trade", "expires_at", models.DateTimeField(null=True, verbose_name="open until")),
        migrations.AlterField(
            "trade",
            "type",
            models.CharField(
                choices=[("gift", "gift"), ("request", "request"), ("swap", "swap")], max_length=8, verbose_name="type"
            ),
        ),
        drop_check("trade_type_matches_cards"),
        drop_check("trade_closed_or_open"),
        sql.install_function(
            "cards",
            "trade_fits",
            "cards_trade_fits(text, text, text, bigint, smallint[], smallint[], timestamptz, timestamptz)",
        ),
        check(
            "trade",
            "trade_fits",
            TradeFits("type", "state", "audience", "recipient", "gives", "takes", "expires_at", "closed_at"),
        ),
        migrations.CreateModel(
            name="Addressee",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("declined_at", models.DateTimeField(null=True, verbose_name="declined")),
                ("campaign", campaign()),
                ("player", player(db_constraint=False)),
                (
                    "trade",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.deletion.PROTECT,
                        related_name="addressees",
                        to="cards.trade",
                    ),
                ),
            ],
            options={
                "verbose_name": "addressee",
                "verbose_name_plural": "addressees",
                "indexes": [models.Index(fields=["player", "campaign", "trade"], name="addressee_of_player")],
                "constraints": [models.UniqueConstraint(fields=("trade", "player"), name="addressee_once")],
            },
        ),
        migrations.CreateModel(
            name="TradeNote",
            fields=[
                ("trade", one_a_trade("note")),
                ("text", models.CharField(max_length=140, verbose_name="note")),
                ("player", player(db_index=True)),
            ],
            options={"verbose_name": "note", "verbose_name_plural": "notes"},
        ),
        migrations.CreateModel(
            name="ShareLink",
            fields=[
                ("trade", one_a_trade("link")),
                ("code", models.CharField(max_length=16, verbose_name="code")),
                ("channel", models.CharField(max_length=32, verbose_name="channel")),
                ("opens", models.BigIntegerField(db_default=0, verbose_name="opened")),
                ("created_at", models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="created")),
                ("campaign", campaign()),
                ("player", player()),
            ],
            options={
                "verbose_name": "link",
                "verbose_name_plural": "links",
                "indexes": [models.Index(fields=["player", "campaign", "created_at"], name="link_of_player")],
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="link_code_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Play",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "type",
                    models.CharField(
                        choices=[("steal", "steal"), ("wild", "wild"), ("copy", "copy")],
                        max_length=8,
                        verbose_name="type",
                    ),
                ),
                ("kind", models.PositiveSmallIntegerField(verbose_name="kind")),
                ("rulebook_version", models.PositiveIntegerField(verbose_name="rulebook")),
                ("at", models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="at")),
                ("campaign", campaign()),
                ("player", player()),
                ("friend", player(db_constraint=False, null=True)),
            ],
            options={
                "verbose_name": "play of a special card",
                "verbose_name_plural": "plays of special cards",
                "indexes": [models.Index(fields=["player", "campaign", "type", "at"], name="play_of_player")],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(type="wild", friend=None) | Q(type__in=["steal", "copy"], friend__isnull=False),
                        name="play_has_its_friend",
                    ),
                    models.CheckConstraint(
                        condition=Q(friend=None) | ~Q(friend=models.F("player")), name="play_not_on_oneself"
                    ),
                ],
            },
        ),
        may_be_null("giver", player(null=True)),
        may_be_null(
            "trade",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="transfers",
                to="cards.trade",
            ),
        ),
        migrations.AddField(
            "transfer",
            "play",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="transfers",
                to="cards.play",
            ),
        ),
        check(
            "transfer",
            "transfer_by_trade_or_play",
            Q(trade__isnull=False, play=None, giver__isnull=False, receiver__isnull=False)
            | (Q(trade=None, play__isnull=False) & (Q(giver__isnull=False) | Q(receiver__isnull=False))),
        ),
        sql.install_function("cards", "is_complete", "cards_is_complete(smallint[], smallint[], smallint[], smallint)"),
    ]
