"""What a vote's options would do, in words: the rules that they change, and what follows for cards and money."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from fortunes import rulebooks
from fortunes.amounts import yuan
from fortunes.models import Compensation, Option, Proposal
from redpackets.actions.motions import Foreseen
from redpackets.actions.voting import Vote
from redpackets.admin import words
from redpackets.admin.ruling import Tongue


def options(vote: Vote, found: Sequence[Foreseen], tongue: Tongue) -> list[dict[str, Any]]:
    """Each option with its changes, and with what was `found` to follow from it at this moment, if that was asked.

    Beside the changes of a vote that is still to be decided stands what is in force now.
    """
    proposal = vote.proposal
    is_ahead = proposal.state in (Proposal.State.DRAFT, Proposal.State.OPEN, Proposal.State.COUNTING)
    now = rulebooks.in_force(proposal.campaign_id).rules if is_ahead else {}
    foreseen = {one.option.number: one for one in found}
    return [_option(option, tongue, now, is_ahead) | _found(foreseen.get(option.number), tongue)
            for option in vote.options]  # fmt: skip


def _option(option: Option, tongue: Tongue, now: dict[str, Any], is_ahead: bool) -> dict[str, Any]:
    strikes = option.strikes
    return {
        "number": option.number,
        "name_zh": option.name_zh,
        "name_en": option.name_en,
        "lines": tongue.patch(option.changes, now),
        "is_ahead": is_ahead,
        "promises": tongue.promises(option.compensations),
        "strikes": strikes,
        "struck_lines": tongue.patch(strikes.changes, now) if strikes else [],
    }


def _found(foreseen: Foreseen | None, tongue: Tongue) -> dict[str, Any]:
    if foreseen is None:
        return {"effects": None, "faults": []}
    faults = [check for check in foreseen.checks if not check.ok]
    return {"effects": list(_effects(foreseen, tongue)), "faults": faults}


def _effects(foreseen: Foreseen, tongue: Tongue) -> Iterator[str]:
    effects = foreseen.effects
    for removal in effects.removals if effects else ():
        yield from _removal(removal, tongue)
    if effects and effects.complete_before is not None and effects.complete_after is not None:
        said = _("Complete sets: %(before)s now, %(after)s then.")
        yield said % {
            "before": words.number(effects.complete_before), "after": words.number(effects.complete_after),
        }  # fmt: skip
    for slug, units in effects.raised.items() if effects else ():
        yield _("%(count)s more × %(card)s would come.") % {
            "count": words.number(units), "card": tongue.kind(slug),
        }  # fmt: skip
    if effects and effects.owed_fen:
        yield _("%(sum)s would be owed from the compensation fund.") % {"sum": yuan(effects.owed_fen)}
    if foreseen.missing_fen:
        yield _("The fund lacks %(sum)s for it.") % {"sum": yuan(foreseen.missing_fen)}


def _removal(removal: Any, tongue: Tongue) -> Iterator[str]:
    told = {
        "cards": words.number(removal.cards),
        "card": tongue.kind(removal.kind),
        "players": words.number(removal.players),
    }
    into = Compensation.Into(removal.into) if removal.into else None
    if into == Compensation.Into.WILD:
        yield _("%(cards)s × %(card)s, held by %(players)s players, would become wild cards.") % told
    elif into == Compensation.Into.FORTUNE:
        yield _("%(cards)s × %(card)s, held by %(players)s players, would become random fortunes.") % told
    elif into == Compensation.Into.FEN:
        said = _("%(cards)s × %(card)s, held by %(players)s players, would become %(sum)s in all.")
        yield said % (told | {"sum": yuan(removal.owed_fen)})
    else:
        yield _("%(cards)s × %(card)s, held by %(players)s players, would stay, and be worth nothing.") % told
    if removal.trades:
        yield _("%(count)s open trades with it would be void.") % {"count": words.number(removal.trades)}
