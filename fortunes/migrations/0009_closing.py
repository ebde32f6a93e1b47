from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fortunes", "0008_ballots")]
    operations = [
        migrations.AddField(
            model_name="proposal",
            name="attempts",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="failed attempts"),
        ),
        migrations.AddField(
            model_name="proposal",
            name="last_error",
            field=models.CharField(db_default="", default="", max_length=500, verbose_name="last error"),
        ),
        migrations.AddField(
            model_name="proposal",
            name="given_up_at",
            field=models.DateTimeField(null=True, verbose_name="given up"),
        ),
    ]
