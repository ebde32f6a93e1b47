from django.db import migrations

from fortunes import sql


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [
        sql.install_function("accounts", "share_friendship", "accounts_share_friendship(bigint, bigint)"),
    ]
