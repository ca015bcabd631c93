"""A browser for the whole session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.browser import Browser, browsing


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; each person in it starts with nothing."""
    with browsing() as started:
        yield started
