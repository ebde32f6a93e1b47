from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """The constraints of 0006_trading, looked through while the season goes on."""

    dependencies = [("cards", "0006_link_opens"), ("cards", "0006_trade_indexes")]
    operations = [
        ValidateConstraint("trade", "trade_fits"),
        ValidateConstraint("transfer", "transfer_by_trade_or_play"),
    ]
