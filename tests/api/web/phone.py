"""A phone-sized browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, Route, expect

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Phone:
    """Opens pages on a phone-sized screen and gathers what goes wrong on them."""

    browser: Browser
    site: str
    errors: list[str]

    def open(
        self,
        path: str,
        *,
        locale: str = "en-GB",
        before: Callable[[Page], None] | None = None,
        script: str = "",
    ) -> Page:
        context = self.browser.new_context(
            viewport={"width": 390, "height": 844}, locale=locale, is_mobile=True, has_touch=True
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self._note(line.type, line.text))
        if script:
            page.add_init_script(script)
        if before is not None:
            before(page)
        page.goto(self.site + path)
        return page

    def _note(self, kind: str, text: str) -> None:
        if kind == "error" and "Failed to load resource" not in text:
            self.errors.append(text)


def verdict(page: Page, outcome: str) -> None:
    expect(page.locator("main")).to_have_attribute("data-state", outcome)
    expect(page.locator("#verdict")).to_have_attribute("data-outcome", outcome)


def wants_json(route: Route) -> bool:
    return "application/json" in route.request.headers.get("accept", "")
