"""One story log for all tests of the pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.api.web.phone import CHROMIUM_ARGUMENTS
from tests.api.web.story_answers import StoryLog, story_log


@pytest.fixture(scope="session")
def log() -> StoryLog:
    """The demo's story in a log that three keys have signed, two of which must."""
    return story_log(cosigners=2, threshold=2)


@pytest.fixture(scope="module")
def browser(require: Callable[[str], str]) -> Iterator[Browser]:
    path = require("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()
