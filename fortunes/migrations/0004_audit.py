import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from fortunes import sql

HASH = "fortunes_audit_hash(bytea, bigint, timestamptz, bigint, text, text, bigint, jsonb)"


class Migration(migrations.Migration):
    dependencies = [
        ("fortunes", "0003_functions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="number")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("action", models.CharField(max_length=48, verbose_name="action")),
                ("subject", models.CharField(max_length=48, verbose_name="what")),
                ("subject_id", models.BigIntegerField(null=True, verbose_name="its id")),
                ("data", models.JSONField(verbose_name="data")),
                ("hash", models.BinaryField(max_length=32, verbose_name="hash")),
                (
                    "actor",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit",
                "indexes": [models.Index(fields=["subject", "subject_id", "seq"], name="audit_of_subject")],
            },
        ),
        sql.install_function("fortunes", "audit_hash", HASH),
        sql.install_function("fortunes", "audit", "fortunes_audit(bigint, text, text, bigint, jsonb)"),
        sql.append_only("fortunes_auditentry"),
    ]
