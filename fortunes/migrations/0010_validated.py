from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """The constraints of the migrations before, looked through while the season goes on."""

    dependencies = [("fortunes", "0010_talk")]
    operations = [
        migrations.RunSQL(
            [
                f"ALTER TABLE fortunes_rulebook VALIDATE CONSTRAINT rulebook_{name}"
                for name in ("amendment", "proposal")
            ],
            migrations.RunSQL.noop,
        ),
        ValidateConstraint("comment", "comment_deleted_with_its_words"),
        ValidateConstraint("comment", "comment_of_staff_is_a_reply"),
        ValidateConstraint("comment", "comment_hidden_by_somebody"),
    ]
