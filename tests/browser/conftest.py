"""A browser, a real web process, and windows that must not complain."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from fortunes.models import Campaign
from tests.browser.windows import Window
from tests.factories import cards as make
from tests.realtime import servers
from tests.realtime.servers import Server

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium() -> str:
    found = os.environ.get("FORTUNES_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip(f"needs a browser: one of {', '.join(NAMES)} on PATH (on Debian: apt install chromium)")
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One a module, so that no event loop of Playwright's is left over for tests that have loops of their own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        # Its loop runs on this thread between calls, which Django takes for async code.
        before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        yield browser
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        browser.close()


@pytest.fixture(scope="module")
def web(django_db_setup: None, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As `./dev up` starts it, but that it doesn't poll: whatever arrives was rung for."""
    with servers.running(tmp_path_factory.mktemp("web") / "web.log", SOCKET_POLL_S="86400") as server:
        yield server


@pytest.fixture
def season(committed_db: None) -> Campaign:
    """Live, and found by the page since it's the newest; every draw is the same card, which is a whole set."""
    return make.SeasonFactory(
        rulebook={"weights": {"patriotism": 1}, "complete_set": ["patriotism"], "caps": {}},
    )


@pytest.fixture
def window(browser: Browser, web: Server, season: Campaign) -> Iterator[Callable[..., Window]]:
    """Opens windows, each with a profile of its own unless it's told to share one."""
    opened: list[Window] = []

    def open_window(address: str = "/", **options: Any) -> Window:
        base_url = options.pop("base_url", web.url)
        made = Window.open(browser, base_url, address, campaign=season.slug, **options)
        opened.append(made)
        return made

    yield open_window
    complaints = [complaint for made in opened for complaint in made.complaints]
    for made in opened:
        made.close()
    assert not complaints
