"""Opening a campaign: everything is checked, then stock, settlement and the opening itself are one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cards import catalogue
from cards.actions import stock
from cards.models import CardKind
from fortunes import amending, amounts, audit, clock, rules, secretkeys
from fortunes.actions import campaigns
from fortunes.errors import CampaignAlreadyOpened, CampaignNotFound, OpeningChecksFailed, said
from fortunes.models import Amendment, Campaign, DatabaseNow, Rulebook
from redpackets import ledger
from redpackets.actions import splits
from redpackets.models import Pool, Settlement

Role = CardKind.Role


@dataclass(frozen=True, slots=True)
class Check:
    """One condition for opening a campaign; `detail` gives the figures."""

    slug: str
    ok: bool
    title: str | Promise
    detail: str


def open(*, campaign_id: int, by: int | None = None) -> Campaign:
    """Open a draft campaign: plan its stock, make its settlement, announce it.

    `by` is the member of staff who asked for it, None for a command. Raises CampaignNotFound, CampaignAlreadyOpened,
    or OpeningChecksFailed with the slugs of what failed.
    """
    with transaction.atomic(durable=True):
        # Two openings at once take turns here, and the second finds the campaign opened.
        campaign = Campaign.objects.select_for_update().filter(pk=campaign_id).first()
        if campaign is None:
            raise CampaignNotFound
        if campaign.opened_at is not None:
            raise CampaignAlreadyOpened
        failed = [check.slug for check in checks(campaign_id=campaign_id) if not check.ok]
        if failed:
            raise OpeningChecksFailed(", ".join(failed), failed=failed)
        pool = Pool.objects.get(campaign_id=campaign_id)
        stock.plan(campaign=campaign, rulebook=_rules_in_force(campaign_id))
        Settlement.objects.create(pool=pool, due_at=campaign.closes_at, amount_fen=pool.amount_fen)
        opened = campaigns.mark_opened(campaign_id=campaign_id, by=by)
        audit.record(
            actor=by, action="campaign.opened", subject="fortunes.campaign", subject_id=campaign_id,
            pool=pool.pk, amount_fen=pool.amount_fen,
        )  # fmt: skip
        return opened


def checks(*, campaign_id: int) -> list[Check]:
    """All conditions for opening a campaign, in a stable order, met or not. Raises CampaignNotFound."""
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None:
        raise CampaignNotFound
    pool = Pool.objects.filter(campaign_id=campaign_id).first()
    return [
        _deadline_ahead(campaign),
        *_rules(campaign),
        *_money(pool),
        _draw_commitment(campaign),
        _settlement_commitment(campaign, pool),
    ]


def _rules_in_force(campaign_id: int) -> rules.Rules:
    in_force = Rulebook.objects.filter(campaign_id=campaign_id, in_force_at__lte=DatabaseNow()).latest("version")
    return rules.parse(in_force.rules)


def _deadline_ahead(campaign: Campaign) -> Check:
    ahead = campaign.closes_at > clock.now()
    return Check("deadline-ahead", ahead, _("The deadline is ahead"), campaign.closes_at.isoformat())


def _rules(campaign: Campaign) -> Iterator[Check]:
    try:
        parsed = _rules_in_force(campaign.pk)
    except rules.RulesError as error:
        yield Check("rules-valid", False, _("The rules are valid"), str(said(error.why)))
        return
    except Rulebook.DoesNotExist:
        yield Check("rules-valid", False, _("The rules are valid"), "")
        return
    known = catalogue.read(campaign.pk)
    kinds = sorted({*parsed.weights, *parsed.complete_set, *parsed.caps} - set(known.kinds))
    sources = sorted(set(parsed.quotas) - set(known.sources))
    missing = sorted(set(known.sources) - set(parsed.quotas))
    total = sum(parsed.weights.values())
    scans = sum(min(quota.per_day, quota.per_campaign) > 0 for quota in parsed.quotas.values())
    yield Check("rules-valid", True, _("The rules are valid"), "")
    yield Check("weights-positive", total > 0, _("The weights sum to more than zero"), str(total))
    yield Check("kinds-known", not kinds, _("The rules name only kinds of this campaign"), ", ".join(kinds))
    yield Check("sources-known", not sources, _("The rules name only sources of this campaign"), ", ".join(sources))
    yield Check("quotas-complete", not missing, _("Every source of this campaign has a quota"), ", ".join(missing))
    yield Check("scans-allowed", scans > 0, _("At least one source allows scans"), str(scans))
    yield from _split(campaign.pk, parsed)
    yield _set_reachable(parsed)
    yield _special_kinds(parsed, known)


def _split(campaign_id: int, parsed: rules.Rules) -> Iterator[Check]:
    """What is promised can be paid, under the rules in force as well as when announced changes have taken force."""
    yield _split_fits("split-fits", _("The pool can pay the jackpots, and everybody the minimum"), campaign_id, parsed)
    announced = Amendment.objects.filter(campaign=campaign_id, applied_at=None, struck_at=None)
    for amendment in announced.order_by("takes_force_at", "pk"):
        try:
            parsed = amending.merged(parsed, amendment.changes)
        except rules.RulesError as error:
            yield Check("announced-possible", False, _("What has been announced is possible"), str(said(error.why)))
            return
        title = _("The pool can pay them also as it has been announced")
        yield _split_fits("announced-split-fits", title, campaign_id, parsed)


def _split_fits(slug: str, title: str | Promise, campaign_id: int, parsed: rules.Rules) -> Check:
    missing = splits.missing_fen(campaign_id=campaign_id, split=parsed.split)
    return Check(slug, missing == 0, title, f"-{amounts.yuan(missing)}" if missing else parsed.split.mode)


def _set_reachable(parsed: rules.Rules) -> Check:
    never = sorted(slug for slug in parsed.complete_set if parsed.weights.get(slug, 0) == 0)
    title = _("Every card of the complete set can be drawn")
    return Check("set-reachable", bool(parsed.complete_set) and not never, title, ", ".join(never))


def _special_kinds(parsed: rules.Rules, known: catalogue.Catalogue) -> Check:
    """A wild card that were part of the set would count for itself and for another; of two of a role one is no good."""
    special = [(slug, role) for slug, role in zip(known.kinds, known.roles, strict=True) if role != Role.FORTUNE]
    in_set = {slug for slug, _ in special if slug in parsed.complete_set}
    twice = {slug for slug, role in special if known.roles.count(role) > 1}
    title = _("Special cards are no part of the complete set, and there is one of each kind at most")
    return Check("special-kinds", not in_set | twice, title, ", ".join(sorted(in_set | twice)))


def _money(pool: Pool | None) -> Iterator[Check]:
    yield Check("pool-exists", pool is not None, _("There is a pool"), amounts.yuan(pool.amount_fen) if pool else "")
    funded = ledger.funded_fen(pool.pk) if pool else 0
    wanted = pool.amount_fen if pool else 0
    title = _("The pool is funded exactly")
    yield Check(
        "pool-funded", pool is not None and funded == wanted, title, f"{amounts.yuan(funded)} / {amounts.yuan(wanted)}"
    )


def _draw_commitment(campaign: Campaign) -> Check:
    key = settings.DRAW_KEYS.get(campaign.draw_key_id)
    kept = key is not None and bytes(campaign.draw_commitment) == secretkeys.commitment(
        secretkeys.derive(key, "draw", campaign.public_id)
    )
    title = _("The commitment to the draw secret is published and its key is at hand")
    return Check("draw-commitment", kept, title, bytes(campaign.draw_commitment).hex())


def _settlement_commitment(campaign: Campaign, pool: Pool | None) -> Check:
    """Processes that hold the settlement keys compare; the others see that a process which does has stamped it."""
    title = _("The commitment to the settlement's secret is published")
    if pool is None or pool.commitment is None or pool.key_id is None:
        return Check("settlement-commitment", False, title, "")
    published = bytes(pool.commitment)
    kept = True
    if settings.SETTLEMENT_KEYS:
        key = settings.SETTLEMENT_KEYS.get(pool.key_id)
        kept = key is not None and published == secretkeys.commitment(
            secretkeys.derive(key, "settlement", campaign.public_id)
        )
    return Check("settlement-commitment", kept, title, published.hex())
