from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """The constraints of the migration before, looked through while the season goes on."""

    dependencies = [("accounts", "0005_people")]
    operations = [
        ValidateConstraint(model_name="friendship", name="friendship_state"),
        ValidateConstraint(model_name="player", name="player_erased_for_good"),
    ]
