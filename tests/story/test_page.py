"""The rep's page in a real browser: a press moves it within seconds, and nothing on it shuts anybody out."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser import needs_browser, page
from tests.story.house import House
from tests.story.serving import served

__all__ = ["page"]


def at(house: House, number: str, language: str = "en") -> str:
    return f"{house.sim.origin}/crm/tab/Accounts/{house.account(number)['id']}?lang={language}"


def moved(page: Page, before: str) -> str:
    """The line of the score, once it is another one."""
    other = "text => { const line = document.getElementById('zx-score'); return line && line.textContent !== text; }"
    page.wait_for_function(other, arg=before)
    return page.inner_text("#zx-score")


@needs_browser
def test_a_press_moves_the_page_and_axe_finds_nothing(live: House, page: Page) -> None:
    with served(live):
        page.goto(at(live, "A004"))
        page.wait_for_selector(".zx-late")
        before = page.inner_text("#zx-score")
        match = Axe().run(page)
        assert match.violations_count == 0, match.generate_report()

        page.click("#pay")
        moved(page, before)
        assert page.locator(".zx-late").count() == 0

        page.goto(at(live, "A008"))
        page.wait_for_selector(".zx-badge")
        before = page.inner_text("#zx-score")
        page.click("#overdue")
        moved(page, before)
        page.wait_for_selector("[data-code='OVERDUE_90']")


@needs_browser
def test_the_page_speaks_chinese_and_writes_money_as_a_person_does(live: House, page: Page) -> None:
    page.goto(at(live, "A001", "zh-CN"))
    page.wait_for_selector(".zx-badge")

    text = page.inner_text("main")
    assert "信用额度 5,000.00 USD" in text
    assert "客户付款" in text
    page.goto(f"{live.sim.origin}/crm/tab/Accounts")
    assert Axe().run(page).violations_count == 0
