"""The addresses of the admin, the people who work there, and a row of everything to look at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import models
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from accounts.models import Player, PushHost
from cards.models import Aftermath, Conversion
from config.groups import AUDITOR, OPERATIONS, SUPPORT
from fortunes.models import Amendment, Campaign, Job, Process, Proposal
from redpackets.models import CompensationFund, LiveShare, Packet
from tests.api.world import World
from tests.factories import talk
from tests.factories.accounts import PlayerFactory
from tests.factories.cards import DraftSeasonFactory
from tests.factories.votes import DraftProposalFactory

GROUPS = {"operations": OPERATIONS, "support": SUPPORT, "auditor": AUDITOR}
# What is done for a player has one address with a word in it for each kind of help.
WORDS = {"accounts_player_help": ("draw", "money", "ban", "unban", "erasure")}


def addresses() -> dict[str, URLPattern]:
    """Every named address of the admin; those with a word in them once for each word."""
    found: dict[str, URLPattern] = {}
    for pattern in _patterns(admin.site.urls[0]):
        if pattern.name:
            found |= {f"{pattern.name}:{word}": pattern for word in WORDS.get(pattern.name, ())} or {
                pattern.name: pattern
            }
    return found


def _patterns(entries: list[Any]) -> Iterator[URLPattern]:
    for entry in entries:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry.url_patterns)
        else:
            yield entry


class Office:
    """Somebody of each role, and what the addresses are about."""

    def __init__(self, world: World) -> None:
        call_command("ensure_reference_rows", verbosity=0)
        self.world = world
        self._clients: dict[str, Client] = {}
        self.draft: Campaign = DraftSeasonFactory()
        self.motion: Proposal = DraftProposalFactory(campaign=world.live)
        Amendment.objects.create(
            campaign=self.draft, name_zh="多扫", name_en="More scans", changes={"quotas": {"code": {"per_day": 9}}},
            takes_force_at=self.draft.opens_at + timedelta(days=1),
        )  # fmt: skip
        aftermath, _ = Aftermath.objects.get_or_create(
            campaign=world.live, version=2, defaults={"state": Aftermath.State.VOID}
        )
        Conversion.objects.get_or_create(
            campaign=world.live, aftermath=aftermath, player=world.other, kind=0, defaults={"cards": 1, "into": [1]}
        )
        LiveShare.objects.get_or_create(campaign=world.live)
        CompensationFund.objects.get_or_create(campaign=world.live, defaults={"funded_fen": 0})
        Job.objects.get_or_create(name="accounts.messages")
        PushHost.objects.get_or_create(host="host")
        Process.objects.get_or_create(name="worker@here", kind="worker")
        talk.planned(world.live)
        self.people: dict[str, Player | None] = {"anonymous": None, "player": PlayerFactory.create()}
        self.people["clerk"] = PlayerFactory.create(is_staff=True)
        for role, name in GROUPS.items():
            self.people[role] = PlayerFactory.create(is_staff=True)
            self.people[role].groups.add(Group.objects.get(name=name))
        self.people["superuser"] = PlayerFactory.create(is_staff=True, is_superuser=True)

    def client(self, role: str) -> Client:
        """Signed in, as long as it is."""
        client, person = self._clients.setdefault(role, Client()), self.people[role]
        if person is not None and not client.session.get(SESSION_KEY):
            client.force_login(person)
        return client

    def ask(self, role: str, method: str, path: str) -> int:
        """The status of a request; a POST sends an empty form."""
        client = self.client(role)
        return int((client.get if method == "GET" else client.post)(path).status_code)

    def path(self, name: str, pattern: URLPattern) -> str:
        """The address with something in it that exists."""
        view, _, word = name.partition(":")
        given = {part: self._part(view, part, word) for part in pattern.pattern.converters}
        if pattern.pattern.regex.groups > len(given):
            given |= {part: "fortunes" for part in pattern.pattern.regex.groupindex if part not in given}
        return reverse(f"admin:{view}", kwargs=given)

    def _part(self, view: str, part: str, word: str) -> Any:
        known = {
            "campaign_id": self.draft.pk, "player_id": self.world.other.pk, "id": self.world.other.pk, "slug": word,
            "name": "accounts.messages", "content_type_id": 1,
        }  # fmt: skip
        if part in known:
            return known[part]
        return self.world.other.pk if view == "view_on_site" else self._row(view).pk

    def _row(self, view: str) -> models.Model:
        app, model, _ = view.split("_", 2) if view.count("_") > 1 else ("accounts", "player", "")
        kind = apps.get_model(app, model)
        if kind is Campaign:
            return self.draft
        if kind is Player:
            return self.world.other
        if kind is Proposal:
            return self.motion
        rows = kind._default_manager.order_by("pool", "player") if kind is Packet else kind._default_manager.all()
        if app == "cards" and model in ("cardkind", "source"):
            rows = rows.filter(campaign=self.draft)
        row = rows.first()
        assert row is not None, kind
        return row
