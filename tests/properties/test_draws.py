"""The draw against the published weights, and its replay by a stranger."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Player
from cards import draws
from cards.actions import compensations, conversions, credits, plays, scans, showing
from cards.models import SupportReason
from fortunes import rulebooks
from fortunes.actions import campaigns
from tests.factories import aftermaths
from tests.factories import cards as make
from tests.factories import trades as deals
from tests.factories.accounts import PlayerFactory, ReferralFactory

VERIFIER = Path(__file__).parents[2] / "docs" / "verify" / "draws.py"
WEIGHTS = (25, 25, 23, 22, 5)
WEIGHTED = ("patriotism", "harmony")


@given(st.lists(st.integers(0, 1_000_000), min_size=1, max_size=12).filter(any), st.binary(min_size=8, max_size=8))
def test_a_choice_is_a_kind_with_a_weight(weights: list[int], number: bytes) -> None:
    assert weights[draws.choose(weights, number)] > 0


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=8).filter(any))
def test_the_smallest_and_the_largest_number_reach_both_ends(weights: list[int]) -> None:
    present = [ordinal for ordinal, weight in enumerate(weights) if weight]
    assert draws.choose(weights, b"\0" * 8) == present[0]
    assert draws.choose(weights, b"\xff" * 8) == present[-1]


def chi_square(observed: list[int], weights: tuple[int, ...]) -> float:
    total, whole = sum(observed), sum(weights)
    expected = [total * weight / whole for weight in weights]
    return sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))


# The 99.9th percentile of chi-square with 4 degrees of freedom (NIST/SEMATECH e-Handbook, table 1.3.6.7.4).
CRITICAL = 18.467


@pytest.mark.slow
def test_a_million_draws_against_the_published_weights() -> None:
    """The secret and the scans are fixed, so the test says the same every time."""
    secret = hashlib.sha256(b"a secret that was committed to").digest()
    odds = draws.Odds(weights=WEIGHTS, capped=(False,) * 5)
    observed = [0] * 5
    for number in range(1_000_000):
        key = draws.scan_key(campaign_id=7, source=0, nonce=number.to_bytes(10))
        wish, _ = draws.outcome(odds, draws.roll(secret, key, 1 + number % 1_000))
        observed[wish] += 1

    assert chi_square(observed, WEIGHTS) < CRITICAL
    skewed = (26, 25, 23, 22, 4)
    assert chi_square(observed, skewed) > CRITICAL


@pytest.mark.django_db
def test_a_player_s_draws_are_replayed_by_the_stand_alone_script(tmp_path: Path) -> None:
    season = make.SeasonFactory.create(
        rulebook={"quotas": make.PLENTY, "caps": {"dedication": {"units": 3, "tranches": 1}}}
    )
    alice: Player = PlayerFactory.create()
    scans.redeem(campaign=season, scans=[make.scan(season, alice) for _ in range(200)])
    make.check_in(season, alice)
    bob: Player = PlayerFactory.create()
    ReferralFactory.create(inviter=alice, invited=bob)
    make.check_in(season, bob)
    credits.credit_due()
    reason = SupportReason.GOODWILL
    compensations.grant_draw(campaign_id=season.pk, player_id=alice.pk, by=bob.pk, reason=reason, key="k")
    records = [showing.draw(row) for row in showing.draws_of(campaign=season, player_id=alice.pk)]
    assert {record.proof.source for record in records} == {0, 1, 2, 3}
    published = {
        **msgspec.to_builtins(showing.fairness(campaign=season)),
        "draw_secret": campaigns.draw_secret(season).hex(),
        "rules": {"1": rulebooks.in_force(season.pk).rules},
        "draws": json.loads(msgspec.json.encode(records)),
    }

    assert verify(tmp_path, published).returncode == 0
    published["draws"][0]["wish"] = next(kind for kind in published["kinds"] if kind != published["draws"][0]["wish"])
    failed = verify(tmp_path, published)
    assert failed.returncode == 1
    assert published["draws"][0]["id"] in failed.stdout
    check_in = next(draw for draw in published["draws"] if draw["proof"]["source"] == 1)
    check_in["drawn_at"] = "2026-01-01T00:00:00Z"
    assert f"draw {check_in['id']}: its nonce was chosen" in verify(tmp_path, published).stdout
    published["draw_secret"] = "00" * 32
    assert "commitment" in verify(tmp_path, published).stdout


@pytest.mark.django_db
def test_what_steals_took_by_chance_is_replayed_by_it_too(tmp_path: Path) -> None:
    season = make.TradingSeasonFactory.create(
        rules={"specials": ["steal", "wild"], "stealing": {"per_day": 99, "per_pair_per_day": 99, "protection_h": 0}}
    )
    alice, bob = PlayerFactory.create_batch(2)
    deals.befriend(alice, bob)
    make.deal(season, alice, "wild", *["steal"] * 9)
    make.deal(season, bob, *["harmony", "dedication", "patriotism"] * 11)
    deals.steal(season, alice, bob, "harmony")
    deals.turn(season, alice, "friendliness")
    for _ in range(8):
        deals.steal(season, alice, bob)
    records = plays.describe(list(plays.of(campaign=season, player_id=alice.pk)))
    published = {
        **msgspec.to_builtins(showing.fairness(campaign=season)),
        "draw_secret": campaigns.draw_secret(season).hex(),
        "rules": {"1": rulebooks.in_force(season.pk).rules},
        "draws": [],
        "plays": json.loads(msgspec.json.encode(records)),
    }

    assert sum(record.chance is not None for record in records) == 8
    assert verify(tmp_path, published).returncode == 0
    forged = next(play for play in published["plays"] if play["chance"])
    forged["kind"] = next(kind for kind in forged["chance"]["among"] if kind != forged["kind"])
    failed = verify(tmp_path, published)
    assert failed.returncode == 1
    assert forged["id"] in failed.stdout


@pytest.mark.django_db
def test_what_removed_cards_became_by_chance_is_replayed_by_it_too(tmp_path: Path) -> None:
    season = aftermaths.season_with_steals(caps={"dedication": {"units": 9, "tranches": 1}})
    alice: Player = PlayerFactory.create()
    make.deal(season, alice, "copy", *["steal"] * 20)
    promised = aftermaths.INTO_FORTUNE | {"copy": {"into": "wild"}}
    # By the weights of the version that removed them.
    aftermaths.remove(season, "steal", "copy", promising=promised, weights={"patriotism": 1, "harmony": 90})
    aftermaths.follow(season)
    records = conversions.describe(conversions.of(campaign=season, player_id=alice.pk))
    published = {
        **msgspec.to_builtins(showing.fairness(campaign=season)),
        "draw_secret": campaigns.draw_secret(season).hex(),
        "rules": {str(row.version): row.rules for row in season.rulebooks.all()},
        "draws": [],
        "conversions": json.loads(msgspec.json.encode(records)),
    }

    assert [record.cards for record in records if record.chance] == [20]
    assert verify(tmp_path, published).returncode == 0
    forged = next(conversion for conversion in published["conversions"] if conversion["chance"])
    forged["into"][7] = next(kind for kind in WEIGHTED if kind != forged["into"][7])
    failed = verify(tmp_path, published)
    assert failed.returncode == 1
    assert forged["id"] in failed.stdout


def verify(folder: Path, published: object) -> subprocess.CompletedProcess[str]:
    file = folder / "published.json"
    file.write_text(json.dumps(published))
    command = [sys.executable, "-I", str(VERIFIER), str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_the_critical_value_is_of_four_degrees_of_freedom() -> None:
    """P(X > x) for 4 degrees is exp(-x/2)(1 + x/2)."""
    assert math.isclose(math.exp(-CRITICAL / 2) * (1 + CRITICAL / 2), 0.001, rel_tol=1e-3)
