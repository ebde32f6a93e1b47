import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import fortunes.models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_family_expiry")]
    operations = [
        migrations.CreateModel(
            name="Ban",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("fraud", "fraud"),
                            ("abuse", "abuse of others"),
                            ("farm", "several accounts of one person"),
                            ("request", "at the player's own wish"),
                        ],
                        max_length=8,
                        verbose_name="reason",
                    ),
                ),
                ("at", models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="at")),
                ("lifted_at", models.DateTimeField(null=True, verbose_name="lifted")),
                (
                    "player",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "lifted_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="lifted by",
                    ),
                ),
            ],
            options={
                "verbose_name": "ban",
                "verbose_name_plural": "bans",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)), fields=("player",), name="ban_in_force_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason__in", ["fraud", "abuse", "farm", "request"])), name="ban_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lifted_at", None), ("lifted_by", None)),
                            models.Q(("lifted_at__isnull", False), ("lifted_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="ban_lifted_by_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Lockout",
            fields=[
                ("subject", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ("tries", models.SmallIntegerField()),
                ("ends_at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["ends_at"], name="lockout_end")]},
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("number_hash", models.BinaryField(max_length=32)),
                ("sealed", models.BinaryField(null=True)),
                ("seal_key_id", models.CharField(max_length=32)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("sent", "sent"),
                            ("replaced", "replaced by a newer one"),
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
                ("created_at", models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="written")),
                ("expires_at", models.DateTimeField(verbose_name="worthless from")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent")),
            ],
            options={
                "verbose_name": "text message",
                "verbose_name_plural": "text messages",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")), fields=["next_try_at"], name="message_waiting"
                    ),
                    models.Index(fields=["number_hash"], name="message_number"),
                    models.Index(fields=["created_at"], name="message_age"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "sent", "replaced", "expired", "given-up"])),
                        name="message_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "given-up"]), ("sealed__isnull", True), _connector="OR"
                        ),
                        name="message_erased",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Phone",
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
                ("number_hash", models.BinaryField(max_length=32, unique=True)),
                ("hash_key_id", models.CharField(max_length=32)),
                ("sealed", models.BinaryField()),
                ("seal_key_id", models.CharField(max_length=32)),
                (
                    "verified_at",
                    models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="verified"),
                ),
            ],
            options={"verbose_name": "phone", "verbose_name_plural": "phones"},
        ),
        migrations.CreateModel(
            name="PhoneCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number_hash", models.BinaryField(max_length=32, unique=True)),
                ("code_hash", models.BinaryField(max_length=32)),
                ("key_id", models.CharField(max_length=32)),
                ("asked_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("tries", models.SmallIntegerField(db_default=0)),
                ("day_began_at", models.DateTimeField()),
                ("asked_today", models.SmallIntegerField(db_default=1)),
            ],
            options={"indexes": [models.Index(fields=["asked_at"], name="phone_code_asked")]},
        ),
        migrations.AlterModelOptions(
            name="player",
            options={
                "permissions": [
                    ("ban_player", "Can shut players out and let them in again"),
                    ("support_player", "Can look players up and help them"),
                ],
                "verbose_name": "player",
                "verbose_name_plural": "players",
            },
        ),
    ]
