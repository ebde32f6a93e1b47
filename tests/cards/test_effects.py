"""What a change of the rules would do to cards, before it is voted on."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Player
from cards.actions import effects
from cards.models import Aftermath
from fortunes import errors as ground
from fortunes.models import Campaign
from tests.factories import aftermaths as rules
from tests.factories import cards as make
from tests.factories import trades as play

pytestmark = pytest.mark.django_db

NO_STEALS = {"specials": ["wild", "copy"]}
FOUR = ("patriotism", "prosperity", "harmony", "friendliness")


@pytest.fixture
def season() -> Campaign:
    return rules.season_with_steals()


def failed(season: Campaign, patch: Any, compensations: Any = None) -> dict[str, str]:
    checks = effects.checks(campaign_id=season.pk, patch=patch, compensations=compensations or {})
    assert len({check.slug for check in checks}) == len(checks)
    assert all(str(check.title) for check in checks)
    return {check.slug: check.detail for check in checks if not check.ok}


def test_what_is_held_and_what_becomes_of_it(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "steal", "steal", "steal", "harmony")
    make.deal(season, bob, "steal")
    play.link_gift(season, alice, "steal", "harmony")
    play.request(season, bob, "steal", to=[alice])
    play.request(season, bob, "harmony", to=[alice])

    def preview(promised: Any) -> effects.Effects:
        return effects.preview(campaign_id=season.pk, patch=NO_STEALS, compensations=promised)

    wild = preview(rules.INTO_WILD)
    assert wild.removals == [effects.Removal("steal", "steal", 4, 2, 2, "wild", 0)]
    assert (wild.complete_before, wild.complete_after, wild.raised, wild.owed_fen) == (None, None, {}, 0)
    assert preview(rules.INTO_FEN).removals == [effects.Removal("steal", "steal", 4, 2, 2, "fen", 352)]
    assert preview(rules.INTO_FEN).owed_fen == 352
    assert preview({}).removals[0].into is None


def test_it_is_what_then_happens(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, "steal", "copy", "copy")
    make.deal(season, bob, "steal", "steal")
    play.link_gift(season, bob, "steal")
    promised = rules.INTO_FEN | {"copy": {"into": "wild"}}
    patch = {"specials": ["wild"]}
    assert failed(season, patch, promised) == {}
    foreseen = effects.preview(campaign_id=season.pk, patch=patch, compensations=promised)

    rules.change(season, patch, promised)
    rules.follow(season)
    (row,) = Aftermath.objects.filter(campaign=season)
    done = {conversion.kind: 0 for conversion in row.conversions.all()}
    for conversion in row.conversions.all():
        done[conversion.kind] += conversion.cards
    assert sorted(done.values()) == sorted(removal.cards for removal in foreseen.removals)
    assert sum(conversion.fen for conversion in row.conversions.all()) == foreseen.owed_fen == 264


def test_sets_that_wild_cards_complete(season: Campaign, alice: Player, bob: Player) -> None:
    make.deal(season, alice, *FOUR, "wild")
    make.deal(season, bob, *FOUR, "dedication")
    foreseen = effects.preview(campaign_id=season.pk, patch={"wilds_fill": True}, compensations={})
    assert (foreseen.complete_before, foreseen.complete_after) == (1, 2)
    assert foreseen.removals == []


def test_units_that_a_raised_cap_adds() -> None:
    season = make.SeasonFactory.create(rulebook={"caps": {"dedication": {"units": 10, "tranches": 2}}})
    patch = {"caps": {"dedication": {"units": 25}}}
    assert effects.preview(campaign_id=season.pk, patch=patch, compensations={}).raised == {"dedication": 15}
    assert failed(season, patch) == {}


def test_an_option_that_changes_nothing(season: Campaign) -> None:
    assert failed(season, {}) == {}
    assert effects.preview(campaign_id=season.pk, patch={}, compensations={}).removals == []
    assert failed(season, {}, rules.INTO_WILD) == {"compensations-due": "steal"}


def test_a_special_card_that_could_still_be_drawn() -> None:
    season = rules.season_with_steals(weights={"patriotism": 1, "prosperity": 1, "harmony": 1, "friendliness": 1,
                                               "dedication": 1, "steal": 1})  # fmt: skip
    assert failed(season, NO_STEALS) == {"removed-not-drawn": "steal"}
    assert failed(season, NO_STEALS | {"weights": {"steal": 0}}) == {}


def test_a_special_card_that_there_is_none_of() -> None:
    season = make.SeasonFactory.create()
    assert failed(season, {"specials": ["steal"]}) == {"specials-known": "steal"}
    # Nor can the ones go that nobody has.
    assert failed(season, {"specials": ["copy"]}, {"wild": {"into": "fen", "amount_fen": 1}}) == {
        "compensations-due": "wild"
    }
    assert effects.preview(campaign_id=season.pk, patch={"specials": ["copy"]}, compensations={}).removals == []


@pytest.mark.parametrize(
    "promised",
    [
        {"into": "gold"},
        {},
        {"into": "fen"},
        {"into": "fen", "amount_fen": 0},
        {"into": "fen", "amount_fen": "1"},
        {"into": "wild", "amount_fen": 1},
    ],
)
def test_promises_of_no_known_shape(season: Campaign, promised: Any) -> None:
    assert failed(season, NO_STEALS, {"steal": promised}) == {"compensations-said": "steal"}


def test_promises_that_could_not_be_kept(season: Campaign) -> None:
    impossible = {"compensations-possible": "steal"}
    assert failed(season, {"specials": ["copy"]}, rules.INTO_WILD) == impossible
    assert failed(make_all_capped(), NO_STEALS, rules.INTO_FORTUNE) == impossible


def make_all_capped() -> Campaign:
    """Where nothing but the wild card is without end."""
    five = [*FOUR, "dedication"]
    weights = dict.fromkeys(five, 1) | {"wild": 1}
    return rules.season_with_steals(weights=weights, caps={slug: {"units": 5, "tranches": 1} for slug in five})


def test_a_change_that_is_impossible_by_itself(season: Campaign) -> None:
    for patch in ({"complete_set": ["harmony"]}, {"specials": ["steal", "steal"]}, {"luck": 1}):
        with pytest.raises(ground.RuleChangeImpossible):
            failed(season, patch)
        with pytest.raises(ground.RuleChangeImpossible):
            effects.preview(campaign_id=season.pk, patch=patch, compensations={})
