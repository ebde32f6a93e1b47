"""Batches of codes: printed together, revoked together."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Player
from cards import errors
from cards.actions import batches, printing, scans
from cards.models import CodeBatch, Source
from fortunes.models import AuditEntry, Campaign
from tests.factories import cards as make
from tests.factories.accounts import PlayerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def season() -> Campaign:
    return make.SeasonFactory.create(rulebook={"quotas": make.PLENTY})


def batch_of(season: Campaign, count: int = 3) -> CodeBatch:
    return batches.create(campaign_id=season.pk, source_slug="code", count=count, expires_at=season.closes_at)


def test_a_batch_has_the_next_number_and_makes_its_codes(season: Campaign, alice: Player) -> None:
    first, second = batch_of(season), batch_of(season, count=2)
    texts = list(printing.codes(batch=second))

    assert (first.number, second.number, len(set(texts))) == (1, 2, 2)
    assert isinstance(make.redeem(season, alice, text=texts[0]), scans.answers.Redemption)


def test_codes_of_a_revoked_batch_do_not_count_any_more(season: Campaign, alice: Player) -> None:
    lost, other = batch_of(season), batch_of(season)
    used, unused, _ = printing.codes(batch=lost)
    first = make.redeem(season, alice, text=used, key="k1")
    batches.revoke(batch_id=lost.pk, by=alice.pk)

    assert isinstance(make.redeem(season, alice, text=unused), errors.CodeRevoked)
    assert isinstance(make.redeem(season, alice, text=next(printing.codes(batch=other))), scans.answers.Redemption)
    # The card of before stays, and so does the answer to its retry.
    assert make.redeem(season, alice, text=used, key="k1") == first


def test_revoking_again_changes_nothing(season: Campaign, alice: Player) -> None:
    bob, batch = PlayerFactory.create(), batch_of(season)
    first = batches.revoke(batch_id=batch.pk, by=alice.pk)
    again = batches.revoke(batch_id=batch.pk, by=bob.pk)

    assert (again.revoked_at, again.revoked_by_id) == (first.revoked_at, alice.pk)
    told = AuditEntry.objects.filter(subject="cards.codebatch", subject_id=batch.pk).order_by("seq")
    assert list(told.values_list("action", "actor")) == [("codes.printed", None), ("codes.revoked", alice.pk)]


def test_an_unknown_batch_can_not_be_revoked(alice: Player) -> None:
    with pytest.raises(errors.BatchNotFound):
        batches.revoke(batch_id=2**40, by=alice.pk)


def test_a_signed_code_of_no_batch_is_no_code(season: Campaign, alice: Player) -> None:
    """Whoever got hold of a key can't print beside the batches, where nobody could revoke."""
    batch_of(season)
    for number in (0, 2, 2**31, 2**32 - 1):
        assert isinstance(make.redeem(season, alice, text=make.code(season, batch=number)), errors.CodeInvalid)


def test_a_code_of_another_source_than_its_batch_is_no_code(season: Campaign, alice: Player) -> None:
    batch_of(season)
    check_ins = Source.objects.get(campaign=season, type=Source.Type.CHECK_IN).ordinal
    text = make.code(season, source=check_ins, batch=1, valid_for=timedelta(days=1))

    assert isinstance(make.redeem(season, alice, text=text), errors.CodeInvalid)


def test_only_sources_of_codes_are_printed_for(season: Campaign) -> None:
    for slug in ("check-in", "support", "mission"):
        with pytest.raises(Source.DoesNotExist):
            batches.create(campaign_id=season.pk, source_slug=slug, count=1, expires_at=season.closes_at)
    assert not CodeBatch.objects.filter(campaign=season).exists()
