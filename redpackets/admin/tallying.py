"""A vote as it goes: its figures, for its own page and for its campaign's, renewed as the campaign's page is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cards.models import Aftermath
from fortunes import tally
from fortunes.amounts import yuan
from fortunes.answers import instant
from fortunes.models import Campaign, Proposal
from redpackets.actions import voting
from redpackets.actions.voting import Following, Vote
from redpackets.admin import words

State, Outcome = Proposal.State, Proposal.Outcome
COLOURS = {
    State.DRAFT: "",
    State.OPEN: "success",
    State.COUNTING: "warning",
    State.CLOSED: "info",
    State.CANCELLED: "danger",
}
# "open" is said of trades too, of which it means something else in Chinese.
NAMES = dict(State.choices) | {State.OPEN: gettext_lazy("open for ballots")}
# Of the options, by number; the tenth has the first one's again.
INKS = ("#2a6fbb", "#d98324", "#2e8b57", "#c8102e", "#6b3fa0", "#1f7a85", "#b8860b", "#5c5c5c", "#9a3b6e")


def renewal(figures_url: str, now: datetime) -> dict[str, Any]:
    """What a page that renews itself tells its script."""
    return {
        "figures_url": figures_url,
        "zone": settings.STAFF_TIME_ZONE,
        "server_time": instant(now),
        # Filled in by the script.
        "days": _("%(days)s d"),
        "silence": _("No connection since %(since)s. What is shown may have changed."),
    }


def figures(vote: Vote, *, may_run: bool) -> dict[str, Any]:
    """What the page asks for again and again."""
    return {
        "server_time": instant(vote.now),
        "parts": parts(vote, may_run=may_run),
        "charts": {"options": [_bar(option) for option in standing(vote)]},
    }


def parts(vote: Vote, *, may_run: bool) -> dict[str, str]:
    sections = {
        "head": _head(vote) | {"may_run": may_run},
        "tally": {"rows": standing(vote), "vote": vote, "verdict": verdict(vote)},
    }
    return {name: render_to_string(f"redpackets/admin/vote/{name}.html", shown) for name, shown in sections.items()}


def standing(vote: Vote) -> list[dict[str, Any]]:
    """The options with their ballots so far, or as they were counted."""
    return [
        {
            "number": option.number,
            "label": str(option),
            "colour": INKS[(option.number - 1) % len(INKS)],
            "ballots": vote.ballots[option.number],
            "shown": words.number(vote.ballots[option.number]),
            "share": words.percent(vote.ballots[option.number], vote.cast),
            "percent": words.share(vote.ballots[option.number], vote.cast),
            "won": option.number == vote.proposal.winner,
        }
        for option in vote.options
    ]


def _bar(row: dict[str, Any]) -> dict[str, Any]:
    return {"label": row["label"], "colour": row["colour"], "total": row["ballots"]}


def verdict(vote: Vote) -> str:
    """What has been decided, or what would be by the ballots so far."""
    proposal = vote.proposal
    if proposal.state in (State.CANCELLED, State.DRAFT):
        return ""
    if proposal.state == State.CLOSED:
        return _told(str(proposal.outcome), proposal.winner, vote)
    found = vote.if_closed_now
    return _("If it closed now: %(outcome)s") % {"outcome": _told(found.outcome, found.winner, vote)}


def _told(outcome: str, winner: int | None, vote: Vote) -> str:
    label = str(Outcome(outcome).label)
    name = next((str(option) for option in vote.options if option.number == winner), "")
    return _("%(outcome)s: %(option)s") % {"outcome": label, "option": name} if name else label


def _head(vote: Vote) -> dict[str, Any]:
    proposal = vote.proposal
    return {
        "proposal": proposal,
        "state": NAMES[State(proposal.state)],
        "tone": COLOURS[State(proposal.state)],
        "time": words.instant(vote.now),
        "target": _target(vote),
        "tiles": _tiles(vote),
        "alerts": _alerts(proposal),
        "is_draft": proposal.state == State.DRAFT,
        "may_extend": proposal.state == State.OPEN and vote.now < proposal.closes_at,
        "may_cancel": proposal.state in (State.DRAFT, State.OPEN) or proposal.given_up_at is not None,
    }


def _target(vote: Vote) -> dict[str, str] | None:
    """What is counted down to."""
    proposal = vote.proposal
    if proposal.state != State.OPEN:
        return None
    awaited = [(proposal.opens_at, _("ballots from")), (proposal.closes_at, _("ballots until"))]
    ahead = [(at, label) for at, label in awaited if at > vote.now]
    return {"at": instant(ahead[0][0]), "shown": words.instant(ahead[0][0]), "label": ahead[0][1]} if ahead else None


def _alerts(proposal: Proposal) -> list[str]:
    told = []
    if proposal.state == State.CANCELLED:
        reason = words.in_this_language(proposal.reason_zh, proposal.reason_en)
        told.append(_("Cancelled: %(reason)s") % {"reason": reason})
    if proposal.impossible:
        told.append(_("It was adopted, and changed nothing: %(why)s") % {"why": words.sentence(proposal.impossible)})
    if proposal.attempts:
        tried = _("Failures at the close: %(times)s. The last one: %(error)s")
        told.append(tried % {"times": proposal.attempts, "error": proposal.last_error})
    if proposal.given_up_at:
        told.append(_("Its close has been given up: run it again from the dead letters, or cancel the vote."))
    return told


def _tiles(vote: Vote) -> list[dict[str, str]]:
    proposal = vote.proposal
    if proposal.state == State.DRAFT:
        return []
    quorum = _("%(share)s of the quorum of %(quorum)s") % {
        "share": words.percent(vote.cast, proposal.quorum), "quorum": words.number(proposal.quorum),
    }  # fmt: skip
    tiles = [("cast", _("Ballots"), words.number(vote.cast), quorum)]
    if proposal.eligible is not None:
        turnout = _("turnout %(share)s") % {"share": words.percent(vote.cast, proposal.eligible)}
        tiles.append(("eligible", _("Might have voted"), words.number(proposal.eligible), turnout))
    if vote.cast:
        most = max(vote.ballots.values())
        needed = _("more than %(share)s is needed") % {
            "share": words.percent(proposal.threshold_bp, tally.BASIS_POINTS)
        }
        tiles.append(("lead", _("Share of the first"), words.percent(most, vote.cast), needed))
    return [{"slug": slug, "label": label, "value": value, "note": note} for slug, label, value, note in tiles]


def facts(vote: Vote) -> list[tuple[str, str]]:
    """What was decided about the vote itself, and what is published of its result."""
    proposal = vote.proposal
    told = [
        (_("opens"), words.instant(proposal.opens_at)),
        (_("closes"), words.instant(proposal.closes_at)),
        (_("Least number of ballots"), words.number(proposal.quorum)),
        (_("Threshold"), words.percent(proposal.threshold_bp, tally.BASIS_POINTS)),
        (_("ballots may be changed"), _("yes") if proposal.may_change else _("no")),
        (_("public id"), str(proposal.public_id)),
    ]
    if proposal.closed_at:
        told.append((_("decided"), words.instant(proposal.closed_at)))
    if proposal.ballots_hash is not None:
        told.append((_("hash of the ballots"), bytes(proposal.ballots_hash).hex()))
    return told


# On the page of a campaign


def of_campaign(campaign: Campaign) -> dict[str, Any]:
    """The votes that are not decided yet, and what a decided one has left to be done."""
    found = voting.following(campaign_id=campaign.pk)
    return {
        "campaign": campaign,
        "votes": [_in_brief(vote) for vote in voting.undecided(campaign_id=campaign.pk)],
        "following": _following(found) if found else None,
    }


def _in_brief(vote: Vote) -> dict[str, Any]:
    proposal = vote.proposal
    times = {"opens": words.instant(proposal.opens_at), "closes": words.instant(proposal.closes_at)}
    return {
        "pk": proposal.pk,
        "question": str(proposal),
        "state": NAMES[State(proposal.state)],
        "tone": COLOURS[State(proposal.state)],
        "times": _("ballots from %(opens)s until %(closes)s") % times,
        "rows": standing(vote),
        "verdict": verdict(vote),
    }


def _following(found: Following) -> dict[str, Any]:
    row, is_done = found.aftermath, found.aftermath.state == Aftermath.State.DONE
    facts = [("converted", _("Hands whose cards were converted"), _up_to(found.converted))]
    if found.unpaid:
        waiting = f"{_up_to(found.unpaid)} · {yuan(found.unpaid_fen)}"
        facts.append(("unpaid", _("Not paid yet"), waiting))
    return {
        "version": row.version,
        "state": row.state,
        "stages": [_stage(Aftermath.State(row.state), stage) for stage in Aftermath.State],
        "percent": None if is_done else round(100 * found.reach),
        "facts": [{"slug": slug, "label": label, "value": value} for slug, label, value in facts],
    }


def _stage(here: Aftermath.State, stage: Aftermath.State) -> dict[str, Any]:
    order = list(Aftermath.State)
    done = order.index(stage) < order.index(here) or here == Aftermath.State.DONE
    tone = "success" if done else "info" if stage == here else ""
    return {"label": stage.label, "done": done, "now": stage == here and not done, "tone": tone}


def _up_to(count: int) -> str:
    """A number that is counted up to a limit only."""
    if count <= voting.REACH:
        return words.number(count)
    return _("more than %(count)s") % {"count": words.number(voting.REACH)}
