"""A window of the page, as a player uses it."""

from __future__ import annotations

import re
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Response, expect

CSP_WATCH = """
document.addEventListener("securitypolicyviolation", (violation) =>
  console.error(`CSP: ${violation.violatedDirective} ${violation.blockedURI} ${violation.sourceFile}`));
"""


class Window:
    """`complaints` are errors on the console, violations of the content security policy, and answers of 500 and above.

    What a test provokes on purpose it puts into `expected`, as a regular expression.
    """

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context = context
        self.page = page
        self.expected: list[str] = []
        self._complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._complaints.append(f"uncaught: {error}"))
        page.on("response", self._answered)

    @classmethod
    def open(
        cls, browser: Browser, base_url: str, address: str, *, campaign: str, beside: Self | None = None, **options: Any
    ) -> Self:
        """`beside` is a window whose profile it shares: another tab."""
        given = {"locale": "en-GB", "viewport": {"width": 1200, "height": 900}, "reduced_motion": "reduce", **options}
        context = beside.context if beside else browser.new_context(base_url=base_url, **given)
        made = cls(context, context.new_page())
        made.page.add_init_script(CSP_WATCH)
        made.visit(address, campaign)
        return made

    def visit(self, address: str, campaign: str | None = None) -> None:
        """Open an address of the page and wait until it has been set up."""
        if campaign:
            address += f"{'&' if urlsplit(address).query else '?'}{urlencode({'campaign': campaign})}"
        self.page.goto(address)
        self.page.wait_for_selector("body[data-ready]", timeout=15_000)

    def close(self) -> None:
        self.page.close()
        if not self.context.pages:
            self.context.close()

    @property
    def complaints(self) -> list[str]:
        return [text for text in self._complaints if not any(re.search(known, text) for known in self.expected)]

    def button(self, name: str | re.Pattern[str], within: str = "body") -> Locator:
        return self.page.locator(within).get_by_role("button", name=name)

    def sign_in(self) -> Self:
        """By one tap, as a guest; the socket is open afterwards."""
        self.button("Play as a guest").click()
        return self.wait_live()

    def wait_live(self) -> Self:
        self.page.wait_for_selector("body[data-line=open]", timeout=15_000)
        return self

    def scan(self) -> None:
        """Take a code from the demo, and put the drawn card into the hand."""
        self.button("Give me a code (demo)").click()
        expect(self.page.get_by_label("A code from a 福 near you")).not_to_have_value("")
        self.button("Draw").click()
        expect(self.page.locator("#reveal")).to_contain_text("You drew")
        self.button("Into my hand").click()

    def invite(self) -> str:
        """The address of this player's invitation."""
        self.button("Invite a friend").click()
        link = self.page.get_by_label("Your link")
        expect(link).to_have_value(re.compile(r"/\?invitation=\w+"))
        return re.sub(r"^https?://[^/]+", "", link.input_value())

    def count(self, kind: str = "patriotism") -> Locator:
        """The place of a kind in the hand; its data-count is how many."""
        return self.page.locator(f'#cards li[data-kind="{kind}"]')

    def has(self, count: int, kind: str = "patriotism") -> None:
        expect(self.count(kind)).to_have_attribute("data-count", str(count))

    def toast(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.locator("#toasts").get_by_text(text).first).to_be_visible()

    def _heard(self, message: ConsoleMessage) -> None:
        # A refusal is an answer that the page puts into words; the browser calls each an error.
        refused = re.match(r"Failed to load resource: the server responded with a status of 4\d\d", message.text)
        if message.type == "error" and not refused:
            self._complaints.append(f"console: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self._complaints.append(f"{response.status}: {response.url}")
