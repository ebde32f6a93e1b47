from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """The constraints of the migration before, looked through while the season goes on."""

    dependencies = [("fortunes", "0010_talk")]
    operations = [
        ValidateConstraint("comment", "comment_deleted_with_its_words"),
        ValidateConstraint("comment", "comment_of_staff_is_a_reply"),
        ValidateConstraint("comment", "comment_hidden_by_somebody"),
    ]
