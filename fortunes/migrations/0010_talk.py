from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q


def comment_check(name: str, condition: Q) -> AddConstraintNotValid:
    """Not validated here: that would read the whole table while nobody can write to it."""
    return AddConstraintNotValid("comment", models.CheckConstraint(condition=condition, name=name))


class Migration(migrations.Migration):
    """What holds of every comment."""

    dependencies = [("fortunes", "0009_closing")]
    operations = [
        comment_check(
            "comment_deleted_with_its_words",
            (Q(deleted_at=None) & ~Q(text="")) | Q(deleted_at__isnull=False, text=""),
        ),
        comment_check(
            "comment_of_staff_is_a_reply",
            Q(by_staff=True, answers__isnull=False) | Q(by_staff=False, answers=None),
        ),
        comment_check(
            "comment_hidden_by_somebody",
            Q(hidden_at=None, hidden_by=None) | Q(hidden_at__isnull=False, hidden_by__isnull=False),
        ),
    ]
