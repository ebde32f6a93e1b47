"""`manage.py print_codes`: what is printed can be scanned."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import segno
from django.conf import settings
from django.core.management import CommandError, call_command

from cards import codes
from cards.actions import batches, presets, printing
from cards.management.commands import print_codes
from cards.models import CodeBatch
from fortunes import clock
from fortunes.models import Campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    now = clock.now()
    return presets.five_fortunes(
        slug="printed", opens_at=now, closes_at=now + timedelta(days=7), reveal_at=now + timedelta(days=7)
    )


def print_some(out: Path, *words: str) -> list[str]:
    call_command("print_codes", "--campaign", "printed", "--out", str(out), *words, stdout=StringIO())
    return (out / "codes.txt").read_text().splitlines()


def test_codes_are_signed_for_their_campaign_source_and_time(campaign: Campaign, tmp_path: Path) -> None:
    printed = print_some(tmp_path / "run", "--count", "50", "--expires", "2099-02-05T22:00+08:00")
    read = [codes.decode(code, keys=settings.SCAN_CODE_KEYS) for code in printed]
    assert len({code.nonce for code in read}) == 50
    assert {(code.campaign_id, code.source) for code in read} == {(campaign.pk, 0)}
    assert {code.expires_at.isoformat() for code in read} == {"2099-02-05T14:00:00+00:00"}


def test_valid_for_counts_from_now(campaign: Campaign, tmp_path: Path) -> None:
    (printed,) = print_some(tmp_path, "--count", "1", "--valid-for", "30d")
    left = codes.decode(printed, keys=settings.SCAN_CODE_KEYS).expires_at - clock.now()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)


def test_pictures_are_numbered_like_the_lines_and_hold_the_code(campaign: Campaign, tmp_path: Path) -> None:
    printed = print_some(tmp_path, "--count", "10", "--valid-for", "1h", "--png", "--svg")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(["codes.txt", *(f"{n:02}.{kind}" for n in range(1, 11) for kind in ("png", "svg"))])
    for number, code in enumerate(printed, start=1):
        picture = tmp_path / "again.png"
        segno.make_qr(code, mode="alphanumeric", error="m").save(str(picture), scale=print_codes.SCALE)
        assert picture.read_bytes() == (tmp_path / f"{number:02}.png").read_bytes()


def test_a_picture_uses_the_dense_mode(campaign: Campaign, tmp_path: Path) -> None:
    (printed,) = print_some(tmp_path, "--count", "1", "--valid-for", "1h")
    picture = print_codes.picture_of(printed)
    assert picture.mode == "alphanumeric"
    assert len(picture.matrix) < len(segno.make_qr(printed, mode="byte", error="m").matrix)


def test_a_printed_file_is_never_overwritten(campaign: Campaign, tmp_path: Path) -> None:
    first = print_some(tmp_path, "--count", "1", "--valid-for", "1h")
    with pytest.raises(CommandError, match="exists already"):
        print_some(tmp_path, "--count", "1", "--valid-for", "1h")
    assert (tmp_path / "codes.txt").read_text().splitlines() == first


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--count", "0", "--valid-for", "1h"], "at least 1"),
        (["--count", "many", "--valid-for", "1h"], "at least 1"),
        (["--count", "1000000001", "--valid-for", "1h"], "at most 1000000000"),
        (["--count", "1", "--valid-for", "1 year"], "as in 30d"),
        (["--count", "1", "--expires", "2099-01-01"], "time zone"),
        (["--count", "1", "--expires", "2099-13-01T00:00Z"], "not an instant"),
        (["--count", "1", "--expires", "2016-01-28T00:00Z"], "expired already"),
        (["--count", "1"], "required"),
        (["--count", "1", "--valid-for", "1h", "--source", "mission"], "no source mission"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(
    campaign: Campaign, tmp_path: Path, words: list[str], complaint: str
) -> None:
    with pytest.raises(CommandError, match=complaint):
        print_some(tmp_path / "run", *words)
    assert not (tmp_path / "run").exists()


def test_an_unknown_campaign_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no campaign"):
        print_some(tmp_path, "--count", "1", "--valid-for", "1h")


def test_codes_are_made_as_they_are_asked_for(campaign: Campaign) -> None:
    batch = batches.create(
        campaign_id=campaign.pk, source_slug="code", count=10**9, expires_at=clock.now() + timedelta(days=1)
    )
    endless = printing.codes(batch=batch)
    assert next(endless) != next(endless)


def test_each_run_is_a_batch_of_its_own(campaign: Campaign, tmp_path: Path) -> None:
    for number in (1, 2):
        printed = print_some(tmp_path / str(number), "--count", "2", "--valid-for", "1h")
        assert {codes.decode(code, keys=settings.SCAN_CODE_KEYS).batch for code in printed} == {number}
    rows = CodeBatch.objects.filter(campaign=campaign).order_by("number")
    assert [(row.number, row.source, row.count, row.printed_by) for row in rows] == [(1, 0, 2, None), (2, 0, 2, None)]


def test_a_file_that_is_there_already_makes_no_batch(campaign: Campaign, tmp_path: Path) -> None:
    (tmp_path / "codes.txt").write_text("precious")
    with pytest.raises(CommandError, match="exists already"):
        print_some(tmp_path, "--count", "1", "--valid-for", "1h")
    assert not CodeBatch.objects.exists()
