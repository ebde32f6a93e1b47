import django.db.models.deletion
from django.db import migrations, models

KINDS = [("sponsor", "sponsor"), ("pool", "pool"), ("wallet", "wallet"), ("goodwill", "compensation")]


class Migration(migrations.Migration):
    dependencies = [("fortunes", "0003_functions"), ("redpackets", "0003_live_share")]

    operations = [
        migrations.AlterModelOptions(
            name="settlement",
            options={
                "permissions": [("operate_settlement", "Can pause and resume settlements")],
                "verbose_name": "settlement",
                "verbose_name_plural": "settlements",
            },
        ),
        migrations.AlterModelOptions(
            name="wallet",
            options={
                "permissions": [("compensate_player", "Can compensate players with money")],
                "verbose_name": "wallet",
                "verbose_name_plural": "wallets",
            },
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="destination_kind",
            field=models.CharField(choices=KINDS, max_length=8, verbose_name="to"),
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="source_kind",
            field=models.CharField(choices=KINDS, max_length=8, verbose_name="from"),
        ),
        migrations.AddField(
            model_name="settlementchunk",
            name="unopened",
            field=models.BigIntegerField(null=True, verbose_name="unopened packets credited"),
        ),
        migrations.AddField(
            model_name="settlementchunk",
            name="unopened_fen",
            field=models.BigIntegerField(null=True, verbose_name="unopened packets credited (fen)"),
        ),
        migrations.CreateModel(
            name="CompensationFund",
            fields=[
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="fortunes.campaign",
                    ),
                ),
                ("funded_fen", models.BigIntegerField(verbose_name="set aside (fen)")),
                ("paid_fen", models.BigIntegerField(db_default=0, verbose_name="paid (fen)")),
            ],
            options={
                "verbose_name": "compensation fund",
                "verbose_name_plural": "compensation funds",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("paid_fen__gte", 0), ("paid_fen__lte", models.F("funded_fen"))),
                        name="compensation_fund_not_overspent",
                    )
                ],
            },
        ),
    ]
