import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import fortunes.models


def player(verbose_name=None, *, null=False):
    named = {"verbose_name": verbose_name} if verbose_name else {}
    return models.ForeignKey(
        null=null,
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        **named,
    )


def campaign(verbose_name=None):
    named = {"verbose_name": verbose_name} if verbose_name else {}
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="fortunes.campaign",
        **named,
    )


def identity():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    dependencies = [
        ("cards", "0002_functions"),
        ("fortunes", "0004_audit"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AlterModelOptions(
            name="hand",
            options={
                "permissions": [("compensate_player", "Can give a player an extra draw")],
                "verbose_name": "hand",
                "verbose_name_plural": "hands",
            },
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="source",
                    name="type",
                    field=models.CharField(
                        choices=[
                            ("code", "signed code"),
                            ("check-in", "daily check-in"),
                            ("invitation", "invitation"),
                            ("support", "support"),
                        ],
                        default="code",
                        max_length=16,
                        verbose_name="type",
                    ),
                ),
            ],
            # A longer varchar rewrites nothing and is compatible with whoever writes the shorter ones.
            database_operations=[
                migrations.RunSQL(
                    ["-- squawk-ignore changing-column-type\nALTER TABLE cards_source ALTER type TYPE varchar(16)"],
                    ["ALTER TABLE cards_source ALTER type TYPE varchar(8)"],
                ),
            ],
        ),
        migrations.CreateModel(
            name="CodeBatch",
            fields=[
                ("id", identity()),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                ("source", models.PositiveSmallIntegerField(verbose_name="source")),
                ("count", models.BigIntegerField(verbose_name="codes")),
                ("expires_at", models.DateTimeField(verbose_name="good until")),
                ("printed_at", models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="printed")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="revoked")),
                ("campaign", campaign("campaign")),
                ("printed_by", player("printed by", null=True)),
                ("revoked_by", player("revoked by", null=True)),
            ],
            options={
                "verbose_name": "batch of codes",
                "verbose_name_plural": "batches of codes",
                "permissions": [("revoke_codebatch", "Can revoke a batch of codes")],
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "number"), name="batch_number"),
                    models.CheckConstraint(name="batch_has_codes", condition=Q(count__gt=0, number__gt=0)),
                ],
            },
        ),
        migrations.CreateModel(
            name="DrawReader",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("last_id", models.BigIntegerField(default=0)),
                ("read_at", models.DateTimeField(db_default=fortunes.models.DatabaseNow())),
            ],
        ),
        migrations.CreateModel(
            name="DrawCount",
            fields=[
                ("id", identity()),
                ("minute", models.DateTimeField(verbose_name="minute")),
                ("source", models.PositiveSmallIntegerField(verbose_name="source")),
                ("kind", models.PositiveSmallIntegerField(verbose_name="kind")),
                ("draws", models.BigIntegerField(verbose_name="draws")),
                ("campaign", campaign()),
            ],
            options={
                "verbose_name": "draws in a minute",
                "verbose_name_plural": "draws by minute",
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "minute", "source", "kind"), name="draw_count_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DrawTotal",
            fields=[
                ("id", identity()),
                ("source", models.PositiveSmallIntegerField(verbose_name="source")),
                ("kind", models.PositiveSmallIntegerField(verbose_name="kind")),
                ("draws", models.BigIntegerField(verbose_name="draws")),
                ("campaign", campaign()),
            ],
            options={
                "verbose_name": "draws in all",
                "verbose_name_plural": "draws in all",
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "source", "kind"), name="draw_total_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvitationCredit",
            fields=[
                ("id", identity()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("credited", "credited"),
                            ("refused", "refused, the inviter's quota is used up"),
                            ("closed", "closed by the deadline"),
                        ],
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("scanned_at", models.DateTimeField(verbose_name="first draw")),
                ("due_at", models.DateTimeField(null=True, verbose_name="looked at from")),
                ("draw", models.UUIDField(null=True, verbose_name="draw")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                ("campaign", campaign()),
                ("invited", player()),
                ("inviter", player()),
            ],
            options={
                "verbose_name": "credit for an invitation",
                "verbose_name_plural": "credits for invitations",
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "invited"), name="credit_once"),
                    models.CheckConstraint(name="credit_not_to_oneself", condition=~Q(inviter=F("invited"))),
                    models.CheckConstraint(
                        name="credit_waits_or_is_decided",
                        condition=Q(state="waiting", due_at__isnull=False, decided_at=None, draw=None)
                        | Q(state="credited", due_at=None, decided_at__isnull=False, draw__isnull=False)
                        | Q(state__in=["refused", "closed"], due_at=None, decided_at__isnull=False, draw=None),
                    ),
                ],
                "indexes": [models.Index(fields=["due_at"], condition=Q(state="waiting"), name="credit_waiting")],
            },
        ),
    ]
