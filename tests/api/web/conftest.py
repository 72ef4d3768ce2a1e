"""One story log for all tests of the pages."""

from __future__ import annotations

import pytest

from tests.api.web.story_answers import StoryLog, story_log


@pytest.fixture(scope="session")
def log() -> StoryLog:
    """The demo's story in a log that three keys have signed, two of which must."""
    return story_log(cosigners=2, threshold=2)
