import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import fortunes.models

Q = models.Q


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_people_validated"),
        ("fortunes", "0006_pushes"),
    ]

    operations = [
        migrations.CreateModel(
            name="NotificationSettings",
            fields=[
                (
                    "player",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("enabled", models.BooleanField(verbose_name="told at all")),
                (
                    "muted",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        size=None,
                        verbose_name="types of events that aren't told",
                    ),
                ),
                ("quiet_from", models.TimeField(null=True, verbose_name="quiet from")),
                ("quiet_to", models.TimeField(null=True, verbose_name="quiet until")),
                ("tz", models.CharField(max_length=64, verbose_name="time zone")),
            ],
            options={
                "verbose_name": "notification settings",
                "verbose_name_plural": "notification settings",
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(quiet_from=None, quiet_to=None)
                        | Q(quiet_from__isnull=False, quiet_to__isnull=False) & ~Q(quiet_from=models.F("quiet_to")),
                        name="quiet_hours_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PushHost",
            fields=[
                (
                    "host",
                    models.CharField(max_length=32, primary_key=True, serialize=False, verbose_name="host app"),
                ),
                ("failures", models.SmallIntegerField(db_default=0, verbose_name="failures in a row")),
                (
                    "rests_until",
                    models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="left alone until"),
                ),
                ("failing_since", models.DateTimeField(null=True, verbose_name="failing since")),
                ("last_error", models.CharField(db_default="", max_length=200, verbose_name="last error")),
            ],
            options={"verbose_name": "push service", "verbose_name_plural": "push services"},
        ),
        migrations.CreateModel(
            name="Push",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("host", models.CharField(max_length=32, verbose_name="host app")),
                ("after", models.BigIntegerField()),
                ("upto", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("sent", "sent"),
                            ("dropped", "not wanted any more"),
                            ("expired", "too late"),
                            ("given-up", "given up"),
                        ],
                        db_default="waiting",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.SmallIntegerField(db_default=0, verbose_name="attempts")),
                (
                    "next_try_at",
                    models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="next try"),
                ),
                ("last_error", models.CharField(db_default="", max_length=200, verbose_name="last error")),
                (
                    "created_at",
                    models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="written"),
                ),
                ("expires_at", models.DateTimeField(verbose_name="worthless from")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent")),
                (
                    "player",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "push",
                "verbose_name_plural": "pushes",
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(state__in=["waiting", "sent", "dropped", "expired", "given-up"]),
                        name="push_state",
                    ),
                    models.CheckConstraint(condition=Q(upto__gt=models.F("after")), name="push_has_events"),
                ],
                "indexes": [
                    models.Index(condition=Q(state="waiting"), fields=["host", "next_try_at"], name="push_waiting"),
                    models.Index(fields=["created_at"], name="push_age"),
                ],
            },
        ),
    ]
