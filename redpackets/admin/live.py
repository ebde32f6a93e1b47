"""A campaign's page on the night: it shows figures, and renews them by asking for them as JSON every few seconds.

The sections are written here, in the language and the time zone of whoever asks, for the first sight and for every
answer alike; the script only puts them in place and draws the charts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from cards.actions.counts import StockLevel
from fortunes.amounts import in_yuan, yuan
from fortunes.answers import instant
from fortunes.errors import CampaignNotFound
from fortunes.models import Process
from fortunes.phases import Phase
from redpackets.actions import watching
from redpackets.actions.watching import Sight
from redpackets.admin import phases, tallying, words
from redpackets.models import Settlement

State = Settlement.State
STAGES = tuple(State)


def page(request: HttpRequest, campaign_id: int, site: dict[str, Any]) -> HttpResponse:
    """The whole page, with what it shows at first."""
    sight = _look(campaign_id)
    context = site | {
        "title": _("%(campaign)s, live") % {"campaign": sight.campaign},
        "parts": _parts(request, sight),
        **tallying.renewal(reverse("admin:fortunes_campaign_figures", args=[campaign_id]), sight.now),
    }
    return TemplateResponse(request, "redpackets/admin/live.html", context)


def figures(request: HttpRequest, campaign_id: int) -> JsonResponse:
    """What the page asks for again and again."""
    sight = _look(campaign_id)
    answer = {"server_time": instant(sight.now), "parts": _parts(request, sight), "charts": _charts(sight)}
    return JsonResponse(answer)


def _look(campaign_id: int) -> Sight:
    try:
        return watching.campaign(campaign_id=campaign_id)
    except CampaignNotFound as refusal:
        raise Http404 from refusal


def _parts(request: HttpRequest, sight: Sight) -> dict[str, str]:
    user = request.user
    sections = {
        "head": _head(sight) | {"may_fund": user.has_perm("fortunes.change_campaign")},
        "minutes": _minutes(sight),
        "draws": _draws(sight),
        "stock": {"shelves": [_shelf(sight, level) for level in sight.stock]},
        "votes": tallying.of_campaign(sight.campaign),
        "settlement": _settlement(sight) | {"may_operate": user.has_perm("redpackets.operate_settlement")},
        "machines": _machines(sight) | {"may_operate_jobs": user.has_perm("fortunes.operate_jobs")},
    }
    return {name: render_to_string(f"redpackets/admin/live/{name}.html", shown) for name, shown in sections.items()}


def _charts(sight: Sight) -> dict[str, Any]:
    kinds = [
        {
            "label": str(kind),
            "colour": kind.colour,
            "total": sight.draws.by_kind[kind.slug],
            "counts": sight.draws.minutes[kind.slug],
        }
        for kind in sight.kinds
    ]
    return {"minutes": _labels(sight), "kinds": kinds}


def _labels(sight: Sight) -> list[str]:
    """The minutes of the last hour as the staff's clocks show them."""
    first = timezone.localtime(sight.draws.since)
    return [f"{first + timedelta(minutes=minute):%H:%M}" for minute in range(watching.MINUTES)]


# The sections


def _head(sight: Sight) -> dict[str, Any]:
    phase = sight.campaign.phase(sight.now)
    name, tone = phases.NAMES[phase]
    return {
        "campaign": sight.campaign,
        "phase": name,
        "phase_slug": str(phase),
        "tone": tone,
        "time": words.instant(sight.now),
        "target": _target(sight, phase),
        "tiles": _tiles(sight),
    }


def _target(sight: Sight, phase: Phase) -> dict[str, str] | None:
    """What is counted down to."""
    campaign, run = sight.campaign, sight.settlement
    awaited: list[tuple[datetime | None, str]] = [
        (campaign.opens_at, _("live from")),
        (campaign.closes_at, _("deadline")),
        (campaign.reveal_at, _("packets open from")),
        (run.credit_at if run and run.state == State.CREDIT else None, _("unopened packets are credited from")),
    ]
    ahead = [(at, label) for at, label in awaited if at is not None and at > sight.now]
    if phase == Phase.DRAFT or not ahead:
        return None
    at, label = ahead[0]
    return {"at": instant(at), "shown": words.instant(at), "label": label}


def _tiles(sight: Sight) -> list[dict[str, Any]]:
    campaign, pool = sight.campaign, getattr(sight.campaign, "pool", None)
    tiles = [
        _tile("per-minute", _("Scans in the last minute"), words.number(sight.draws.last_minute)),
        _tile("draws", _("Cards drawn in all"), words.number(sight.draws.total)),
        _tile("pool", _("Pool"), yuan(pool.amount_fen) if pool else "-"),
    ]
    if campaign.counted_at is not None and campaign.phase(sight.now) == Phase.LIVE:
        note = _("counted %(ago)s") % {"ago": words.ago(sight.now, campaign.counted_at)}
        each = _("about %(sum)s") % {"sum": yuan(campaign.each_fen)} if campaign.each_fen is not None else "-"
        tiles.insert(2, _tile("complete", _("Complete sets"), words.number(campaign.complete), note))
        tiles.insert(3, _tile("each", _("Each, if it closed now"), each))
    if sight.settlement and sight.settlement.winners is not None:
        tiles.append(_tile("winners", _("Winners"), words.number(sight.settlement.winners)))
        tiles.append(_tile("paid", _("Payouts posted"), yuan(sight.paid_fen)))
    if campaign.funded_fen is not None:
        left_fen = campaign.funded_fen - campaign.compensated_fen
        note = _("%(paid)s paid") % {"paid": yuan(campaign.compensated_fen)}
        tiles.append(_tile("fund", _("Left for compensations"), yuan(left_fen), note))
    return tiles


def _tile(slug: str, label: str, value: str, note: str = "") -> dict[str, str]:
    return {"slug": slug, "label": label, "value": value, "note": note}


def _minutes(sight: Sight) -> dict[str, Any]:
    """The newest first."""
    columns = list(sight.draws.minutes.values())
    rows = [
        {
            "label": label,
            "counts": [words.number(column[i]) for column in columns],
            "sum": words.number(sum(c[i] for c in columns)),
        }
        for i, label in enumerate(_labels(sight))
    ]
    sources = [
        {"slug": source.slug, "label": str(source), "total": words.number(sight.draws.by_source[source.slug])}
        for source in sight.sources
    ]
    return {"kinds": [{"label": str(kind)} for kind in sight.kinds], "rows": rows[::-1], "sources": sources}


def _draws(sight: Sight) -> dict[str, Any]:
    draws = sight.draws
    kinds = [
        {
            "slug": kind.slug,
            "label": str(kind),
            "colour": kind.colour,
            "total": words.number(draws.by_kind[kind.slug]),
            "share": words.percent(draws.by_kind[kind.slug], draws.total),
            "last": words.number(draws.minutes[kind.slug][-2]),
        }
        for kind in sight.kinds
    ]
    return {"kinds": kinds}


def _shelf(sight: Sight, level: StockLevel) -> dict[str, Any]:
    kind = next(kind for kind in sight.kinds if kind.slug == level.kind)
    drawn = sight.draws.by_kind[kind.slug]
    return {
        "slug": kind.slug,
        "label": str(kind),
        "colour": kind.colour,
        "units": words.number(level.units),
        "released": words.number(level.released),
        "released_percent": words.share(level.released, level.units),
        "drawn": words.number(drawn),
        "drawn_percent": words.share(drawn, level.units),
        # Draws are counted a little later than they happen.
        "at_hand": words.number(max(0, level.left)),
        "left": words.number(level.units - drawn),
        "next": words.instant(level.next_at) if level.next_at else "",
        "next_units": words.number(level.next_units),
        "last_hour": words.number(sum(sight.draws.minutes[kind.slug])),
    }


def _settlement(sight: Sight) -> dict[str, Any]:
    run, progress = sight.settlement, sight.progress
    if run is None or progress is None:
        return {"run": None}
    unfinished = run.state != State.DONE
    return {
        "run": run,
        "alerts": _alerts(sight, run),
        "may_pause": unfinished and run.paused_at is None,
        "may_resume": unfinished and (run.paused_at is not None or run.attempts > 0),
        "stages": [_stage(run, stage) for stage in STAGES],
        "bars": _bars(progress) if run.frozen_at else [],
        "facts": _facts(sight, run, progress),
    }


def _stage(run: Settlement, stage: State) -> dict[str, Any]:
    at, here = STAGES.index(State(run.state)), STAGES.index(stage)
    done = here < at or run.state == State.DONE
    tone = "success" if done else "info" if here == at else ""
    return {"slug": stage.value, "label": stage.label, "done": done, "now": here == at and not done, "tone": tone}


def _alerts(sight: Sight, run: Settlement) -> list[str]:
    told = []
    if run.paused_at:
        told.append(_("Paused since %(at)s.") % {"at": words.instant(run.paused_at)})
    if run.attempts:
        tried = _("Failures at this stage: %(times)s. The last one: %(error)s")
        told.append(tried % {"times": run.attempts, "error": in_yuan(run.last_error)})
    late = sight.now - run.due_at > timedelta(minutes=1) and run.state == State.FREEZE
    if late and not run.paused_at:
        told.append(_("It should have begun at %(at)s: is a worker running?") % {"at": words.instant(run.due_at)})
    return told


def _bars(progress: watching.Progress) -> list[dict[str, Any]]:
    def bar(label: str, done: int) -> dict[str, Any]:
        note = _("%(done)s of %(all)s chunks") % {"done": words.number(done), "all": words.number(progress.chunks)}
        return {"label": label, "note": note, "percent": words.share(done, progress.chunks)}

    # Chunks are found while they are counted, so of those the share of the players is told.
    counted = {"label": _("counting"), "note": f"{progress.reach:.0%}", "percent": round(100 * progress.reach)}
    return [counted, bar(_("posting"), progress.posted), bar(_("crediting"), progress.credited)]


def _facts(sight: Sight, run: Settlement, progress: watching.Progress) -> list[dict[str, str]]:
    winners = run.winners if run.winners is not None else progress.winners
    known = run.share_fen is not None
    facts = [
        ("due", _("Due"), words.instant(run.due_at)),
        ("winners", _("Winners"), words.number(winners) if run.frozen_at else "-"),
        ("pool", _("Pool"), yuan(run.amount_fen)),
        ("paid", _("Payouts posted"), yuan(sight.paid_fen) if known else "-"),
        ("to-post", _("Payouts to post"), yuan(progress.to_post_fen) if known else "-"),
        ("returned", _("Returned to the sponsor"), yuan(run.returned_fen)),
    ]
    if known and winners:
        facts.append(("each", _("Each at least"), yuan(run.minimum_fen + (run.share_fen or 0) // (run.weight or 1))))
    if progress.credited:
        amount = f"{words.number(progress.unopened)} · {yuan(progress.unopened_fen)}"
        facts.append(("unopened", _("Credited unopened"), amount))
    if run.state == State.DONE and run.pool.credit_after_s is not None:
        opened = f"{words.number(winners - progress.unopened)} · {yuan(sight.paid_fen - progress.unopened_fen)}"
        facts.append(("opened", _("Opened by their players"), opened))
    if run.sealed_at:
        facts.append(("sealed", _("Sealed"), words.instant(run.sealed_at)))
    if run.credit_at:
        facts.append(("credit", _("Unopened packets are credited from"), words.instant(run.credit_at)))
    return [{"slug": slug, "label": label, "value": value} for slug, label, value in facts]


def _machines(sight: Sight) -> dict[str, Any]:
    return {
        "processes": [_process(sight, kind) for kind in Process.Kind],
        "jobs": [_job(sight, condition) for condition in sight.conditions],
        "letters": [
            {"pk": letter.pk, "job": letter.job, "subject_id": letter.subject_id, "error": in_yuan(letter.error),
             "since": words.ago(sight.now, letter.buried_at)}
            for letter in sight.letters
        ],
    }  # fmt: skip


def _process(sight: Sight, kind: Process.Kind) -> dict[str, str]:
    at = sight.seen.get(kind.value)
    note = _("seen %(ago)s") % {"ago": words.ago(sight.now, at)} if at else _("never seen")
    return {
        "slug": kind.value,
        "label": str(kind.label),
        "note": note,
        "tone": "success" if sight.is_alive(kind) else "danger",
    }


def _job(sight: Sight, condition: Any) -> dict[str, Any]:
    job = condition.job
    tone, state = ("warning", _("failing")) if job.failures else ("success", _("well"))
    if condition.stuck:
        tone, state = "danger", _("stuck")
    return {
        "name": job.name,
        "tone": tone,
        "state": state,
        "rung": words.ago(sight.now, job.rung_at) if job.rung_at else "-",
        "done": words.ago(sight.now, job.finished_at) if job.finished_at else "-",
        "error": in_yuan(job.last_error) if job.failures else "",
    }
