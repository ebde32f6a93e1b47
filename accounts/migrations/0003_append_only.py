from django.db import migrations

from fortunes import sql


class Migration(migrations.Migration):
    """Django's own records: what staff did in the admin, and what was migrated, which is for the owner alone."""

    dependencies = [("accounts", "0002_functions"), ("admin", "0003_logentry_add_action_flag_choices")]
    operations = [
        sql.append_only("django_admin_log"),
        sql.append_only("django_migrations"),
        migrations.RunSQL(
            "REVOKE INSERT ON django_migrations FROM fortunes_app",
            "GRANT INSERT ON django_migrations TO fortunes_app",
        ),
    ]
