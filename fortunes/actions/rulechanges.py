"""Changing the rules of a season: the one way to a new version, whoever has decided it.

`apply` writes the next version under the exclusive gate. Staff come to it by `change_by_staff`, announced changes by
`apply_due` when their date has come, and votes by `fortunes.actions.closing`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

import msgspec
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from fortunes import amending, answers, audit, clock, errors, events, gate, rulebooks, rules
from fortunes.models import Amendment, Campaign, Compensation, DatabaseNow, Option, Proposal, Rulebook
from fortunes.rules import Rules
from fortunes.sentences import Sentence

# How often a change by staff knocks at the gate, for 300 ms each time, and how long it lets others pass in between.
KNOCKS = 10
PAUSE_S = 0.2

# Votes that have not been decided. One that was cancelled holds up nothing.
UNDECIDED = (Proposal.State.OPEN, Proposal.State.COUNTING)


def possible(*, campaign: Campaign, patch: Mapping[str, Any]) -> Rules:
    """The rules as they would be if `patch` were laid over those in force now, while the season runs.

    Raises RuleChangeImpossible; to change nothing is impossible, too.
    """
    before = rules.parse(rulebooks.newest(campaign.pk).rules)
    after = _otherwise(before, patch)
    _require_possible(campaign, before, after)
    return after


def apply(
    *,
    campaign_id: int,
    patch: Mapping[str, Any],
    reason: Rulebook.Reason,
    by: int | None,
    proposal: Proposal | None = None,
    amendment: Amendment | None = None,
    compensations: Mapping[str, Mapping[str, Any]] = {},
) -> Rulebook:
    """Put the next version of the rules in force, with what it promises for cards of the roles that it removes.

    The caller holds the gate exclusively, and broadcasts `news` at the end of its transaction. A draft may be changed
    in ways in which a season may not. Raises RuleChangeImpossible, before anything is written.
    """
    campaign, former = Campaign.objects.get(pk=campaign_id), rulebooks.newest(campaign_id)
    before = rules.parse(former.rules)
    after = _laid_over(before, patch)
    if campaign.opened_at is not None:
        _require_possible(campaign, before, after)
    closes_at = campaign.closes_at + _later(before, after)
    if closes_at != campaign.closes_at:
        Campaign.objects.filter(pk=campaign_id).update(closes_at=closes_at)
    rulebook = Rulebook.objects.create(
        campaign_id=campaign_id,
        version=former.version + 1,
        rules=rules.dump(after),
        changes=msgspec.to_builtins(amending.changes(before, after)),
        reason=reason,
        decided_by_id=by,
        proposal=proposal,
        amendment=amendment,
        # Not before the former one, nor the opening, should the database's clock have gone back since.
        in_force_at=max(clock.now(), former.in_force_at, campaign.opened_at or former.in_force_at),
    )
    removed = amending.removed_roles(before, after)
    Compensation.objects.bulk_create(
        Compensation(rulebook=rulebook, role=role, into=promised["into"], amount_fen=promised.get("amount_fen"))
        for role, promised in sorted(compensations.items())
        if role in removed
    )
    return rulebook


def _laid_over(before: Rules, patch: Mapping[str, Any]) -> Rules:
    try:
        return amending.merged(before, patch)
    except rules.RulesError as error:
        raise errors.RuleChangeImpossible(error.why) from error


def _otherwise(before: Rules, patch: Mapping[str, Any]) -> Rules:
    """For whoever asks for a change. One that was decided earlier may find that it has come true by other means."""
    after = _laid_over(before, patch)
    if before == after:
        raise errors.RuleChangeImpossible(Sentence("it changes nothing"))
    return after


def _require_possible(campaign: Campaign, before: Rules, after: Rules) -> None:
    if why := amending.impossible(before, after) or _too_late(campaign, before, after):
        raise errors.RuleChangeImpossible(why)


def _too_late(campaign: Campaign, before: Rules, after: Rules) -> Sentence | None:
    """A deadline that has passed stays where it is: what came after it was refused. Other rules wait for the freeze."""
    if campaign.frozen_at is not None:
        return Sentence("the season is frozen")
    later = _later(before, after)
    if later and clock.now() >= campaign.closes_at:
        return Sentence("the deadline has passed", path="/extension_min")
    if later > campaign.reveal_at - campaign.closes_at:
        return Sentence("the deadline can't come after the reveal", path="/extension_min")
    return None


def _later(before: Rules, after: Rules) -> timedelta:
    return timedelta(minutes=after.extension_min - before.extension_min)


def news(rulebook: Rulebook) -> events.RulebookChanged:
    """What everybody is told of a new version."""
    return events.RulebookChanged(
        version=rulebook.version,
        reason=str(rulebook.reason),
        in_force_at=answers.instant(rulebook.in_force_at),
        closes_at=answers.instant(rulebook.campaign.closes_at),
        proposal=str(rulebook.proposal.public_id) if rulebook.proposal else None,
        amendment=str(rulebook.amendment.public_id) if rulebook.amendment else None,
        paths=[change["path"] for change in rulebook.changes],
    )


def change_by_staff(*, campaign_id: int, patch: Mapping[str, Any], by: int | None) -> Rulebook:
    """Everything of a draft; of a season that has been opened quotas and limits of trades, so that they allow more.

    Audited. Raises CampaignNotFound, CampaignFrozen after the deadline, RuleNeedsVote with the paths of what is beyond
    staff, RuleChangeImpossible, or Busy while the gate isn't to be had.
    """
    for _ in range(KNOCKS):
        try:
            return _change_by_staff(campaign_id, patch, by)
        except gate.Held:
            time.sleep(PAUSE_S)
    raise errors.Busy(retry_after_s=1)


def _change_by_staff(campaign_id: int, patch: Mapping[str, Any], by: int | None) -> Rulebook:
    with transaction.atomic(durable=True):
        gate.close(campaign_id)
        campaign = _locked(campaign_id)
        before = rules.parse(rulebooks.newest(campaign_id).rules)
        after = _otherwise(before, patch)
        if campaign.opened_at is not None:
            _require_staffs_own(campaign, before, after)
        elif _later(before, after):
            why = Sentence("the deadline of a draft is set by itself", path="/extension_min")
            raise errors.RuleChangeImpossible(why)
        rulebook = apply(campaign_id=campaign_id, patch=patch, reason=Rulebook.Reason.STAFF, by=by)
        if campaign.opened_at is not None:
            events.broadcast(campaign_id=campaign_id, payload=news(rulebook))
        audit.record(
            actor=by, action="rules.changed", subject="fortunes.rulebook", subject_id=rulebook.pk,
            campaign=campaign_id, version=rulebook.version,
        )  # fmt: skip
        return rulebook


def _locked(campaign_id: int) -> Campaign:
    """The campaign, which nobody opens meanwhile: the opening, which doesn't pass the gate, waits for this lock.

    Otherwise it would plan the stock of rules that are other ones by now, or what only a draft allows would be done to
    a season.
    """
    campaign = Campaign.objects.select_for_update(no_key=True).filter(pk=campaign_id).first()
    if campaign is None:
        raise errors.CampaignNotFound
    return campaign


def _require_staffs_own(campaign: Campaign, before: Rules, after: Rules) -> None:
    if campaign.frozen_at is not None or clock.now() >= campaign.closes_at:
        raise errors.CampaignFrozen
    if paths := amending.beyond_staff(before, after):
        raise errors.RuleNeedsVote(", ".join(paths), paths=paths)


class Announced(TypedDict):
    """What staff announce: a name for it, a merge patch of the rules, and its date."""

    name_zh: str
    name_en: str
    changes: Mapping[str, Any]
    takes_force_at: datetime


def announce(*, campaign_id: int, by: int | None, **announced: Unpack[Announced]) -> Amendment:
    """Announce a change of the rules for a date, before the campaign is opened; it is binding from then on.

    Audited. Raises CampaignNotFound, RuleNeedsVote after the opening, or RuleChangeImpossible, also for a date that
    lies outside the season.
    """
    with transaction.atomic(durable=True):
        return announce_within(campaign_id=campaign_id, by=by, **announced)


def announce_within(*, campaign_id: int, by: int | None, **announced: Unpack[Announced]) -> Amendment:
    """`announce` as the last part of the caller's transaction."""
    changes, takes_force_at = announced["changes"], announced["takes_force_at"]
    campaign = _locked(campaign_id)
    before = _expected(campaign, takes_force_at)
    after = _otherwise(before, changes)
    if campaign.opened_at is not None:
        paths = sorted(amending.touched(before, after))
        raise errors.RuleNeedsVote(", ".join(paths), paths=paths)
    _require_possible(campaign, before, after)
    if not max(campaign.opens_at, clock.now()) < takes_force_at < campaign.closes_at:
        why = Sentence("its date must be ahead, after the opening and before the deadline")
        raise errors.RuleChangeImpossible(why)
    amendment = Amendment.objects.create(
        campaign=campaign, name_zh=announced["name_zh"], name_en=announced["name_en"], changes=dict(changes),
        takes_force_at=takes_force_at, announced_by_id=by,
    )  # fmt: skip
    told = events.RuleAnnounced(amendment=str(amendment.public_id), takes_force_at=answers.instant(takes_force_at))
    events.broadcast(campaign_id=campaign_id, payload=told)
    audit.record(
        actor=by, action="rules.announced", subject="fortunes.amendment", subject_id=amendment.pk, campaign=campaign_id
    )
    return amendment


def _expected(campaign: Campaign, at: datetime) -> Rules:
    """The rules as they will be then, if everything takes force that has been announced for before."""
    expected = rules.parse(rulebooks.newest(campaign.pk).rules)
    for amendment in _pending().filter(campaign=campaign, takes_force_at__lte=at).order_by("takes_force_at", "pk"):
        expected = _laid_over(expected, amendment.changes)
    return expected


def _pending() -> QuerySet[Amendment]:
    return Amendment.objects.filter(applied_at=None, struck_at=None, impossible__isnull=True)


def apply_due() -> None:
    """Put announced changes in force whose date has come, the next one of each campaign.

    Any number may call. Where the gate isn't to be had the next ring finds the same. What has become impossible is
    noted on the announcement, and done with.
    """
    failures: list[Exception] = []
    for amendment_id, campaign_id in _due().values_list("pk", "campaign_id"):
        try:
            _take_force(amendment_id, campaign_id)
        except gate.Held:
            continue
        except Exception as failure:
            # One campaign that can't be changed holds up no other.
            failures.append(failure)
    if failures:
        raise failures[0]


def _due() -> QuerySet[Amendment]:
    """In their order, however late somebody is with the one before, and with the vote that could strike it."""
    date = OuterRef("takes_force_at")
    votes = Option.objects.filter(strikes=OuterRef("pk"), proposal__state__in=UNDECIDED, proposal__closes_at__lte=date)
    former = _pending().filter(
        Q(takes_force_at__lt=date) | Q(takes_force_at=date, pk__lt=OuterRef("pk")), campaign=OuterRef("campaign")
    )
    come = _pending().filter(campaign__opened_at__isnull=False, takes_force_at__lte=DatabaseNow())
    return come.exclude(Exists(votes)).exclude(Exists(former))


def _take_force(amendment_id: int, campaign_id: int) -> None:
    with transaction.atomic(durable=True):
        gate.close(campaign_id)
        # Under the gate: another worker has done it, or a vote has struck it.
        amendment = _due().filter(pk=amendment_id).first()
        if amendment is None:
            return
        try:
            _require_in_season(amendment)
            rulebook = apply(
                campaign_id=campaign_id, patch=amendment.changes, reason=Rulebook.Reason.STAFF,
                by=amendment.announced_by_id, amendment=amendment,
            )  # fmt: skip
        except errors.RuleChangeImpossible as refusal:
            Amendment.objects.filter(pk=amendment_id).update(impossible=msgspec.to_builtins(refusal.why))
            _record(amendment, "rules.announcement_impossible")
            return
        Amendment.objects.filter(pk=amendment_id).update(applied_at=rulebook.in_force_at)
        events.broadcast(campaign_id=campaign_id, payload=news(rulebook))
        _record(amendment, "rules.announcement_applied", version=rulebook.version)


def _require_in_season(amendment: Amendment) -> None:
    """The deadline of a draft may have been put before the date. No freeze waits for what is due after the deadline, so
    whether it were in force by then would be a matter of milliseconds.
    """
    if amendment.takes_force_at > amendment.campaign.closes_at:
        raise errors.RuleChangeImpossible(Sentence("the deadline comes before its date"))


def _record(amendment: Amendment, action: str, **data: Any) -> None:
    audit.record(
        actor=None, action=action, subject="fortunes.amendment", subject_id=amendment.pk,
        campaign=amendment.campaign_id, **data,
    )  # fmt: skip


def awaited(*, campaign_id: int) -> bool:
    """Whether something may still change the rules that was to do so by the deadline: the freeze waits for it."""
    deadline = F("campaign__closes_at")
    votes = Proposal.objects.filter(campaign=campaign_id, state__in=UNDECIDED, closes_at__lte=deadline)
    return votes.exists() or _pending().filter(campaign=campaign_id, takes_force_at__lte=deadline).exists()
