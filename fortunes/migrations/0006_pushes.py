import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from fortunes import sql

APPEND = "fortunes_append_events(bigint, bigint[], text[], jsonb[])"


class Migration(migrations.Migration):
    dependencies = [
        ("fortunes", "0005_jobs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("feed", "pushes", models.BooleanField(db_default=False)),
        migrations.AddField("feed", "pushed_seq", models.BigIntegerField(db_default=0)),
        migrations.CreateModel(
            name="PushDue",
            fields=[
                (
                    "player",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("due_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["due_at"], name="push_due_at")],
            },
        ),
        # In one transaction with the new one, so that nobody is without either.
        migrations.RunSQL(
            [f"-- squawk-ignore ban-drop-function\nDROP FUNCTION {APPEND}"],
            sql.text("fortunes", "functions/append_events"),
        ),
        sql.install_function("fortunes", "append_events_v2", APPEND),
    ]
