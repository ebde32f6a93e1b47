from django.db import migrations, models


def beside(name, table, columns, condition, state, *, unique=False):
    """An index that is made while trades go on. What an interrupted run leaves behind is no index yet."""
    kind = "UNIQUE INDEX" if unique else "INDEX"
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {name}", migrations.RunSQL.noop),
            migrations.RunSQL(
                f"CREATE {kind} CONCURRENTLY IF NOT EXISTS {name} ON {table} ({columns}) WHERE {condition}",
                f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
            ),
        ],
        state_operations=[state],
    )


Q = models.Q


class Migration(migrations.Migration):
    """The indexes of the migration before, made while the season goes on."""

    atomic = False
    dependencies = [("cards", "0006_trading")]
    operations = [
        beside(
            "trade_open",
            "cards_trade",
            "proposer_id, campaign_id",
            "state = 'open'",
            migrations.AddIndex(
                "trade", models.Index(fields=["proposer", "campaign"], condition=Q(state="open"), name="trade_open")
            ),
        ),
        beside(
            "trade_expiring",
            "cards_trade",
            "campaign_id, expires_at",
            "state = 'open'",
            migrations.AddIndex(
                "trade",
                models.Index(fields=["campaign", "expires_at"], condition=Q(state="open"), name="trade_expiring"),
            ),
        ),
        beside(
            "trade_proposed",
            "cards_trade",
            "proposer_id, campaign_id, created_at",
            "expires_at IS NOT NULL",
            migrations.AddIndex(
                "trade",
                models.Index(
                    fields=["proposer", "campaign", "created_at"],
                    condition=Q(expires_at__isnull=False),
                    name="trade_proposed",
                ),
            ),
        ),
        beside(
            "transfer_of_play_once",
            "cards_transfer",
            "play_id, position",
            "play_id IS NOT NULL",
            migrations.AddConstraint(
                "transfer",
                models.UniqueConstraint(
                    fields=["play", "position"], condition=Q(play__isnull=False), name="transfer_of_play_once"
                ),
            ),
            unique=True,
        ),
    ]
