"""A real browser for the tests of pages: Debian's Chromium, which no package index has."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.waiting import LIMIT_S

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def needs_browser(test: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a test of a page: apart, skipped without Chromium."""
    missing = pytest.mark.skipif(_CHROMIUM is None, reason="needs Chromium: apt-get install -y chromium")
    # Playwright's own loop is made in a way that Python deprecates.
    marked: Callable[..., Any] = pytest.mark.apart(
        missing(pytest.mark.filterwarnings("default::DeprecationWarning")(test))
    )
    return marked


@pytest.fixture
def page() -> Iterator[Page]:
    """An empty page."""
    limit_ms = LIMIT_S * 1000
    with sync_playwright() as started:
        # Containers have no user namespace for Chromium's sandbox; every page is our own.
        browser = started.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"], timeout=limit_ms)
        result = browser.new_page()
        result.set_default_timeout(limit_ms)
        yield result
        browser.close()
