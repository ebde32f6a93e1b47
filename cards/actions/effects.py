"""What a change of the rules would do to cards if it took force now, before it is put to the vote. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext_lazy as _

from cards import catalogue, consequences
from cards.models import CardKind
from fortunes import amending, rulebooks, sql
from fortunes.actions import rulechanges
from fortunes.models import Campaign, Compensation
from fortunes.rules import Rules

Patch = Mapping[str, Any]
# What becomes of a card, by the role of its kind: {"steal": {"into": "fen", "amount_fen": 100}}.
Compensations = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Check:
    """One condition for putting a change to the vote; `detail` names what is in the way."""

    slug: str
    ok: bool
    title: str | Lazy
    detail: str


@dataclass(frozen=True, slots=True)
class Removal:
    """What a removed kind leaves: `cards` of it are held by `players`, and `trades` that are open would be void.

    `into` is what they would become, None if they stay and are worth nothing: `wild`, `fortune` or `fen`, for which
    `owed_fen` would be paid in all.
    """

    role: str
    kind: str
    cards: int
    players: int
    trades: int
    into: str | None
    owed_fen: int


@dataclass(frozen=True, slots=True)
class Effects:
    """What a change would do to cards.

    `complete_before` and `complete_after` are the hands that are complete, None where the change leaves that alone.
    `raised` are the units by which caps are raised, by slug.
    """

    removals: list[Removal]
    complete_before: int | None
    complete_after: int | None
    raised: dict[str, int]

    @property
    def owed_fen(self) -> int:
        return sum(removal.owed_fen for removal in self.removals)


def checks(*, campaign_id: int, patch: Patch, compensations: Compensations) -> list[Check]:
    """All that cards ask of a change, in a stable order, met or not.

    An empty patch changes nothing, and needs no compensation. Raises RuleChangeImpossible.
    """
    known, before, after = _rules(campaign_id, patch)
    roles = amending.removed_roles(before, after)
    drawn = [role for role in roles if after.weights.get(_slug(known, role), 0) > 0]
    unknown = [role for role in after.specials if role not in before.specials and role not in known.roles]
    needless = sorted(set(compensations) - {role for role in roles if role in known.roles})
    shapeless = sorted(role for role, promised in compensations.items() if not _is_promise(promised))
    unkept = sorted(
        role
        for role, promised in compensations.items()
        if role not in shapeless and not consequences.is_possible(known, after, promised["into"])
    )
    return [
        _check("removed-not-drawn", _("A special card that is removed can't be drawn any more"), drawn),
        _check("specials-known", _("The campaign has the special cards that are allowed"), unknown),
        _check("compensations-due", _("Only cards that are removed are compensated"), needless),
        _check("compensations-said", _("A card becomes a wild card, a random fortune, or money"), shapeless),
        _check("compensations-possible", _("What cards become is still there under the new rules"), unkept),
    ]


def preview(*, campaign_id: int, patch: Patch, compensations: Compensations) -> Effects:
    """What the change would do, by the hands and trades of this moment. Raises RuleChangeImpossible."""
    known, before, after = _rules(campaign_id, patch)
    follows = consequences.of(known, before=before, after=after, compensations=compensations)
    complete_before = complete_after = None
    if follows.completes:
        complete_before, complete_after = (_complete(campaign_id, known, rules) for rules in (before, after))
    return Effects(
        removals=[_removal(campaign_id, known, kind, follows.promises.get(kind)) for kind in follows.removed],
        complete_before=complete_before,
        complete_after=complete_after,
        raised={known.kinds[kind]: units for kind, units in follows.raised.items()},
    )


def _rules(campaign_id: int, patch: Patch) -> tuple[catalogue.Catalogue, Rules, Rules]:
    """The catalogue, and the rules before and after. Drafts may still get other kinds, so nothing is remembered."""
    before = rulebooks.current(campaign_id)
    campaign = Campaign.objects.get(pk=campaign_id)
    after = rulechanges.possible(campaign=campaign, patch=patch) if patch else before
    return catalogue.read(campaign_id), before, after


def _slug(known: catalogue.Catalogue, role: str) -> str:
    kind = known.special(CardKind.Role(role))
    return "" if kind is None else known.kinds[kind]


def _is_promise(promised: Mapping[str, Any]) -> bool:
    amount = promised.get("amount_fen")
    if promised.get("into") == Compensation.Into.FEN:
        return isinstance(amount, int) and amount > 0
    return promised.get("into") in Compensation.Into.values and amount is None


def _check(slug: str, title: Lazy, wrong: list[str]) -> Check:
    return Check(slug, not wrong, title, ", ".join(wrong))


def _removal(campaign_id: int, known: catalogue.Catalogue, kind: int, promise: consequences.Promise | None) -> Removal:
    row = sql.fetch(sql.text("cards", "removed_kind"), {"campaign": campaign_id, "kind": kind})[0]
    return Removal(
        role=known.roles[kind],
        kind=known.kinds[kind],
        cards=row.cards,
        players=row.players,
        trades=row.trades,
        into=promise.into.value if promise else None,
        owed_fen=row.cards * promise.amount_fen if promise else 0,
    )


def _complete(campaign_id: int, known: catalogue.Catalogue, rules: Rules) -> int:
    params = {"campaign": campaign_id, "full_set": known.full_set(rules), "wild": known.filler(rules)}
    hands: int = sql.fetch(sql.text("cards", "complete_hands"), params)[0].hands
    return hands
