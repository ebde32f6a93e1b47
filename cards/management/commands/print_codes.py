"""`manage.py print_codes`: signed codes for a printer, as text and as QR pictures."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import segno
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime

from cards.actions import batches, printing
from cards.models import Source
from fortunes import clock
from fortunes.models import Campaign

UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
FILE = "codes.txt"
MOST = 10**9
# Pixels (PNG) or units (SVG) a module. Error correction M: a scuffed label still reads, and the picture stays small.
SCALE, ERROR_CORRECTION = 8, "m"


class Command(BaseCommand):
    help = "Print signed scan codes of a campaign: codes.txt, one a line, and QR pictures numbered like its lines."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--campaign", required=True, metavar="SLUG")
        parser.add_argument("--source", default="code", metavar="SLUG", help="the source they count for")
        parser.add_argument("--count", required=True, type=_count)
        life = parser.add_mutually_exclusive_group(required=True)
        life.add_argument(
            "--expires",
            type=_instant,
            metavar="ISO",
            help="2027-02-05T22:00+08:00; mind that a vote may move the deadline, up to the reveal",
        )
        life.add_argument("--valid-for", type=_duration, metavar="TIME", help="30d, 12h, 45m or 90s from now")
        parser.add_argument("--out", required=True, type=Path, metavar="DIR")
        parser.add_argument("--png", action="store_true", help="a PNG picture of each")
        parser.add_argument("--svg", action="store_true", help="an SVG picture of each")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        expires_at: datetime = options["expires"] or now + options["valid_for"]
        if expires_at <= now:
            raise CommandError("these codes would have expired already")
        slug, source = options["campaign"], options["source"]
        campaign = Campaign.objects.filter(slug=slug).first()
        if campaign is None:
            raise CommandError(f"there is no campaign {slug}")
        count, out = options["count"], options["out"]
        if (out / FILE).exists():
            # Codes are stored nowhere else: overwriting a file that hasn't been printed yet would lose them.
            raise CommandError(f"{out / FILE} exists already; choose another folder")
        try:
            batch = batches.create(campaign_id=campaign.pk, source_slug=source, count=count, expires_at=expires_at)
        except Source.DoesNotExist as error:
            raise CommandError(f"{slug} has no source {source} of signed codes") from error
        out.mkdir(parents=True, exist_ok=True)
        formats = [name for name in ("png", "svg") if options[name]]
        _write(printing.codes(batch=batch), out, formats, digits=len(str(count)))
        until = expires_at.isoformat()
        self.stdout.write(f"batch {batch.number}: {count} codes of {slug}, good until {until}: {out / FILE}")


def _write(codes: Iterable[str], out: Path, formats: list[str], *, digits: int) -> None:
    with (out / FILE).open("x", encoding="ascii") as file:
        for number, code in enumerate(codes, start=1):
            file.write(f"{code}\n")
            if formats:
                _draw(picture_of(code), out, formats, f"{number:0{digits}}")


def _draw(picture: segno.QRCode, out: Path, formats: list[str], name: str) -> None:
    for suffix in formats:
        picture.save(str(out / f"{name}.{suffix}"), scale=SCALE)


def picture_of(code: str) -> segno.QRCode:
    """The QR picture of a code. Its base32 fits the alphanumeric mode: 5.5 bits a character instead of 8."""
    return segno.make_qr(code, mode="alphanumeric", error=ERROR_CORRECTION)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise ArgumentTypeError(f"at least 1 and at most {MOST}")
    return int(text)


def _instant(text: str) -> datetime:
    try:
        instant = parse_datetime(text)
    except ValueError as error:
        raise ArgumentTypeError(f"not an instant: {text}") from error
    if instant is None or instant.tzinfo is None:
        raise ArgumentTypeError("an instant with its time zone, as in 2027-02-05T22:00+08:00")
    return instant


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,5})([dhms])", text)
    if not found:
        raise ArgumentTypeError("a number and d, h, m or s, as in 30d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})
