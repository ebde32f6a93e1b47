"""What the tests of motions and votes at the admin share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client

from fortunes import clock as database_clock
from fortunes.models import Amendment, Campaign, Option, Proposal
from tests.factories import votes as make

STAFF_TIME = ZoneInfo(settings.STAFF_TIME_ZONE)
RUN = "fortunes.run_votes"
LOOK = "fortunes.view_proposal"
# Each of the special kinds may be played, and can be drawn.
RULES = {"specials": ["wild", "steal", "copy"]}


def page(proposal: Proposal, below: str = "change/") -> str:
    return f"/admin/fortunes/proposal/{proposal.pk}/{below}"


def drafting(campaign: Campaign) -> str:
    return f"/admin/fortunes/proposal/draft/{campaign.pk}/"


def typed(at: datetime) -> str:
    return at.astimezone(STAFF_TIME).strftime("%Y-%m-%dT%H:%M:%S")


def motion(*options: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The form of a vote, filled in; without options it asks whether to keep the steal card."""
    now = database_clock.now()
    options = options or ({}, {"role-steal": "forbidden", "into-steal": "wild"})
    named = [{"name_zh": f"选项{n}", "name_en": f"Option {n}"} | option for n, option in enumerate(options, start=1)]
    fields = {f"option-{n}-{name}": value for n, option in enumerate(named, start=1) for name, value in option.items()}
    return {
        "question_zh": "保留吗？", "question_en": "Shall it stay?", "opens_at": typed(now + timedelta(minutes=5)),
        "closes_at": typed(now + timedelta(hours=5)), "quorum": 10, "threshold": "50.00", "options": len(options),
        **fields, **changes,
    }  # fmt: skip


def said(response: HttpResponse) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def filled(client: Client, path: str) -> dict[str, Any]:
    """All that a page's forms show, to be sent again."""
    context = client.get(path).context
    forms = [context["adminform"].form, *(one.form for one in context["optionforms"])]
    shown = {form[name].html_name: form[name].value() for form in forms for name in form.fields}
    instants = {name: typed(value) for name, value in shown.items() if isinstance(value, datetime)}
    given = {name: value for name, value in (shown | instants).items() if value not in (None, False)}
    return given | {"options": len(context["optionforms"])}


def errors(response: Any) -> dict[str, list[str]]:
    forms = [response.context["adminform"].form, *(one.form for one in response.context["optionforms"])]
    return {form[name].html_name if name in form.fields else name: list(told)
            for form in forms for name, told in form.errors.items()}  # fmt: skip


def patches(proposal: Proposal) -> list[Any]:
    return list(Option.objects.filter(proposal=proposal).order_by("number").values_list("changes", flat=True))


@pytest.fixture
def campaign(db: None) -> Campaign:
    """A live season in which stealing is allowed."""
    return make.campaign_of_votes(rulebook=RULES)


def announced(campaign: Campaign) -> Amendment:
    """A change that a colleague had announced before the opening."""
    return Amendment.objects.create(
        campaign=campaign, name_zh="少偷", name_en="Fewer steals", changes={"stealing": {"per_day": 1}},
        takes_force_at=database_clock.now() + timedelta(days=2),
    )  # fmt: skip


def opened(boss: Client, proposal: Proposal) -> Proposal:
    """By the buttons, one after the other."""
    found = boss.post(page(proposal, "effects/"))
    assert found.context["may_open"]
    assert "has been opened" in said(boss.post(page(proposal, "opening/"), {"seen": found.context["seen"]}))
    return Proposal.objects.get(pk=proposal.pk)
