"""The kinds and sources of a campaign by ordinal and slug. They never change once the campaign is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cards import draws
from cards.errors import KindUnknown, SourceNotOffered
from cards.models import CardKind, Source
from fortunes.rules import Quota, Rules

NO_SCANS = Quota(per_day=0, per_campaign=0)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Slugs in the order of their ordinals, the role of each kind and the type of each source."""

    kinds: tuple[str, ...]
    roles: tuple[str, ...]
    sources: tuple[str, ...]
    types: tuple[str, ...]

    def ordinals(self, slugs: Iterable[str]) -> list[int]:
        """The ordinals of kinds by slug. Raises KindUnknown."""
        numbers = {slug: ordinal for ordinal, slug in enumerate(self.kinds)}
        wanted = list(slugs)
        if unknown := sorted(set(wanted) - set(numbers)):
            raise KindUnknown(kinds=unknown)
        return [numbers[slug] for slug in wanted]

    def slugs(self, ordinals: Iterable[int]) -> list[str]:
        return [self.kinds[ordinal] for ordinal in ordinals]

    def counts(self, counts: Sequence[int]) -> dict[str, int]:
        """An array of counts as a mapping from slug."""
        return dict(zip(self.kinds, counts, strict=True))

    def source(self, type: Source.Type) -> int:  # noqa: A002 - the domain's word
        """The ordinal of the one source of a type that is no code. Raises SourceNotOffered."""
        if type not in self.types:
            raise SourceNotOffered
        return self.types.index(type)

    def odds(self, rules: Rules) -> draws.Odds:
        return draws.Odds(
            weights=tuple(rules.weights.get(slug, 0) for slug in self.kinds),
            capped=tuple(slug in rules.caps for slug in self.kinds),
        )

    def quotas(self, rules: Rules) -> list[Quota]:
        return [rules.quotas.get(slug, NO_SCANS) for slug in self.sources]

    def special(self, role: CardKind.Role) -> int | None:
        """The ordinal of the one special kind of a role, if the campaign has it."""
        return self.roles.index(role) if role in self.roles else None

    def barred(self, rules: Rules) -> list[int]:
        """The ordinals of special kinds that the rules don't allow: they may be held, and neither played nor traded."""
        return [
            ordinal
            for ordinal, role in enumerate(self.roles)
            if role != CardKind.Role.FORTUNE and role not in rules.specials
        ]

    def fortune_weights(self, rules: Rules) -> list[int]:
        """Weights by ordinal of the uncapped fortunes, 0 for all other kinds."""
        uncapped = self.odds(rules).uncapped
        return [
            weight if role == CardKind.Role.FORTUNE else 0 for weight, role in zip(uncapped, self.roles, strict=True)
        ]

    def full_set(self, rules: Rules) -> list[int]:
        """The ordinals of a full set."""
        return [ordinal for ordinal, slug in enumerate(self.kinds) if slug in rules.complete_set]

    def filler(self, rules: Rules) -> int | None:
        """The ordinal of the wild card where the rules let it stand for missing kinds."""
        return self.special(CardKind.Role.WILD) if rules.wilds_fill else None

    def complete(self, rules: Rules, counts: Sequence[int], escrow: Sequence[int]) -> bool:
        """As `cards_is_complete` says it; what is in escrow still counts for its giver."""
        missing = sum(counts[ordinal] + escrow[ordinal] == 0 for ordinal in self.full_set(rules))
        wild = self.filler(rules)
        return missing <= (0 if wild is None else counts[wild] + escrow[wild])


@lru_cache(maxsize=64)
def of(campaign_id: int) -> Catalogue:
    """The catalogue of an open campaign, read once per process."""
    return read(campaign_id)


def read(campaign_id: int) -> Catalogue:
    """The catalogue as it is now; for drafts."""
    kinds = list(CardKind.objects.filter(campaign_id=campaign_id).order_by("ordinal").values_list("slug", "role"))
    sources = list(Source.objects.filter(campaign_id=campaign_id).order_by("ordinal").values_list("slug", "type"))
    return Catalogue(
        kinds=tuple(slug for slug, _ in kinds),
        roles=tuple(role for _, role in kinds),
        sources=tuple(slug for slug, _ in sources),
        types=tuple(type_ for _, type_ in sources),
    )
