"""Controls: the product's SQL functions without one of their locks, put in place for the length of a block."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import resources

import psycopg

from fortunes import sql
from fortunes.models import Campaign

VERSION = re.compile(r"_v(\d+)$")

# What comes of a nextval is seen by everybody at once, whatever they have committed. Nobody waits longer than 4 s, as
# a statement has five.
MEETING = """
CREATE SEQUENCE test_meeting;
GRANT ALL ON SEQUENCE test_meeting TO PUBLIC;
CREATE FUNCTION test_meet(parties integer) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF current_setting('test.met', true) IS DISTINCT FROM pg_current_xact_id()::text THEN
        PERFORM set_config('test.met', pg_current_xact_id()::text, true), nextval('test_meeting');
    END IF;
    WHILE NOT (SELECT is_called AND last_value >= parties FROM test_meeting)
          AND clock_timestamp() < statement_timestamp() + interval '4 seconds' LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
    RETURN true;
END
$$
"""


@contextmanager
def meeting(owner: psycopg.Connection, parties: int) -> Iterator[str]:
    """An SQL expression, true, at which so many transactions wait for one another; who comes later goes on at once.

    In place of a pause: a machine that is slow to start them makes it longer, and no machine makes it too short.
    """
    owner.execute(MEETING)
    try:
        yield f"test_meet({parties})"
    finally:
        owner.execute("DROP FUNCTION test_meet; DROP SEQUENCE test_meeting")


# A transaction that has come here waits for one that wants a lock which it holds, or for the word to go on.
HOLDING = """
CREATE SEQUENCE test_held;
CREATE SEQUENCE test_released;
GRANT ALL ON SEQUENCE test_held, test_released TO PUBLIC;
CREATE FUNCTION test_hold() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM nextval('test_held');
    WHILE NOT (SELECT is_called FROM test_released)
          AND NOT EXISTS (SELECT 1 FROM pg_locks l
                           WHERE NOT l.granted AND pg_backend_pid() = ANY (pg_blocking_pids(l.pid)))
          AND clock_timestamp() < statement_timestamp() + interval '4 seconds' LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
    RETURN true;
END
$$
"""


@contextmanager
def holding(owner: psycopg.Connection) -> Iterator[tuple[str, Callable[[], bool], Callable[[], None]]]:
    """An SQL expression, true, at which a transaction stops while it holds its locks; whether it has; and to let it go.

    It goes on by itself once another transaction waits for one of its locks, and after 4 s.
    """
    owner.execute(HOLDING)
    try:
        yield (
            "test_hold()",
            lambda: sql.fetch("SELECT is_called FROM test_held")[0].is_called,
            lambda: sql.fetch("SELECT nextval('test_released')") and None,
        )
    finally:
        owner.execute("DROP FUNCTION test_hold; DROP SEQUENCE test_held, test_released")


@contextmanager
def without(
    owner: psycopg.Connection,
    app: str,
    function: str,
    *,
    cut: str,
    put: str = "",
    more: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """The newest `<app>/sql/functions/<function>.sql` with `cut` replaced by `put`, while the block lasts.

    `more` are further replacements, for a second line of defence or for a pause that makes the race certain.
    """
    original = changed = newest(app, function)
    for old, new in {cut: put, **(more or {})}.items():
        if original.count(old) != 1:
            raise ValueError(f"{function} has {original.count(old)} places to cut")
        changed = changed.replace(old, new)
    _install(owner, changed)
    try:
        yield
    finally:
        _install(owner, original)


def newest(app: str, function: str) -> str:
    """The text of a function that is in force: of `scan`, `scan_v2` and `scan_v3` the last."""
    names = [entry.name.removesuffix(".sql") for entry in resources.files(app).joinpath("sql", "functions").iterdir()]
    wanted = VERSION.sub("", function)
    versions = {_version(name): name for name in names if VERSION.sub("", name) == wanted}
    return sql.text(app, f"functions/{versions[max(versions)]}")


def _version(name: str) -> int:
    found = VERSION.search(name)
    return int(found[1]) if found else 1


def _install(owner: psycopg.Connection, text: str) -> None:
    owner.execute(text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").encode())


def erase(campaign: Campaign, owner: psycopg.Connection) -> None:
    """Take away what a control broke: the session ends with a check of the invariants."""
    events = "UPDATE fortunes_event SET type = 'erased' WHERE campaign_id = %s AND type ~ '^(gift|trade|card)[.]'"
    owner.execute(events, [campaign.pk])
    owner.execute(
        "DELETE FROM cards_tradenote n USING cards_trade t WHERE t.id = n.trade_id AND t.campaign_id = %s",
        [campaign.pk],
    )
    trades = ("transfer", "conversion", "aftermath", "play", "addressee", "sharelink", "trade")
    cards = ("draw", "drawcount", "drawtotal", "invitationcredit", "hand", "stock", "stocktranche")
    for table in (f"cards_{name}" for name in (*trades, *cards)):
        owner.execute(f"DELETE FROM {table} WHERE campaign_id = {campaign.pk}".encode())
