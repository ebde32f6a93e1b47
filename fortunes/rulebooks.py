"""Rulebooks as each process knows them.

A version never changes, so it is read once. Which version is in force may change at any moment: what is remembered here
is a guess, which the gate confirms or refuses inside the transaction that relies on it.
"""

from __future__ import annotations

from functools import lru_cache

from fortunes import rules
from fortunes.models import DatabaseNow, Rulebook

_believed: dict[int, int] = {}


@lru_cache(maxsize=256)
def version(campaign_id: int, number: int) -> rules.Rules:
    """The rules of one version. Raises Rulebook.DoesNotExist."""
    return rules.parse(Rulebook.objects.get(campaign_id=campaign_id, version=number).rules)


def in_force(campaign_id: int, number: int | None = None) -> Rulebook:
    """The version in force by the database's clock, or the one of that number if it ever was in force.

    Raises Rulebook.DoesNotExist.
    """
    known = Rulebook.objects.filter(campaign_id=campaign_id, in_force_at__lte=DatabaseNow())
    return known.latest("version") if number is None else known.get(version=number)


def newest(campaign_id: int) -> Rulebook:
    """The last version: what the next one changes. Raises Rulebook.DoesNotExist."""
    return Rulebook.objects.filter(campaign_id=campaign_id).latest("version")


def current(campaign_id: int) -> rules.Rules:
    """The rules in force by the database's clock. Raises Rulebook.DoesNotExist."""
    return version(campaign_id, in_force(campaign_id).version)


def believed(campaign_id: int) -> int:
    """The number of the version that this process believes to be in force. Raises Rulebook.DoesNotExist."""
    if campaign_id not in _believed:
        _believed[campaign_id] = in_force(campaign_id).version
    return _believed[campaign_id]


def forget(campaign_id: int) -> None:
    """The gate named another version: ask again."""
    _believed.pop(campaign_id, None)
