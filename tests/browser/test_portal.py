"""The whole way from the link to a live connection, walked by a person at a real browser.

Every page is looked at (axe, sideways scrolling, console, foreign requests) in every state it is met in, and
its picture is left under var/screenshots/.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import SAMPLES, Vendor
from tests.support.browser import Browser, Person

OKTA = SAMPLES / "okta" / "good.xml"
ADDRESS = "admin@initech.example"

Link = Callable[..., str]


def submit(person: Person, form: str) -> None:
    """Press the first submit button of a form, which is its primary one."""
    person.page.locator(f'form[data-form="{form}"] button[type="submit"]').first.click()


def start(person: Person, link: str) -> None:
    person.page.goto(link)
    person.expect_page("entry")
    person.page.fill('[name="it_admin_email"]', ADDRESS)
    submit(person, "start")
    person.expect_page("providers")


def pick(person: Person, provider: str) -> None:
    person.page.click(f'button[name="provider"][value="{provider}"]')
    person.expect_page("step")


def fill(person: Person, field: str, value: str) -> None:
    """Fill a field in, opening the way it belongs to if it is folded away."""
    element = person.page.locator(f'form[data-form="answers"] [name="{field}"]')
    if not element.is_visible():
        folded = person.page.locator("details", has=person.page.locator(f'[name="{field}"]'))
        folded.locator("summary").click()
    element.fill(value)


def expect_findings(person: Person, *codes: str) -> None:
    found = person.page.locator("[data-finding]").evaluate_all("all => all.map(one => one.dataset.finding)")
    assert set(codes) <= set(found)


def expect_one_primary_action(person: Person) -> None:
    assert person.page.locator(".button.primary:visible").count() <= 1


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_okta_by_file_from_the_link_to_live(browser: Browser, vendor: Vendor, size: str) -> None:
    organization = vendor.organization()
    link = vendor.link(organization)["url"]
    with browser.person(vendor.url, size=size) as person:
        person.page.goto(link)
        person.expect_page("entry")
        person.look("empty")
        expect_one_primary_action(person)
        submit(person, "start")
        person.expect_page("entry")
        expect_findings(person, "answer_missing")
        assert person.focused.get_attribute("name") == "it_admin_email"
        person.look("errors")
        person.page.fill('[name="it_admin_email"]', ADDRESS)
        person.look("filled")
        submit(person, "start")

        person.expect_page("providers")
        assert link.rpartition("/")[2] not in person.page.url
        person.look("empty")
        pick(person, "okta")

        person.look("empty")
        expect_one_primary_action(person)
        submit(person, "answers")
        person.expect_page("step")
        person.look("errors")
        fill(person, "metadata_xml", "<html>Sign in to Okta</html>")
        person.look("filled")
        submit(person, "answers")
        person.expect_page("step")
        assert person.page.locator('[data-finding][data-level="error"]').count() == 1
        person.look("refused")
        fill(person, "metadata_xml", "")
        person.page.locator('form[data-form="answers"] [name="metadata_file"]').set_input_files(OKTA)
        submit(person, "answers")

        person.expect_page("review")
        person.look("filled")
        expect_one_primary_action(person)
        submit(person, "save")

        person.expect_page("done")
        person.look("active")
        event = vendor.told(organization, "sso.connection.created")
        assert event["data"]["it_admin_email"] == ADDRESS
        connection = vendor.call("GET", f"/connections/{event['data']['id']}")
        assert connection["state"] == "active"

        person.page.goto(link)
        person.expect_page("dead")
        assert person.page.locator("main").get_attribute("data-error-code") == "token_consumed"
        person.look("token-consumed")


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_generic_openid_connect_from_the_link_to_live(
    browser: Browser, vendor: Vendor, issuer: str, size: str
) -> None:
    organization = vendor.organization()
    with browser.person(vendor.url, size=size) as person:
        start(person, vendor.link(organization)["url"])
        pick(person, "generic_oidc")
        person.look("oidc-empty")
        fill(person, "issuer", f"{issuer}/elsewhere")
        fill(person, "client_id", "initech-portal")
        fill(person, "client_secret", "kept-between-us")
        submit(person, "answers")
        person.expect_page("step")
        assert person.page.locator('[data-finding][data-level="error"]').count() == 1
        assert "kept-between-us" not in person.page.content()
        person.look("oidc-refused")
        fill(person, "issuer", issuer)
        submit(person, "answers")
        # The secret was given for the other address; it is not taken along.
        person.page.locator('#field-client_secret[aria-invalid="true"]').wait_for()
        person.look("oidc-secret-again")
        fill(person, "client_secret", "kept-between-us")
        submit(person, "answers")
        person.expect_page("review")
        assert "kept-between-us" not in person.page.content()
        person.look("oidc-filled")
        submit(person, "save")
        person.expect_page("done")
        person.look("oidc-active")
    assert vendor.told(organization, "connection.activated")["data"]["state"] == "active"


def test_the_keyboard_alone_suffices(browser: Browser, link: Link, vendor: Vendor) -> None:
    with browser.person(vendor.url) as person:
        person.page.goto(link())
        person.expect_page("entry")
        person.tab_to('[name="it_admin_email"]')
        person.expect_focus_seen()
        person.page.keyboard.type(ADDRESS)
        person.page.keyboard.press("Enter")
        person.expect_page("providers")
        person.tab_to('button[name="provider"][value="okta"]')
        person.expect_focus_seen()
        person.page.keyboard.press("Enter")
        person.expect_page("step")
        way = person.page.locator("details", has=person.page.locator('[name="metadata_xml"]')).locator(
            "summary"
        )
        way.evaluate("element => element.id = 'the-way'")
        person.tab_to("#the-way")
        person.expect_focus_seen()
        person.page.keyboard.press("Enter")
        person.tab_to('form[data-form="answers"] [name="metadata_xml"]')
        person.page.keyboard.insert_text(OKTA.read_text(encoding="utf-8"))
        person.tab_to('form[data-form="answers"] button[type="submit"]')
        person.page.keyboard.press("Enter")
        person.expect_page("review")
        person.tab_to('form[data-form="save"] button[type="submit"]')
        person.expect_focus_seen()
        person.page.keyboard.press("Enter")
        person.expect_page("done")


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_without_scripts_the_whole_way_is_open(
    browser: Browser, link: Link, vendor: Vendor, size: str
) -> None:
    with browser.person(vendor.url, size=size, scripts=False) as person:
        person.page.goto(link())
        person.expect_page("entry")
        person.look("empty")
        person.page.fill('[name="it_admin_email"]', ADDRESS)
        submit(person, "start")
        person.expect_page("providers")
        person.look("empty")
        pick(person, "okta")
        person.look("empty")
        fill(person, "metadata_xml", OKTA.read_text(encoding="utf-8"))
        submit(person, "answers")
        person.expect_page("review")
        person.look("filled")
        submit(person, "save")
        person.expect_page("done")
        person.look("active")


def test_whoever_has_the_metadata_needs_four_pages(browser: Browser, link: Link, vendor: Vendor) -> None:
    with browser.person(vendor.url) as person:
        start(person, link())
        person.page.fill('form[data-form="paste"] textarea', OKTA.read_text(encoding="utf-8"))
        person.look("pasted")
        submit(person, "paste")
        person.expect_page("review")
        submit(person, "save")
        person.expect_page("done")


def test_another_browser_continues_where_the_first_one_stopped(
    browser: Browser, link: Link, vendor: Vendor
) -> None:
    address = link()
    with browser.person(vendor.url) as first:
        start(first, address)
        pick(first, "okta")
        fill(first, "metadata_xml", OKTA.read_text(encoding="utf-8"))
        submit(first, "answers")
        first.expect_page("review")
    with browser.person(vendor.url, size="narrow") as second:
        second.page.goto(address)
        second.page.fill('[name="it_admin_email"]', ADDRESS)
        submit(second, "start")
        second.expect_page("step")
        second.look("continued")
        second.page.click('main a[href="/setup/review"]')
        second.expect_page("review")
        submit(second, "save")
        second.expect_page("done")


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_each_dead_end_says_which_it_is(browser: Browser, vendor: Vendor, size: str) -> None:
    organization = vendor.organization()
    replaced = vendor.link(organization)
    revoked = vendor.link(organization)
    vendor.call("DELETE", f"/v1/sso/admin-portal/tokens/{revoked['id']}")
    unknown = f"{vendor.url}/setup/apl_{'x' * 43}"
    with browser.person(vendor.url, size=size) as person:
        for address, code in (
            (replaced["url"], "token_replaced"),
            (revoked["url"], "token_revoked"),
            (unknown, "token_unknown"),
        ):
            person.page.goto(address)
            person.expect_page("dead")
            assert person.page.locator("main").get_attribute("data-error-code") == code
            person.look(code.replace("_", "-"))
        person.page.goto(replaced["url"])
        submit(person, "request-link")
        person.expect_page("dead")
        person.look("link-requested")
    assert vendor.told(organization, "admin_portal.link_requested")


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_a_page_without_a_portal_session_leads_back(browser: Browser, vendor: Vendor, size: str) -> None:
    with browser.person(vendor.url, size=size) as person:
        person.page.goto("/setup/review")
        person.expect_page("error")
        assert person.page.locator("main").get_attribute("data-error-code") == "portal_session_missing"
        person.look("portal-session-missing")


@pytest.mark.parametrize("provider", ["okta", "entra", "google", "generic_saml", "generic_oidc"])
def test_every_walkthrough_is_fit_to_be_read(
    browser: Browser, link: Link, vendor: Vendor, provider: str
) -> None:
    address = link()
    for size in ("wide", "narrow"):
        with browser.person(vendor.url, size=size) as person:
            person.page.goto(address)
            person.page.fill('[name="it_admin_email"]', ADDRESS)
            submit(person, "start")
            person.page.goto("/setup/providers")
            pick(person, provider)
            person.look(provider.replace("_", "-"))
            assert person.page.locator("[data-sp]").count() > 0
