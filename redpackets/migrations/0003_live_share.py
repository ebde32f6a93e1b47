import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fortunes", "0003_functions"),
        ("redpackets", "0002_functions"),
    ]

    operations = [
        migrations.CreateModel(
            name="LiveShare",
            fields=[
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="fortunes.campaign",
                    ),
                ),
                ("complete", models.BigIntegerField(null=True, verbose_name="complete sets")),
                ("each_fen", models.BigIntegerField(null=True, verbose_name="each (fen)")),
                ("counted_at", models.DateTimeField(null=True, verbose_name="counted")),
                ("took_ms", models.PositiveIntegerField(default=0, verbose_name="time of the count (ms)")),
                ("due_at", models.DateTimeField(null=True, verbose_name="next count due")),
            ],
            options={
                "verbose_name": "live share",
                "verbose_name_plural": "live shares",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("complete", None), ("counted_at", None), ("each_fen", None)),
                            models.Q(
                                ("complete", 0),
                                ("complete__isnull", False),
                                ("counted_at__isnull", False),
                                ("each_fen", None),
                            ),
                            models.Q(
                                ("complete__gt", 0),
                                ("counted_at__isnull", False),
                                ("each_fen__gte", 0),
                                ("each_fen__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="share_counted_whole",
                    )
                ],
            },
        ),
    ]
