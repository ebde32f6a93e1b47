"""With a large database every call of the API and every page of the admin asks little: few statements, none of which
reads a growing table whole. `./dev soak plans` does the same with a million rows.
"""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection

from accounts import tokens
from tests.admin.crowd import GROWING
from tests.api import plans
from tests.api.calls import EXAMPLES
from tests.api.operations import content, operations, send
from tests.api.tables import FEW
from tests.api.world import World

MOST = 10
# What goes through everything that is held about one player, and is limited to six times an hour: a statement or two
# for each section, whatever their number of rows.
MORE = {"me_export": 50, "me_erase": 25}


@pytest.mark.parametrize("generic", [False, True], ids=["fitting", "generic"])
@pytest.mark.parametrize("name", sorted(operations()))
def test_calls(large_world: World, name: str, generic: bool) -> None:
    operation = operations()[name]
    # What a process asks once and then remembers is no part of a call.
    for _ in range(2):
        call = EXAMPLES[name](large_world)
        player = call.by or large_world.me
        # Not a session for each of hundreds of calls: those who list and end them would read them all.
        token = large_world.token(player) if name.startswith(("sessions", "me_")) else tokens.issue(player).token
        with plans.watching(generic=generic) as seen:
            response = send(operation, call, token)
            body = content(response)
        assert response.status_code < 300, body
    assert len(seen.sent) <= MORE.get(name, MOST), seen.sent
    assert seen.plans or not seen.sent
    assert not seen.reading_too_much(GROWING)


class TestTheEye:
    """That `watching` sees what it is there for."""

    def test_whole_table(self, large_world: World) -> None:
        with plans.watching() as seen, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM cards_draw WHERE wish = 3")
        assert len(seen.sent) == 1
        assert seen.reading_too_much(GROWING)

    def test_inside_a_function(self, large_world: World) -> None:
        with plans.watching() as seen, connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN PERFORM 1 FROM cards_hand WHERE version = 7; END $$")
        assert seen.reading_too_much(GROWING)

    def test_every_table_is_known(self) -> None:
        tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
        assert tables == GROWING | FEW
