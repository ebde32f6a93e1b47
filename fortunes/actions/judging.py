"""What a proposal has to be like: as a draft, and again, with all that is in force and announced, when it is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from fortunes import amending, errors, rulebooks, rules, tally
from fortunes.actions import rulechanges
from fortunes.models import Amendment, Campaign, Compensation, Option, Proposal

MOST_OPTIONS = 10
MOST_NAME = 64
MOST_QUESTION = 200
MOST_QUORUM = 2**31 - 1
# A later deadline is decided that long before the former one at least: once it has passed, nobody moves it any more.
EXTENSION_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionPlan:
    """One of a proposal's options: `changes` is a merge patch of the rules, `strikes` the id of an announced change.

    `compensations` say of each role that the changes remove what becomes of its cards:
    {"steal": {"into": "wild" | "fortune" | "fen", "amount_fen": 100}}.
    """

    name_zh: str
    name_en: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    strikes: int | None = None
    compensations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def require_draft(proposal: Proposal, *, options: Sequence[OptionPlan]) -> None:
    """What has to be right of a draft, whatever is in force. Raises InvalidProposal with the field."""
    _require_text("question_zh", proposal.question_zh, MOST_QUESTION)
    _require_text("question_en", proposal.question_en, MOST_QUESTION)
    if proposal.opens_at.tzinfo is None or proposal.closes_at.tzinfo is None:
        raise _invalid("opens_at", _("Instants need a time zone."))
    if not proposal.opens_at < proposal.closes_at:
        raise _invalid("closes_at", _("A vote closes after it has opened."))
    if not 1 <= proposal.quorum <= MOST_QUORUM:
        raise _invalid("quorum", _("The quorum is one ballot at least."))
    if not 0 <= proposal.threshold_bp < tally.BASIS_POINTS:
        raise _invalid("threshold_bp", _("The threshold is 0 to 9999 hundredths of a percent."))
    if not 2 <= len(options) <= MOST_OPTIONS:
        raise _invalid("options", _("A proposal has 2 to %(most)s options.") % {"most": MOST_OPTIONS})
    for number, plan in enumerate(options, start=1):
        _require_plan(proposal.campaign_id, number, plan)
    for names in ([plan.name_zh for plan in options], [plan.name_en for plan in options]):
        if len(set(names)) < len(names):
            raise _invalid("options", _("Two options have the same name."))


def _require_plan(campaign_id: int, number: int, plan: OptionPlan) -> None:
    """That it can be read. Whether its changes are possible depends on what is in force when the vote opens."""
    field_of = f"options.{number}"
    _require_text(f"{field_of}.name_zh", plan.name_zh, MOST_NAME)
    _require_text(f"{field_of}.name_en", plan.name_en, MOST_NAME)
    if not isinstance(plan.changes, Mapping):
        raise _invalid(f"{field_of}.changes", _("The changes of an option are an object."))
    if unknown := sorted(set(plan.changes) - set(rules.Rules.__struct_fields__)):
        raise _invalid(f"{field_of}.changes", _("No rule has the name %(name)s.") % {"name": unknown[0]})
    if plan.strikes is not None and not Amendment.objects.filter(pk=plan.strikes, campaign=campaign_id).exists():
        raise _invalid(f"{field_of}.strikes", _("This campaign has no such announced change."))
    for role, promised in plan.compensations.items():
        _require_promise(f"{field_of}.compensations", role, promised)


def _require_promise(field_of: str, role: str, promised: Mapping[str, Any]) -> None:
    if role not in rules.SPECIALS:
        raise _invalid(field_of, _("No special kind has the role %(role)s.") % {"role": role})
    if not isinstance(promised, Mapping) or not {"into"} <= set(promised) <= {"into", "amount_fen"}:
        raise _invalid(field_of, _("A compensation says what the cards become."))
    if promised["into"] not in Compensation.Into.values:
        raise _invalid(field_of, _("Cards become a wild card, a random fortune or money."))
    amount_fen = promised.get("amount_fen")
    if promised["into"] == Compensation.Into.FEN:
        if isinstance(amount_fen, bool) or not isinstance(amount_fen, int) or not 0 < amount_fen < rules.MAX_FEN:
            raise _invalid(field_of, _("The amount is at least one fen."))
    elif amount_fen is not None:
        raise _invalid(field_of, _("Only money has an amount."))


def require_reason(*, reason_zh: str, reason_en: str) -> None:
    """Raises InvalidProposal."""
    _require_text("reason_zh", reason_zh, MOST_QUESTION)
    _require_text("reason_en", reason_en, MOST_QUESTION)


def require_openable(proposal: Proposal, *, now: datetime) -> None:
    """All that has to be right when a vote opens at `now`, with its options as they are stored; the gate is shut.

    Raises CampaignNotLive, CampaignFrozen, InvalidProposal, RuleChangeImpossible or ProposalConflict.
    """
    campaign = proposal.campaign
    if campaign.opened_at is None:
        raise errors.CampaignNotLive
    if campaign.frozen_at is not None or now >= campaign.closes_at:
        raise errors.CampaignFrozen
    if not proposal.opens_at < proposal.closes_at:
        raise _invalid("closes_at", _("A vote closes after it has opened."))
    options = list(Option.objects.filter(proposal=proposal).select_related("strikes").order_by("number"))
    before = rules.parse(rulebooks.newest(campaign.pk).rules)
    _require_in_time(campaign, options, proposal.closes_at, before)
    for option in options:
        _require_possible(campaign, option, before)
        _require_unannounced(campaign, option, before)
    _require_alone(proposal, options, before)


def require_extendable(proposal: Proposal, *, closes_at: datetime) -> None:
    """Raises InvalidProposal."""
    if closes_at.tzinfo is None:
        raise _invalid("closes_at", _("Instants need a time zone."))
    if closes_at <= proposal.closes_at:
        raise _invalid("closes_at", _("A vote can only be extended."))
    options = list(Option.objects.filter(proposal=proposal).select_related("strikes").order_by("number"))
    before = rules.parse(rulebooks.newest(proposal.campaign_id).rules)
    _require_in_time(proposal.campaign, options, closes_at, before)


def _require_in_time(campaign: Campaign, options: Sequence[Option], closes_at: datetime, before: rules.Rules) -> None:
    """Decided before what it is to change has become final."""
    if closes_at > campaign.closes_at:
        raise _invalid("closes_at", _("After the deadline no vote can change anything."))
    for option in options:
        extends = option.changes.get("extension_min", before.extension_min) != before.extension_min
        if extends and closes_at > campaign.closes_at - EXTENSION_MARGIN:
            raise _invalid("closes_at", _("Whether the deadline moves is decided a minute before it at least."))
        if option.strikes is not None:
            _require_strikable(option.number, option.strikes, closes_at)


def _require_strikable(number: int, amendment: Amendment, closes_at: datetime) -> None:
    if amendment.applied_at or amendment.struck_at or amendment.impossible:
        raise _invalid(f"options.{number}.strikes", _("The announced change is not ahead any more."))
    if closes_at > amendment.takes_force_at:
        raise _invalid("closes_at", _("The announced change takes force before the vote closes."))


def _require_possible(campaign: Campaign, option: Option, before: rules.Rules) -> None:
    after = before
    if option.changes:
        try:
            after = rulechanges.possible(campaign=campaign, patch=option.changes)
        except errors.RuleChangeImpossible as refusal:
            raise errors.RuleChangeImpossible(refusal.why, option=option.number) from refusal
    removed = set(amending.removed_roles(before, after))
    if odd := sorted(removed ^ option.compensations.keys()):
        said = _("What becomes of the cards of a special kind is said of those that the option removes: %(role)s.")
        raise _invalid(f"options.{option.number}.compensations", said % {"role": odd[0]})


def _require_unannounced(campaign: Campaign, option: Option, before: rules.Rules) -> None:
    """What was announced for a date and isn't struck would undo what the vote has decided, or the vote undo it."""
    pending = Amendment.objects.filter(campaign=campaign, applied_at=None, struck_at=None, impossible__isnull=True)
    for amendment in pending.order_by("pk"):
        path = _contradiction(before, option.changes, amendment.changes)
        if path is not None and amendment.pk != option.strikes_id:
            raise _conflict(amendment, path)


def _require_alone(proposal: Proposal, options: Sequence[Option], before: rules.Rules) -> None:
    """No other vote that isn't decided yet touches what this one does."""
    undecided = {"proposal__state__in": rulechanges.UNDECIDED}
    others = Option.objects.filter(proposal__campaign=proposal.campaign_id, **undecided).select_related("proposal")
    for other in others.order_by("proposal", "number"):
        for option in options:
            if option.strikes_id is not None and option.strikes_id == other.strikes_id:
                raise _conflict(other.proposal, "")
            path = _contradiction(before, option.changes, other.changes)
            if path is not None:
                raise _conflict(other.proposal, path)


def _conflict(other: Amendment | Proposal, path: str) -> errors.ProposalConflict:
    facts: dict[str, Any] = {"with": str(other.public_id), "path": path}
    return errors.ProposalConflict(**facts)


def _contradiction(before: rules.Rules, one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """Where two changes of the rules contradict each other; None if they don't.

    They do if they meet in a path, and also if one makes the other impossible: each kind may lose its weight, but not
    both of the last two.
    """
    if not one or not other:
        return None
    path = amending.conflict(_paths(one), _paths(other))
    if path is not None:
        return path
    try:
        amending.merged(amending.merged(before, other), one)
        return None
    except rules.RulesError:
        return min(_paths(one))


def _paths(patch: Mapping[str, Any]) -> frozenset[str]:
    """What a change says anything of, whether it differs from what is in force today or not.

    Whether a special kind may be played and how often it is drawn go together.
    """
    said = frozenset(_leaves("", patch))
    return said | {"/weights"} if "/specials" in said else said


def _leaves(path: str, patch: Any) -> Iterator[str]:
    if isinstance(patch, Mapping) and patch:
        for name, value in patch.items():
            yield from _leaves(f"{path}/{name}", value)
    else:
        yield path


def _require_text(name: str, text: str, most: int) -> None:
    if not text.strip():
        raise _invalid(name, _("It is missing in one of the languages."))
    if len(text) > most:
        raise _invalid(name, _("It has %(most)s characters at most.") % {"most": most})


def _invalid(name: str, detail: str) -> errors.InvalidProposal:
    return errors.InvalidProposal(detail, field=name)
