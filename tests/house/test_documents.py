"""What the documents name is there, and what they list is complete."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from config.local.environment import ROOT

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
# A path in backticks, and after two colons what must be in that file.
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|sql|md|yaml|toml|lock))(?:::(\w+))?`")
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"\s+", " ", document.read_text())
    assert not [target for target in LINK.findall(text) if not (document.parent / target).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_named_files_and_tests_exist(document: Path) -> None:
    for name, member in PATH.findall(document.read_text()):
        file = ROOT / name
        assert file.exists(), name
        assert not member or re.search(rf"\b{member}\b", file.read_text()), f"{name}::{member}"


def test_named_controls_really_are_tests() -> None:
    """The table of guards in docs/concurrency.md names tests that pytest would run."""
    text = (ROOT / "docs/concurrency.md").read_text()
    named = [(name, member) for name, member in PATH.findall(text) if member]
    assert len(named) > 30
    assert not [member for name, member in named if f"def {member}(" not in (ROOT / name).read_text()]


def test_every_control_is_in_the_table() -> None:
    text = (ROOT / "docs/concurrency.md").read_text()
    controls = [
        control
        for file in sorted((ROOT / "tests" / "concurrency").glob("test_*.py"))
        for control in re.findall(r"def (test_control\w+)\(", file.read_text())
    ]
    assert controls
    assert not [control for control in controls if control not in text]


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    asked_for = {Requirement(text).name for group in groups for text in group}
    defended = re.findall(r"^\| ([\w.-]+) \| \S", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)
    assert {name for name in defended if name != "package"} == asked_for


def test_every_setting_of_the_environment_is_explained() -> None:
    asked_for = set(re.findall(r'\benv(?:\.\w+)?\("(\w+)"', (ROOT / "config/settings.py").read_text()))
    explained = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    assert set(explained) == asked_for


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text())
    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))


def test_ci_runs_the_readmes_test_command() -> None:
    command = "./dev test"
    assert re.search(rf"^{re.escape(command)}\b", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith((f"\n{command}", f"\n{command} --coverage"))


def test_no_address_of_a_machine_or_registry() -> None:
    """They differ from reader to reader."""
    folders = ("/" + "home/", "/" + "root/", "py" + "pi.org", "pythonhosted" + ".org")
    assert not [
        name for name, path in zip(NAMES, DOCUMENTS, strict=True) if any(f in path.read_text() for f in folders)
    ]
