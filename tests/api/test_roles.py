"""Who may do what: every operation of the schema and every address of the admin, asked by everybody in turn."""

from __future__ import annotations

import pytest
from django.db import transaction

from config.local.environment import ROOT
from tests.api import roles
from tests.api.calls import EXAMPLES
from tests.api.operations import operations, send
from tests.api.world import World


def test_document_is_current() -> None:
    text = (ROOT / "docs/roles.md").read_text()
    assert text == roles.document(), "run python -m tests.api.roles > docs/roles.md"


class TestOperations:
    def test_each_has_a_row(self) -> None:
        assert set(roles.OPERATIONS) == set(operations())

    def test_each_has_an_example(self) -> None:
        assert set(EXAMPLES) == set(operations())

    @pytest.mark.parametrize("name", sorted(operations()))
    def test_cells(self, world: World, name: str) -> None:
        """Everybody makes the very request that its owner may make; what one of them does is undone for the next."""
        operation, call, found = operations()[name], EXAMPLES[name](world), {}
        for role in roles.Player._fields:
            before = transaction.savepoint()
            player = (call.by or world.me) if role == "owner" else getattr(world, role, None)
            token = None if player is None else world.token(player)
            found[role] = send(operation, call, token).status_code
            transaction.savepoint_rollback(before)
        assert roles.Player(**found) == roles.OPERATIONS[name]
