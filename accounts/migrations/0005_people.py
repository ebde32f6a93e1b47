import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import fortunes.models

DROP = """
-- squawk-ignore ban-drop-constraint
ALTER TABLE accounts_friendship DROP CONSTRAINT friendship_state;
"""
ADD_FORMER = """
ALTER TABLE accounts_friendship ADD CONSTRAINT friendship_state
    CHECK (state IN ('asking', 'asked', 'friends', 'blocked', 'barred'));
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_sign_in")]

    operations = [
        migrations.CreateModel(
            name="FederatedIdentity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("issuer", models.CharField(max_length=32, verbose_name="host app")),
                ("subject", models.CharField(max_length=255, verbose_name="known there as")),
                (
                    "created_at",
                    models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="first signed in"),
                ),
                (
                    "player",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"verbose_name": "federated identity", "verbose_name_plural": "federated identities"},
        ),
        migrations.CreateModel(
            name="InvitationLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=16, verbose_name="invitation code")),
                (
                    "channel",
                    models.CharField(blank=True, db_default="", max_length=32, verbose_name="channel"),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="created"),
                ),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="revoked")),
                ("opens", models.IntegerField(db_default=0, verbose_name="times opened")),
                ("acceptances", models.IntegerField(db_default=0, verbose_name="times accepted")),
                (
                    "player",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name": "invitation link", "verbose_name_plural": "invitation links"},
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                (
                    "invited",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("at", models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="at")),
                (
                    "inviter",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "link",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.invitationlink",
                    ),
                ),
            ],
            options={"verbose_name": "referral", "verbose_name_plural": "referrals"},
        ),
        migrations.CreateModel(
            name="SpentToken",
            fields=[
                ("digest", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ("expires_at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["expires_at"], name="spent_token_expiry")]},
        ),
        migrations.AddConstraint(
            model_name="federatedidentity",
            constraint=models.UniqueConstraint(fields=("issuer", "subject"), name="federated_identity_once"),
        ),
        migrations.AddConstraint(
            model_name="invitationlink",
            constraint=models.UniqueConstraint(fields=("code",), name="invitation_code_once"),
        ),
        migrations.AddConstraint(
            model_name="invitationlink",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at", None)), fields=("player", "channel"), name="invitation_channel_once"
            ),
        ),
        migrations.AddIndex(
            model_name="invitationlink",
            index=models.Index(fields=["player", "id"], name="invitation_of_player"),
        ),
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.CheckConstraint(
                condition=models.Q(("invited", models.F("inviter")), _negated=True), name="referral_of_another"
            ),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(fields=["inviter", "invited"], name="referral_of_inviter"),
        ),
        migrations.AddField(
            model_name="player",
            name="erased_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="erased"),
        ),
        migrations.AlterField(
            model_name="friendship",
            name="state",
            field=models.CharField(
                choices=[
                    ("asking", "has asked"),
                    ("asked", "was asked"),
                    ("friends", "friends"),
                    ("blocked", "has blocked"),
                    ("barred", "was blocked"),
                    ("mutual", "each has blocked the other"),
                ],
                max_length=7,
                verbose_name="state",
            ),
        ),
        # Wider by one state, in one transaction, so nothing that relied on it loses its guarantee.
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(DROP, ADD_FORMER)],
            state_operations=[migrations.RemoveConstraint(model_name="friendship", name="friendship_state")],
        ),
        # Not validated here: that would read the whole table while nobody can write to it.
        AddConstraintNotValid(
            model_name="friendship",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["asking", "asked", "friends", "blocked", "barred", "mutual"])),
                name="friendship_state",
            ),
        ),
        AddConstraintNotValid(
            model_name="player",
            constraint=models.CheckConstraint(
                condition=models.Q(("erased_at", None), ("is_active", False), _connector="OR"),
                name="player_erased_for_good",
            ),
        ),
    ]
