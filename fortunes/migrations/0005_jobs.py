import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import fortunes.models


class Migration(migrations.Migration):
    dependencies = [
        ("fortunes", "0004_audit"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                ("name", models.CharField(max_length=80, primary_key=True, serialize=False, verbose_name="name")),
                ("interval_s", models.FloatField(null=True, verbose_name="every so many seconds")),
                (
                    "known_since",
                    models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="known since"),
                ),
                ("rung_at", models.DateTimeField(null=True, verbose_name="last rung for")),
                ("started_at", models.DateTimeField(null=True, verbose_name="last started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="last done")),
                ("failures", models.IntegerField(db_default=0, verbose_name="failures in a row")),
                ("last_error", models.CharField(db_default="", max_length=500, verbose_name="last error")),
            ],
            options={
                "verbose_name": "job",
                "verbose_name_plural": "jobs",
                "permissions": [("operate_jobs", "Can run jobs again and handle dead letters")],
            },
        ),
        migrations.CreateModel(
            name="Process",
            fields=[
                ("name", models.CharField(max_length=120, primary_key=True, serialize=False, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[("web", "web"), ("worker", "worker"), ("beat", "beat")],
                        max_length=8,
                        verbose_name="kind of process",
                    ),
                ),
                ("seen_at", models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="last seen")),
            ],
            options={
                "verbose_name": "process",
                "verbose_name_plural": "processes",
            },
        ),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("job", models.CharField(max_length=80, verbose_name="job")),
                ("subject_id", models.BigIntegerField(verbose_name="its id")),
                ("error", models.CharField(max_length=500, verbose_name="error")),
                ("buried_at", models.DateTimeField(db_default=fortunes.models.DatabaseNow(), verbose_name="given up")),
                (
                    "outcome",
                    models.CharField(
                        choices=[("revived", "revived"), ("dismissed", "dismissed")],
                        max_length=9,
                        null=True,
                        verbose_name="outcome",
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided")),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "dead letter",
                "verbose_name_plural": "dead letters",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("outcome", None)),
                        fields=("job", "subject_id"),
                        name="dead_letter_open_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("decided_by", None), ("outcome", None)),
                            models.Q(("decided_at__isnull", False), ("outcome__isnull", False)),
                            _connector="OR",
                        ),
                        name="dead_letter_decided",
                    ),
                ],
            },
        ),
    ]
