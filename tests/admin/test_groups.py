"""The groups of the staff: a member of each sees and can do what is theirs, and nothing else."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from accounts.models import Player
from cards.models import CodeBatch
from config.groups import AUDITOR, GROUPS, OPERATIONS, SUPPORT
from fortunes.models import AuditEntry, Campaign, DeadLetter, Job
from redpackets.models import Settlement
from tests.admin.conftest import member_of_staff, signed_in
from tests.factories import redpackets as make
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import DraftSeasonFactory

PRESSED = 302


@pytest.fixture(autouse=True)
def groups(db: None) -> None:
    call_command("ensure_reference_rows", stdout=StringIO())


def member(*groups: str) -> Client:
    person = member_of_staff()
    person.groups.set(Group.objects.filter(name__in=groups))
    return signed_in(person)


class Season:
    """Something of everything that can be looked at, or pressed."""

    def __init__(self) -> None:
        self.run: Settlement = make.SettlementFactory()
        self.campaign: Campaign = self.run.pool.campaign
        self.draft: Campaign = DraftSeasonFactory()
        self.player: Player = PlayerFactory()
        self.batch = CodeBatch.objects.create(
            campaign=self.campaign, number=9, source=0, count=1, expires_at=self.campaign.closes_at
        )
        self.job = Job.objects.create(name="a.job", interval_s=2)
        self.letter = DeadLetter.objects.create(job="redpackets.settlements", subject_id=self.run.pk, error="")

    def pages(self) -> dict[str, str]:
        return {
            "campaigns": "/admin/fortunes/campaign/",
            "live": f"/admin/fortunes/campaign/{self.campaign.pk}/live/",
            "figures": f"/admin/fortunes/campaign/{self.campaign.pk}/live/figures/",
            "settlements": "/admin/redpackets/settlement/",
            "ledger": "/admin/redpackets/ledgerentry/",
            "batches": "/admin/cards/codebatch/",
            "draws": "/admin/cards/draw/",
            "jobs": "/admin/fortunes/job/",
            "letters": "/admin/fortunes/deadletter/",
            "audit": "/admin/fortunes/auditentry/",
            "log": "/admin/admin/logentry/",
            "messages": "/admin/accounts/message/",
            "players": "/admin/accounts/player/",
            "bans": "/admin/accounts/ban/",
            "look-up": "/admin/accounts/player/look-up/",
            "player": f"/admin/accounts/player/{self.player.pk}/support/",
            "draw": f"/admin/accounts/player/{self.player.pk}/support/draw/",
            "money": f"/admin/accounts/player/{self.player.pk}/support/money/",
            "ban": f"/admin/accounts/player/{self.player.pk}/support/ban/",
            "erasure": f"/admin/accounts/player/{self.player.pk}/support/erasure/",
            "preset": "/admin/fortunes/campaign/five-fortunes/",
            "set aside": f"/admin/fortunes/campaign/{self.campaign.pk}/compensations/",
            "groups": "/admin/auth/group/",
        }

    def buttons(self) -> dict[str, str]:
        return {
            "pause": f"/admin/redpackets/settlement/{self.run.pk}/pause/",
            "resume": f"/admin/redpackets/settlement/{self.run.pk}/resumption/",
            "open": f"/admin/fortunes/campaign/{self.draft.pk}/opening/",
            "run job": f"/admin/fortunes/job/{self.job.name}/run/",
            "revive": f"/admin/fortunes/deadletter/{self.letter.pk}/revival/",
            "dismiss": f"/admin/fortunes/deadletter/{self.letter.pk}/dismissal/",
            "revoke": f"/admin/cards/codebatch/{self.batch.pk}/revocation/",
        }


SEES = {
    OPERATIONS: {
        "campaigns", "live", "figures", "settlements", "ledger", "batches", "draws", "jobs", "letters", "audit",
        "messages", "preset", "set aside",
    },
    SUPPORT: {"campaigns", "live", "figures", "look-up", "player", "draw", "money", "ban"},
    AUDITOR: {
        "campaigns", "live", "figures", "settlements", "ledger", "batches", "draws", "jobs", "letters", "audit", "log",
        "messages", "players", "bans", "groups",
    },
}  # fmt: skip
PRESSES = {
    OPERATIONS: {"pause", "resume", "open", "run job", "revive", "dismiss", "revoke"},
    SUPPORT: set(),
    AUDITOR: set(),
}


def test_every_group_is_looked_at() -> None:
    assert set(SEES) == set(PRESSES) == set(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
class TestMembers:
    def test_see_what_is_theirs(self, group: str) -> None:
        client = member(group)
        statuses = {name: client.get(path).status_code for name, path in Season().pages().items()}
        assert {name for name, status in statuses.items() if status == 200} == SEES[group]
        assert set(statuses.values()) == {200, 403}

    def test_press_what_is_theirs(self, group: str) -> None:
        season, client, before = Season(), member(group), AuditEntry.objects.count()
        statuses = {name: client.post(path).status_code for name, path in season.buttons().items()}
        assert {name for name, status in statuses.items() if status == PRESSED} == PRESSES[group]
        assert set(statuses.values()) <= {PRESSED, 403}
        if group != OPERATIONS:
            assert AuditEntry.objects.count() == before

    def test_have_a_sidebar_that_leads_nowhere_else(self, group: str) -> None:
        client = member(group)
        found = client.get("/admin/").context["sidebar_navigation"]
        links = [item["link"] for section in found for item in section["items"]]
        assert links
        assert {client.get(link).status_code for link in links} == {200}


def test_whoever_belongs_to_no_group_sees_nothing(db: None) -> None:
    client, season = member(), Season()
    assert {client.get(path).status_code for path in season.pages().values()} == {403}
    assert {client.post(path).status_code for path in season.buttons().values()} == {403}


def test_nobody_may_delete_or_hand_out_rights(db: None) -> None:
    for name in GROUPS:
        granted = Group.objects.get(name=name).permissions.values_list("codename", flat=True)
        assert not [
            right for right in granted if right.startswith(("delete_", "change_player", "change_group", "add_p"))
        ]
