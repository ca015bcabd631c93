"""Names and addresses as long as they may be, on the narrowest window."""

from __future__ import annotations

from tests.browser.conftest import SAMPLES, Vendor
from tests.browser.test_portal import submit
from tests.support.browser import Browser

COMPANY = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft " * 2
ADMIN = f"{'information-technology' * 2}@{'subsidiary.' * 8}{'w' * 60}.example"


def test_the_longest_names_never_make_a_page_scroll_sideways(browser: Browser, vendor: Vendor) -> None:
    address = vendor.link(vendor.organization(COMPANY.strip()))["url"]
    with browser.person(vendor.url, size="narrow") as person:
        person.page.goto(address)
        person.look("long-names")
        person.page.fill('[name="it_admin_email"]', ADMIN)
        submit(person, "start")
        person.expect_page("providers")
        person.look("long-names")
        person.page.fill("#paste", (SAMPLES / "okta" / "good.xml").read_text(encoding="utf-8"))
        submit(person, "paste")
        person.expect_page("review")
        person.look("long-names")
        person.page.goto("/setup/connect")
        person.expect_page("step")
        person.look("long-names")
        person.page.goto("/setup/review")
        submit(person, "save")
        person.expect_page("done")
        person.look("long-names")
