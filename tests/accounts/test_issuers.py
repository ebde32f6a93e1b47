"""What is configured of host apps, and how the process says that it won't do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from accounts import issuers
from config.local.environment import ROOT

GOOD: dict[str, Any] = {
    "slug": "wallet",
    "issuer": "https://id.example.com",
    "audience": "five-fortunes",
    "algorithms": ["ES256"],
    "jwks_url": "https://id.example.com/keys.json",
}


def _written(folder: Path, content: Any) -> Path:
    file = folder / "issuers.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_what_is_configured_is_read(tmp_path: Path) -> None:
    other = {**GOOD, "slug": "bank", "issuer": "bank", "nickname_claim": "name", "jwks_file": "keys/bank.json"}
    del other["jwks_url"]
    wallet, bank = issuers.read(_written(tmp_path, [GOOD, other]), plain_http=False)
    assert (wallet.slug, wallet.jwks_url, wallet.jwks_file) == ("wallet", GOOD["jwks_url"], None)
    assert (bank.jwks_file, bank.nickname_claim) == (tmp_path / "keys" / "bank.json", "name")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is not JSON"),
        ({}, "a list of issuers"),
        ([5], "issuer 1: an object"),
        ([{"slug": "wallet"}], "missing algorithms, audience, issuer"),
        ([{**GOOD, "colour": "red"}], "unknown colour"),
        ([{**GOOD, "audience": ""}], "audience must be a text"),
        ([{**GOOD, "issuer": 5}], "issuer must be a text"),
        ([{**GOOD, "slug": "Wallet!"}], "slug must be"),
        ([{**GOOD, "algorithms": []}], "algorithms must be some of ES256, RS256"),
        ([{**GOOD, "algorithms": ["HS256"]}], "algorithms must be some of"),
        ([{**GOOD, "algorithms": "none"}], "algorithms must be some of"),
        ([{**GOOD, "algorithms": [["ES256"]]}], "algorithms must be some of"),
        ([{**GOOD, "jwks_file": "keys.json"}], "either jwks_file or jwks_url"),
        ([{name: value for name, value in GOOD.items() if name != "jwks_url"}], "either jwks_file or jwks_url"),
        ([{**GOOD, "jwks_url": "http://id.example.com/keys.json"}], "must begin with https://"),
        ([{**GOOD, "jwks_url": "file:///etc/passwd"}], "must be an https:// address"),
        ([{**GOOD, "push_url": "http://id.example.com/pushes"}], "push_url must begin with https://"),
        ([{**GOOD, "push_url": "unix:///run/docker.sock"}], "push_url must be an https:// address"),
        ([{**GOOD, "push_url": "https://me:secret@id.example.com/"}], "push_url must have neither a username"),
        ([{**GOOD, "push_url": "https://id.example.com:abc/"}], "push_url is not an address"),
        ([{**GOOD, "push_url": ""}], "push_url must be a text that is not empty"),
        ([{**GOOD, "jwks_url": "https://["}], "is not an address"),
        ([{**GOOD, "jwks_url": "https://me@id.example.com/"}], "neither a username nor a fragment"),
        ([GOOD, {**GOOD, "slug": "bank"}], "two issuers have the same issuer"),
        ([GOOD, {**GOOD, "issuer": "bank"}], "two issuers have the same slug"),
    ],
)
def test_what_will_not_do_is_said(content: Any, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(issuers.IssuersError, match=complaint):
        issuers.read(_written(tmp_path, content), plain_http=False)


def test_plain_http_is_for_debugging(tmp_path: Path) -> None:
    file = _written(tmp_path, [{**GOOD, "jwks_url": "http://127.0.0.1:9000/keys.json"}])
    assert issuers.read(file, plain_http=True)[0].jwks_url == "http://127.0.0.1:9000/keys.json"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "can't be read"),
        ([{**GOOD, "algorithms": ["HS256"]}], "algorithms must be"),
        ([{**{k: v for k, v in GOOD.items() if k != "jwks_url"}, "jwks_file": "nothing.json"}], "nothing.json"),
    ],
)
def test_a_process_with_a_bad_file_does_not_start(content: Any, complaint: str, tmp_path: Path) -> None:
    file = _written(tmp_path, content) if content else tmp_path / "missing.json"
    command = [sys.executable, "-c", "import django; django.setup()"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "FEDERATION_FILE": str(file)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ImproperlyConfigured: FEDERATION_FILE" in done.stderr and complaint in done.stderr
