from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cards", "0006_trading")]
    operations = [
        migrations.CreateModel(
            name="LinkOpen",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "link",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=models.deletion.PROTECT,
                        related_name="uncounted",
                        to="cards.sharelink",
                    ),
                ),
            ],
            options={
                "verbose_name": "uncounted look at a link",
                "verbose_name_plural": "uncounted looks at links",
            },
        ),
    ]
