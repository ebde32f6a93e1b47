"""What the product says, collected from the code, and its Chinese. Babel does it, so that nobody needs GNU gettext."""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import util
from pathlib import Path
from typing import IO, Any

from babel.messages import extract, mofile, pofile
from babel.messages.catalog import Catalog, Message
from django.conf import settings
from django.utils.translation import template

LOCALE = "zh_Hans"
FOLDER = settings.BASE_DIR / "config" / "locale" / LOCALE / "LC_MESSAGES"
OURS = ("fortunes", "accounts", "cards", "redpackets", "config")
# The admin's theme brings no translations of its own; what Django translates for it is left to Django. Its contrib is
# for packages that aren't used here.
THEME = "unfold"
UNUSED = {"contrib", "unfold_crispy", "migrations"}
DJANGO = ("django", "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes")
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    # What pure modules say.
    "Sentence": None,
    "RulesError": None,
}
HEADER = "# The Chinese of Five Fortunes. `manage.py translations` collects what there is to translate and compiles it."


def wanted() -> Catalog:
    """Everything that is to be translated, without its translation."""
    catalog = Catalog()
    for app in OURS:
        for path, message in said_in(settings.BASE_DIR / app):
            catalog.add(message, locations=[(path.relative_to(settings.BASE_DIR).as_posix(), 0)])
    known = said_by_django()
    for _path, message in said_in(_folder(THEME)):
        if (message if isinstance(message, str) else message[0]) not in known:
            catalog.add(message, locations=[(THEME, 0)])
    return catalog


def said_in(folder: Path) -> Iterator[tuple[Path, str | tuple[str, ...]]]:
    """The messages of a package's modules and templates."""
    for path in sorted(folder.rglob("*.py")):
        if not UNUSED.intersection(path.relative_to(folder).parts):
            yield from ((path, message) for message in _extracted(path.read_bytes()))
    for path in sorted(folder.rglob("templates/**/*.html")):
        if UNUSED.intersection(path.relative_to(folder).parts):
            continue
        lines = template.templatize(path.read_text(encoding="utf-8"), origin=str(path)).splitlines()
        # What is left are calls of gettext among rubbish; its indentation would be Python's business.
        yield from ((path, message) for message in _extracted("\n".join(line.strip() for line in lines).encode()))


def said_by_django() -> set[str]:
    """The messages that Django brings in Chinese."""
    folders = [_folder(package) / ("conf/locale" if package == "django" else "locale") for package in DJANGO]
    catalogs = [gettext.translation("django", folder, [LOCALE]) for folder in folders]
    # Plural forms are kept under (message, number).
    return {key if isinstance(key, str) else key[0] for catalog in catalogs for key in catalog._catalog}  # type: ignore[attr-defined]


def read(file: Path = FOLDER / "django.po") -> Catalog:
    with file.open("rb") as opened:
        return pofile.read_po(opened, locale=LOCALE)


def merged(catalog: Catalog, template: Catalog) -> Catalog:
    """`catalog` with what `template` has, no more and no less; what is new is not translated yet."""
    result = Catalog(
        locale=LOCALE, header_comment=HEADER, project="Five Fortunes", version="1", charset="utf-8", fuzzy=False
    )
    for message in template:
        if message.id:
            was = catalog.get(message.id)
            result.add(message.id, was.string if was else "", locations=message.locations)
    return result


def faults(catalog: Catalog, template: Catalog) -> list[str]:
    """What keeps the catalog from being complete."""
    ids = {_id(message) for message in template if message.id}
    known = {_id(message) for message in catalog if message.id}
    return [
        *(f"not collected: {text}" for text in sorted(ids - known)),
        *(f"not said any more: {text}" for text in sorted(known - ids)),
        *(f"not translated: {_id(message)}" for message in catalog if message.id and not _is_translated(message)),
        *(f"other placeholders: {_id(message)}" for message in catalog if message.id and _loses_a_value(message)),
    ]


def text_form(catalog: Catalog) -> bytes:
    """The .po file. Without line numbers and dates, so that it changes only when words do."""
    file = io.BytesIO()
    pofile.write_po(file, catalog, sort_output=True, include_lineno=False, width=100)
    return re.sub(
        rb'"(POT-Creation-Date|PO-Revision-Date|Report-Msgid|Last-Tr|Language-Team).*\n', b"", file.getvalue()
    )


def binary_form(catalog: Catalog) -> bytes:
    """The .mo file, which Django reads."""
    file = io.BytesIO()
    # By way of the text, which leaves out what nobody needs, and with dates that never change.
    compiled = pofile.read_po(io.BytesIO(text_form(catalog)), locale=LOCALE)
    compiled.creation_date = compiled.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    mofile.write_mo(file, compiled)
    return file.getvalue()


def _extracted(source: bytes) -> Iterator[str | tuple[str, ...]]:
    file: IO[bytes] = io.BytesIO(source)
    for _line, message, _comments, _context in extract.extract("python", file, KEYWORDS):
        yield message


def _folder(package: str) -> Path:
    spec = util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(package)
    return Path(spec.submodule_search_locations[0])


def _id(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _is_translated(message: Message) -> bool:
    strings = [message.string] if isinstance(message.string, str) else list(message.string or [""])
    return all(strings) and not message.fuzzy


def _loses_a_value(message: Message) -> bool:
    """True where the translation fills in other values than the original."""
    strings = [message.string] if isinstance(message.string, str) else list(message.string or [""])
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    return bool(strings[0]) and {*_values(strings[0])} != {*_values(ids[-1])}


def _values(text: str) -> list[str]:
    return re.findall(r"%\(\w+\)[sd]|%[sd]|\{\w*\}", text)
