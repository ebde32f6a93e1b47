"""Who may do what at the admin: every address, asked by everybody in turn, to look and to do.

The superuser's look is at a large database and is watched besides: few statements, and none reads a growing table
whole.
"""

from __future__ import annotations

import pytest

from tests.admin.crowd import GROWING
from tests.api import plans, roles
from tests.api.staff import Office, addresses
from tests.api.world import World

MOST = 10
# A draft's page makes all checks of the opening. Those of a season and of its rules show what is voted on, too.
MORE = {
    "fortunes_campaign_change": 22,
    "fortunes_campaign_live": 14,
    "fortunes_campaign_figures": 14,
    "fortunes_proposal_change": 12,
    "fortunes_proposal_edit": 12,
    "fortunes_proposal_draft": 12,
    "fortunes_rulebook_change": 12,
    "fortunes_amendment_change": 12,
}


@pytest.fixture(scope="module")
def office(large_world: World) -> Office:
    return Office(large_world)


def test_each_address_has_a_row() -> None:
    assert {row.partition(" ")[2] for row in roles.ADMIN} == set(addresses())


@pytest.mark.parametrize("row", roles.ADMIN)
def test_cells(office: Office, row: str) -> None:
    method, _, name = row.partition(" ")
    path = office.path(name, addresses()[name])
    found = {role: office.ask(role, method, path) for role in roles.Staff._fields}
    assert roles.Staff(**found) == roles.ADMIN[row]


@pytest.mark.parametrize("name", sorted(addresses()))
def test_looks_are_cheap(office: Office, name: str) -> None:
    path, client = office.path(name, addresses()[name]), office.client("superuser")
    with plans.watching() as seen:
        client.get(path)
    assert len(seen.sent) <= MORE.get(name, MOST), seen.sent
    assert not seen.reading_too_much(GROWING)
