"""Putting a motion to the vote once all that it touches has been asked: the rules, the cards, and the money.

The ground knows neither cards nor money, so here is where a proposal is opened and where its effects are foreseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from cards.actions import effects
from cards.actions.effects import Check, Effects
from fortunes import amending, amounts, rulebooks, rules
from fortunes.actions import proposals, rulechanges
from fortunes.errors import InvalidProposal, ProposalNotFound, RuleChangeImpossible
from fortunes.models import Campaign, Option, Proposal
from redpackets.actions import conversions, splits


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What one option would do if it won now.

    `changes` of the rules, `effects` on cards, `split` of the pool afterwards. `checks` are all conditions for putting
    it to the vote, met or not. Where the rules can't be changed so, `effects` is None and that is the one check.
    `missing_fen` is what the campaign's compensation fund lacks for the money that it would owe.
    """

    option: Option
    changes: list[amending.Change]
    effects: Effects | None
    split: rules.Split
    missing_fen: int
    checks: list[Check]

    @property
    def may_open(self) -> bool:
        return all(check.ok for check in self.checks)


def preview(*, proposal_id: int) -> list[Foreseen]:
    """What each option would do, by number. Changes nothing, and reads every hand. Raises ProposalNotFound."""
    proposal = Proposal.objects.select_related("campaign").filter(pk=proposal_id).first()
    if proposal is None:
        raise ProposalNotFound
    return [_foresee(proposal.campaign, option) for option in _options(proposal)]


def open_(*, proposal_id: int, by: int | None, seen: str | None = None) -> Proposal:
    """Put a drafted proposal to the vote; if `seen` is given, only the one that has this fingerprint.

    Raises InvalidProposal with the checks that an option fails, and whatever `fortunes.actions.proposals.open_` raises.
    """
    # Not under the gate: it reads every hand, and how many cards there are by the close is anybody's guess.
    for foreseen in preview(proposal_id=proposal_id):
        if foreseen.effects is not None:
            _require(foreseen.option, foreseen.checks)
    return proposals.open_(proposal_id=proposal_id, by=by, seen=seen, check=_require_possible)


def _require_possible(proposal: Proposal) -> None:
    """Under the gate, so by the rules that are in force when it is opened."""
    for option in _options(proposal):
        _require(option, list(_checks(proposal.campaign, option)))


def _require(option: Option, checks: list[Check]) -> None:
    failed = [check for check in checks if not check.ok]
    if failed:
        detail = "; ".join(f"{check.title}: {check.detail}" if check.detail else str(check.title) for check in failed)
        raise InvalidProposal(detail, option=option.number, failed=[check.slug for check in failed])


def _foresee(campaign: Campaign, option: Option) -> Foreseen:
    before = rulebooks.current(campaign.pk)
    try:
        after = _after(campaign, option)
        asked = _asked(campaign, option)
        found, checks = effects.preview(**asked), list(_checks(campaign, option))
    except RuleChangeImpossible as refusal:
        impossible = Check("rules-possible", False, _("The rules can be changed so"), str(refusal.detail))
        return Foreseen(option, [], None, before.split, 0, [impossible])
    missing_fen = max(0, found.owed_fen - conversions.free_fen(campaign_id=campaign.pk))
    return Foreseen(
        option=option,
        changes=amending.changes(before, after),
        effects=found,
        split=after.split,
        missing_fen=missing_fen,
        checks=[*checks, _fund_covers(found.owed_fen, missing_fen)],
    )


def _checks(campaign: Campaign, option: Option) -> Iterator[Check]:
    """What cards and money ask of an option, by the rules in force. Raises RuleChangeImpossible."""
    yield from effects.checks(**_asked(campaign, option))
    missing_fen = splits.missing_fen(campaign_id=campaign.pk, split=_after(campaign, option).split)
    title = _("The pool can pay the jackpots, and everybody the minimum")
    yield Check("split-fits", missing_fen == 0, title, f"-{amounts.yuan(missing_fen)}" if missing_fen else "")


def _fund_covers(owed_fen: int, missing_fen: int) -> Check:
    title = _("Enough has been set aside for what cards would become money")
    return Check("fund-covers", missing_fen == 0, title, amounts.yuan(owed_fen) if owed_fen else "")


def _after(campaign: Campaign, option: Option) -> rules.Rules:
    if not option.changes:
        return rulebooks.current(campaign.pk)
    return rulechanges.possible(campaign=campaign, patch=option.changes)


def _asked(campaign: Campaign, option: Option) -> dict[str, Any]:
    return {"campaign_id": campaign.pk, "patch": option.changes, "compensations": option.compensations}


def _options(proposal: Proposal) -> list[Option]:
    return list(proposal.options.order_by("number"))
