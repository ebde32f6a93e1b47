from django.db import migrations

from fortunes import sql


class Migration(migrations.Migration):
    """The clock comes before every table: their columns default to it."""

    initial = True
    dependencies = []
    operations = [sql.install_function("fortunes", "clock", "fortunes_clock()")]
