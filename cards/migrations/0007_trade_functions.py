from django.db import migrations

from fortunes import sql

GIVE = (
    "cards_give(bigint, integer, smallint[], bigint, bigint, smallint[], text, text, bytea, uuid, text, jsonb, jsonb)"
)
GIVE_V2 = (
    "cards_give(bigint, integer, smallint[], smallint, integer, integer, bigint, uuid, smallint[], "
    "text, text, bytea, uuid, text, jsonb, jsonb)"
)
PROPOSE = (
    "cards_propose(bigint, integer, integer, integer, integer, integer, integer, integer, bigint, text, text, uuid[], "
    "smallint[], smallint[], text, text, text, text, text, bytea, uuid, text, jsonb)"
)
ACCEPT = (
    "cards_accept(integer, smallint[], smallint, integer, integer, bigint, bigint, boolean, "
    "text, text, bytea, text, jsonb, jsonb)"
)

HELPERS = {
    "find_friend": "cards_find_friend(bigint, uuid)",
    "lock_pair": "cards_lock_pair(bigint, bigint, bigint)",
    "first_answer": "cards_first_answer(bigint, text, text, bytea)",
    "cooling_until": "cards_cooling_until(bigint, integer, timestamptz)",
    "receiver_refusal": "cards_receiver_refusal(cards_hand, integer, boolean, integer, date)",
    "received": "cards_received(cards_hand, smallint[], boolean, date)",
    "keep_hand": "cards_keep_hand(cards_hand, smallint[], smallint, timestamptz)",
    "escrow": "cards_escrow(cards_hand, smallint[], integer)",
    "record_transfers": ("cards_record_transfers(bigint, bigint, bigint, bigint, smallint[], smallint[], timestamptz)"),
    "answer_refusal": "cards_answer_refusal(cards_trade, bigint, boolean, timestamptz)",
    "still_asked": "cards_still_asked(cards_trade)",
    "instant": "cards_instant(timestamptz)",
}
VERBS = {
    "give_v2": GIVE_V2,
    "propose": PROPOSE,
    "accept": ACCEPT,
    "lock_trade": "cards_lock_trade(bigint, bigint, text, text, bytea)",
    "decline": "cards_decline(bigint, bigint, text, text, bytea, text, jsonb)",
    "cancel": "cards_cancel(bigint, bigint, text, text, bytea, text, jsonb)",
    "expire": "cards_expire(bigint, integer, text)",
}


class Migration(migrations.Migration):
    dependencies = [("cards", "0006_validated")]
    operations = [
        # Not kept beside the new ones: they don't say since when a hand is complete, and know no limits. No release has
        # called them.
        migrations.RunSQL(
            [f"-- squawk-ignore ban-drop-function\nDROP FUNCTION {GIVE}"], sql.text("cards", "functions/give")
        ),
        migrations.RunSQL(
            ["-- squawk-ignore ban-drop-function\nDROP FUNCTION cards_complete(smallint[], smallint[], smallint[])"],
            sql.text("cards", "functions/complete"),
        ),
        *(sql.install_function("cards", name, signature) for name, signature in {**HELPERS, **VERBS}.items()),
    ]
