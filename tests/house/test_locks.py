"""The lock files install what pyproject.toml asks for, from any registry, and nothing unverified."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from config.local.environment import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)


def pins(lock: str) -> dict[str, set[Version]]:
    """Each package's versions; a package may have one per platform."""
    found: dict[str, set[Version]] = {}
    for name, version in PINNED.findall((ROOT / lock).read_text()):
        found.setdefault(canonicalize_name(name), set()).add(Version(version))
    return found


def asked_for(lock: str) -> list[Requirement]:
    extras = [text for group in PROJECT["optional-dependencies"].values() for text in group]
    return [Requirement(text) for text in PROJECT["dependencies"] + (extras if "dev" in lock else [])]


@pytest.mark.parametrize("lock", LOCKS)
def test_no_address_of_a_registry(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_has_its_hashes(lock: str) -> None:
    requirements = re.split(r"^(?=[A-Za-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]
    assert requirements
    assert not [text.split()[0] for text in requirements if "--hash=sha256:" not in text]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_fits_the_project(lock: str) -> None:
    pinned = pins(lock)
    for wanted in asked_for(lock):
        versions = pinned.get(canonicalize_name(wanted.name), set())
        assert versions, f"{wanted} is not in {lock}; docs/dependencies.md says how to lock"
        assert all(wanted.specifier.contains(version) for version in versions), wanted


def test_both_locks_pin_the_same_versions() -> None:
    """What is tested is what runs in production."""
    production, development = (pins(lock) for lock in LOCKS)
    assert {name: development.get(name) for name in production} == production


def test_no_uv_lock() -> None:
    """It would hold the registry's address."""
    assert "uv.lock" in (ROOT / ".gitignore").read_text().split()
