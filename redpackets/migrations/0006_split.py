import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Before there were other modes a pool said what becomes of the remainder. The rules in `fortunes` say so now, and where
# they are silent it is shared. Processes of the version before don't know that part of the rules: with a season under
# way whose pool returns the remainder, they are stopped before this is run.
WRITE = """
UPDATE fortunes_rulebook r
   SET rules = jsonb_set(
           r.rules, '{split}',
           '{"mode": "even", "minimum_fen": 0, "jackpots": []}' || coalesce(r.rules -> 'split', '{}')
               || '{"remainder": "return"}'
       )
  FROM redpackets_pool p
 WHERE p.campaign_id = r.campaign_id AND p.remainder = 'return'
"""
READ = """
UPDATE redpackets_pool p
   SET remainder = 'return'
  FROM fortunes_rulebook r
 WHERE r.campaign_id = p.campaign_id AND r.rules #>> '{split,remainder}' = 'return'
"""
# The columns stay, with defaults, for processes of the version before, which still read and write them.
KEEP = "ALTER TABLE redpackets_pool ALTER mode SET DEFAULT 'even', ALTER remainder SET DEFAULT 'share'"
UNKEEP = "ALTER TABLE redpackets_pool ALTER mode DROP DEFAULT, ALTER remainder DROP DEFAULT"


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("fortunes", "0007_votes"),
        ("redpackets", "0005_wilds"),
    ]

    operations = [
        migrations.RunSQL(WRITE, READ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name="pool", name="mode"),
                migrations.RemoveField(model_name="pool", name="remainder"),
            ],
            database_operations=[migrations.RunSQL(KEEP, UNKEEP)],
        ),
        migrations.AddField(
            model_name="compensationfund",
            name="paused_at",
            field=models.DateTimeField(null=True, verbose_name="short of money since"),
        ),
        migrations.AddField(
            model_name="settlement",
            name="jackpots",
            field=models.JSONField(db_default=[], default=list, verbose_name="jackpots"),
        ),
        migrations.AddField(
            model_name="settlement",
            name="prizes_fen",
            field=models.BigIntegerField(db_default=0, default=0, verbose_name="jackpots (fen)"),
        ),
        migrations.AddField(
            model_name="settlementchunk",
            name="prizes_fen",
            field=models.BigIntegerField(db_default=0, default=0, verbose_name="jackpots (fen)"),
        ),
        migrations.CreateModel(
            name="Contender",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "settlement", "j", "player", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("j", models.BigIntegerField()),
                (
                    "settlement",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contenders",
                        to="redpackets.settlement",
                    ),
                ),
                (
                    "player",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
