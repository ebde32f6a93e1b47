"""The page as it is served: headers, settings, and words; no browser needed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from cards.models import CodeBatch
from config.page import words
from fortunes.models import Campaign
from tests.factories import cards as make

SCRIPTS = Path(settings.BASE_DIR / "config" / "static" / "page")
TEMPLATE = Path(settings.BASE_DIR / "config" / "templates" / "config" / "page.html").read_text(encoding="utf-8")
CODE = "\n".join(path.read_text(encoding="utf-8") for path in sorted(SCRIPTS.glob("*.js")))


@pytest.fixture
def season(db: None) -> Campaign:
    return make.SeasonFactory.create()


def test_it_is_served_under_the_strict_policy(db: None, client: Client) -> None:
    answer = client.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert answer.status_code == 200
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-cache"
    assert {"Cookie", "Accept-Language"} <= set(re.split(", *", answer.headers["Vary"]))
    # Nothing inline that would need an exception.
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", TEMPLATE)
    assert "/api/docs/" in answer.content.decode()


@pytest.mark.parametrize(("asked", "language"), [("en", "en"), ("zh-CN,zh;q=0.9", "zh-Hans"), ("fr", "en")])
def test_in_the_readers_language(db: None, client: Client, asked: str, language: str) -> None:
    answer = client.get("/", headers={"Accept-Language": asked})
    assert f'<html lang="{language}">' in answer.content.decode()


def test_it_is_only_read(db: None, client: Client) -> None:
    assert client.post("/").status_code == 405


def test_scripts_and_words_agree() -> None:
    """Every sentence is said by some script, and no script says one that isn't there."""
    known = set(words.said())
    assert set(re.findall(r'say\(\s*"([\w.-]+)"', CODE)) <= known
    computed = {key for key in known if re.match(r"(share|packet|vote)\.|(opens|closes|reveal)-in$", key)}
    texts = set(re.findall(r'"([\w.-]+)"', CODE))
    assert not {key for key in known - computed if key not in texts}


def test_every_element_that_a_script_asks_for_is_there() -> None:
    wanted = set(re.findall(r'\$\("([\w-]+)"\)', CODE)) | set(re.findall(r'copy\("([\w-]+)"', CODE))
    made = {"words", "options"}
    assert wanted - set(re.findall(r'\sid="([\w-]+)"', TEMPLATE)) - made == set()


def test_scripts_load_nothing_from_elsewhere() -> None:
    for imported in re.findall(r'from "([^"]+)"', CODE):
        assert (SCRIPTS / imported).is_file(), imported
    assert "http://" not in CODE + TEMPLATE.replace("http://www.w3.org", "")
    assert "innerHTML" not in CODE


class TestDemoCodes:
    def ask(self, client: Client, body: str) -> tuple[int, dict[str, object]]:
        answer = client.post("/page/demo-code", body, content_type="application/json")
        return answer.status_code, answer.json()

    def test_a_code_of_its_own_batch(self, season: Campaign, client: Client) -> None:
        status, answer = self.ask(client, json.dumps({"campaign": season.slug}))
        assert status == 201
        assert re.fullmatch(r"[A-Z2-7]+", str(answer["code"]))
        assert CodeBatch.objects.filter(campaign=season).latest("number").count == 1

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ('{"campaign": "nowhere"}', 404, "campaign-not-found"),
            ("{}", 400, "invalid-request"),
            ("nonsense", 400, "invalid-request"),
            ('{"campaign": 5}', 400, "invalid-request"),
            (r'{"campaign": "\u0000"}', 400, "invalid-request"),
        ],
    )
    def test_what_is_refused(self, db: None, client: Client, body: str, status: int, code: str) -> None:
        answer = self.ask(client, body)
        assert (answer[0], answer[1]["code"]) == (status, code)
