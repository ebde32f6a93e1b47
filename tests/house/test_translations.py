"""Everything that the product says is said in Chinese too, and the compiled catalog is that of the text."""

from __future__ import annotations

import pytest
from babel.messages.catalog import Catalog
from django.core.management import call_command
from django.utils.translation import gettext, override

from config import messages


@pytest.fixture(scope="module")
def wanted() -> Catalog:
    return messages.wanted()


def test_catalog_is_complete_and_compiled() -> None:
    """If this fails: `./dev translations`, then fill in what is empty in config/locale, then once more."""
    call_command("translations", "--check")


def test_everything_is_collected(wanted: Catalog) -> None:
    from_where = {place for message in wanted for place, _line in message.locations}
    assert {
        "cards/errors.py",
        "config/problems.py",
        "redpackets/models.py",
        "redpackets/templates/redpackets/admin/campaign_head.html",
        "unfold",
    } <= from_where


def test_django_reads_it() -> None:
    with override("zh-hans"):
        assert gettext("draws") == "抽卡"
        assert gettext("Filters") == "筛选"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda catalog: catalog.delete("draws"), "not collected: draws"),
        (lambda catalog: catalog.add("nobody says this", "无"), "not said any more: nobody says this"),
        (lambda catalog: setattr(catalog["draws"], "string", ""), "not translated: draws"),
        (
            lambda catalog: setattr(catalog["In %(zone)s."], "string", "%(place)s 时间。"),
            "other placeholders: In %(zone)s.",
        ),
    ],
)
def test_faults_are_found(wanted: Catalog, change: object, complaint: str) -> None:
    catalog = messages.read()
    assert messages.faults(catalog, wanted) == []
    change(catalog)  # type: ignore[operator]
    assert complaint in messages.faults(catalog, wanted)


def test_translations_survive_collecting(wanted: Catalog) -> None:
    catalog = messages.merged(messages.read(), wanted)
    assert messages.text_form(catalog) == (messages.FOLDER / "django.po").read_bytes()
