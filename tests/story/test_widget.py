"""The panel as Zoho hosts it: the archive that an admin uploads, opened in a browser with a stand-in of Zoho's SDK."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route

from adapters import registry
from connector.errors import Misconfigured
from tests.browser import needs_browser, page
from tests.connector.scoring.books import books, invoice
from tests.zixin.calls import run, served

__all__ = ["page"]

#: As the SDK's protocol goes: the host announces the page, the widget asks for a record.
SDK = """
const ZOHO = { embeddedApp: { on: (name, call) => { ZOHO.call = call; },
  init: () => setTimeout(() => ZOHO.call({Entity: "Accounts", EntityId: ["1"]}), 0) },
  CRM: { API: { getRecord: async (asked) => (window.asked = asked, {data: window.record ? [window.record] : []}) } } };
"""
NAMES = {name: f"Zixin_{name}" for name in ("rating", "limit", "available", "hold", "flags", "reasons", "rated_on")}
RECORD = {
    "Zixin_rating": "B",
    "Zixin_limit": 1000.5,
    "Zixin_available": 0,
    "Zixin_hold": "approve",
    "Zixin_flags": ["SLOWING"],
    "Zixin_reasons": "<img src=x onerror=alert(1)>\nsecond",
    "Zixin_rated_on": "2026-03-01",
}


def test_the_archive_is_one_that_zoho_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXIN_HOME", str(tmp_path / "home"))
    one = books([invoice("I1", 100, "2025-01-01", "2025-01-31", "A1")], [])
    with served("zoho", one, tmp_path, "EUR") as up:
        assert run("connect", "zoho", "--lang", "zh-CN", "--settings", str(up.file)) == 0
        assert run("fields", "apply") == 0
        assert run("fields", "widget", str(tmp_path / "w.zip")) == 0
    with zipfile.ZipFile(tmp_path / "w.zip") as archive:
        names = archive.namelist()
        config = archive.read("app/config.js").decode()
        assert len(names) <= 250
        assert max(entry.file_size for entry in archive.infolist()) < 5_000_000
    assert all(re.fullmatch(r"app/([A-Za-z0-9_.-]+/)*[A-Za-z0-9_.-]{1,250}", name) for name in names)
    assert "app/widget.html" in names
    payload = json.loads(config.removeprefix("const ZIXIN = ").strip().rstrip(";"))
    assert (payload["currency"], payload["language"]) == ("EUR", "zh-CN")
    secrets = up.made.credentials("")
    assert not any(secrets[name] in config for name in ("client_secret", "refresh_token", "client_id"))
    # The names are those of this organisation, and the same fields are the same archive.
    assert payload["names"]["rating"].startswith("field")
    again = registry.widget("zoho", payload["names"], "zh-CN", "EUR")
    assert again == (tmp_path / "w.zip").read_bytes()
    with pytest.raises(Misconfigured, match="no page panel"):
        registry.widget("erpnext", {}, "en", "EUR")


def opened(page: Page, language: str, record: dict[str, Any] | None) -> None:
    """The archive's files behind an origin of their own."""
    with zipfile.ZipFile(io.BytesIO(registry.widget("zoho", NAMES, language, "EUR"))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    kinds = {"html": "text/html", "js": "text/javascript", "css": "text/css"}

    def serve(route: Route) -> None:
        url = route.request.url
        if "live.zwidgets.com" in url:
            route.fulfill(body=f"window.record = {json.dumps(record)};{SDK}", content_type="text/javascript")
            return
        name = "app/" + url.split("/app/")[1]
        route.fulfill(body=files[name], content_type=f"{kinds[name.rpartition('.')[2]]}; charset=utf-8")

    page.route("**/*", serve)
    page.goto("https://widget.example/app/widget.html")


@needs_browser
def test_it_shows_the_record_that_the_page_names(page: Page) -> None:
    opened(page, "en", RECORD)
    page.wait_for_selector(".zx-badge")
    assert page.evaluate("window.asked") == {"Entity": "Accounts", "RecordID": "1"}
    assert page.inner_text(".zx-badge") == "B"
    assert "ask for approval" in page.inner_text("#panel")
    # What a customer is called never becomes part of the page.
    assert page.locator("#panel img").count() == 0
    match = Axe().run(page)
    assert match.violations_count == 0, match.generate_report()


@needs_browser
def test_without_the_right_to_read_it_says_so(page: Page) -> None:
    opened(page, "zh-CN", None)
    page.wait_for_function("document.getElementById('panel').textContent.includes('权限')")
    assert page.inner_text(".zx-title") == "客户资信"
