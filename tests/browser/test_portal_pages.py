"""What the portal's pages do beyond leading onwards: at night, by script, when things go wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from tests.browser.conftest import SAMPLES, Vendor
from tests.browser.test_portal import ADDRESS, OKTA, fill, pick, start, submit
from tests.support.browser import Browser, Person

Link = Callable[..., str]
LEAST_TARGET = 44


def paste(person: Person, sample: str) -> None:
    """From the chooser to the check, by what the provider handed out."""
    person.page.fill("#paste", (SAMPLES / sample).read_text(encoding="utf-8"))
    submit(person, "paste")
    person.expect_page("review")


def expect_large_targets(person: Person) -> None:
    """What is pressed or typed into is at least 44 pixels high; links within a sentence are exempt."""
    small = person.page.evaluate(
        """least => [...document.querySelectorAll(
              'button, .button, summary, input:not([type=hidden], [type=checkbox]), textarea, select, ' +
              '.stage a, .ways-out a')]
            .filter(one => one.checkVisibility() && one.getBoundingClientRect().height < least)
            .map(one => one.outerHTML.slice(0, 120))""",
        LEAST_TARGET,
    )
    assert small == []


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_every_page_holds_at_night(browser: Browser, link: Link, vendor: Vendor, size: str) -> None:
    address = link(return_url="https://vendor.example/back")
    with browser.person(vendor.url, size=size) as person:
        person.page.emulate_media(color_scheme="dark")
        person.page.goto(address)
        person.look("night")
        submit(person, "start")
        person.look("night-errors")
        person.page.fill('[name="it_admin_email"]', ADDRESS)
        submit(person, "start")
        person.expect_page("providers")
        person.look("night")
        pick(person, "okta")
        fill(person, "metadata_url", "https://acme-admin.okta.com/admin/app")
        submit(person, "answers")
        person.expect_page("step")
        person.look("night-errors")
        person.page.goto("/setup/providers")
        paste(person, "okta/two-signing-certs.xml")
        person.look("night")
        submit(person, "save")
        person.expect_page("done")
        person.look("night")
        person.page.goto(address)
        person.look("night")
        person.page.goto("/setup/request")
        person.expect_page("error")
        person.look("night")


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_what_is_pressed_is_large_enough_for_a_thumb(
    browser: Browser, link: Link, vendor: Vendor, size: str
) -> None:
    with browser.person(vendor.url, size=size) as person:
        person.page.goto(link())
        expect_large_targets(person)
        person.page.fill('[name="it_admin_email"]', ADDRESS)
        submit(person, "start")
        person.expect_page("providers")
        expect_large_targets(person)
        pick(person, "okta")
        person.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        expect_large_targets(person)
        person.page.goto("/setup/providers")
        paste(person, "okta/good.xml")
        expect_large_targets(person)
        submit(person, "save")
        person.expect_page("done")
        expect_large_targets(person)


def test_our_values_are_copied_with_one_press_and_it_is_said(
    browser: Browser, link: Link, vendor: Vendor
) -> None:
    with browser.person(vendor.url) as person:
        person.context.grant_permissions(["clipboard-read", "clipboard-write"])
        start(person, link())
        pick(person, "okta")
        value = person.page.locator('[data-sp="acs_url"]').first
        button = person.page.locator(f'[data-copy="{value.get_attribute("id")}"]')

        button.click()

        assert person.page.evaluate("navigator.clipboard.readText()") == value.inner_text()
        assert button.inner_text() == "Copied"
        person.page.locator('main [role="status"]', has_text="Single sign-on URL copied").wait_for(
            state="attached"
        )


def test_without_scripts_no_button_is_shown_that_needs_one(
    browser: Browser, link: Link, vendor: Vendor
) -> None:
    with browser.person(vendor.url, scripts=False) as person:
        start(person, link())
        assert not person.page.locator("#search").is_visible()
        pick(person, "okta")
        assert person.page.locator("[data-copy]").count() > 0
        assert person.page.locator("[data-copy]:visible, [data-tick]:visible").count() == 0
        assert person.page.locator('[data-sp="acs_url"]').first.inner_text().endswith("/acs")


def test_the_chooser_is_searched_by_name_and_by_other_words(
    browser: Browser, link: Link, vendor: Vendor
) -> None:
    with browser.person(vendor.url) as person:
        start(person, link())
        tiles = person.page.locator('[data-form="pick"] li:visible')
        everybody = tiles.count()
        person.page.fill("#search", "okt")
        assert [one.split("\n")[0] for one in tiles.all_inner_texts()] == ["Okta"]
        person.look("searched")
        person.page.keyboard.press("Enter")
        assert person.where == "providers"
        person.page.fill("#search", "nobody knows")
        assert 0 < tiles.count() < everybody
        person.page.get_by_text("No provider of that name").wait_for()
        person.look("none-found")
        person.page.fill("#search", "")
        assert tiles.count() == everybody


def test_steps_are_ticked_off_and_remembered(browser: Browser, link: Link, vendor: Vendor) -> None:
    with browser.person(vendor.url) as person:
        start(person, link())
        pick(person, "okta")
        person.page.locator("[data-tick]").nth(0).click()
        person.page.locator("[data-tick]").nth(1).click()
        person.page.get_by_text("2 of 7 steps done").wait_for()
        person.look("ticked")
        person.page.locator("[data-tick]").nth(1).click()

        person.page.reload()

        person.page.get_by_text("1 of 7 steps done").wait_for()
        assert person.page.locator('[data-tick][aria-pressed="true"]').count() == 1


@pytest.mark.parametrize(
    ("provider", "field", "typed", "doubt"),
    [
        ("okta", "metadata_url", "http://acme.okta.com/metadata", "https://"),
        ("okta", "metadata_url", "https://acme.okta.com/meta data", "blank"),
        ("okta", "metadata_xml", "hello", "begins with <"),
        ("okta", "certificate", "-----BEGIN PRIVATE KEY-----", "private key"),
        ("entra", "app_id", "12345", "usually looks like"),
    ],
)
def test_a_slip_is_noticed_at_once_and_stands_in_nobodys_way(
    browser: Browser, link: Link, vendor: Vendor, provider: str, field: str, typed: str, doubt: str
) -> None:
    with browser.person(vendor.url) as person:
        start(person, link())
        pick(person, provider)
        fill(person, field, typed)
        person.page.keyboard.press("Tab")

        hint = person.page.locator(f"#field-{field}-hint")
        assert doubt in hint.inner_text()
        described = person.page.locator(f'[name="{field}"]').get_attribute("aria-describedby") or ""
        assert f"field-{field}-hint" in described.split()
        person.expect_accessible()

        fill(person, field, "")
        assert not hint.is_visible()


def test_a_double_click_sends_once(browser: Browser, link: Link, vendor: Vendor) -> None:
    with browser.person(vendor.url) as person:
        start(person, link())
        paste(person, "okta/good.xml")
        sent: list[str] = []
        person.page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)

        person.page.locator('form[data-form="save"] button').dblclick()

        person.expect_page("done")
        assert len(sent) == 1


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_the_wrong_provider_is_switched_with_one_press(
    browser: Browser, link: Link, vendor: Vendor, size: str
) -> None:
    with browser.person(vendor.url, size=size) as person:
        start(person, link())
        pick(person, "entra")
        fill(person, "metadata_xml", OKTA.read_text(encoding="utf-8"))
        submit(person, "answers")
        person.expect_page("review")
        assert person.page.locator('[data-finding="wrong_provider"][data-level="warning"]').count() == 1
        person.look("wrong-provider")

        submit(person, "switch")

        person.page.locator('[data-fact="provider"]', has_text="Okta").wait_for()
        assert person.page.locator("[data-finding]").count() == 0


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_a_change_in_another_window_is_shown_before_it_is_saved(
    browser: Browser, link: Link, vendor: Vendor, size: str
) -> None:
    with browser.person(vendor.url, size=size) as person:
        start(person, link())
        paste(person, "okta/good.xml")
        other = person.context.new_page()
        other.goto(f"{vendor.url}/setup/providers")
        other.fill("#paste", (SAMPLES / "entra" / "good.xml").read_text(encoding="utf-8"))
        other.locator('form[data-form="paste"] button').click()
        other.locator('main[data-page="review"]').wait_for()
        other.close()

        submit(person, "save")

        person.page.locator('[data-error-code="draft_changed"]').wait_for()
        person.look("draft-changed")
        assert "Microsoft Entra ID" in person.page.locator('[data-fact="provider"]').inner_text()
        submit(person, "save")
        person.expect_page("done")


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_whatever_goes_wrong_the_page_leads_back(
    browser: Browser, link: Link, vendor: Vendor, size: str
) -> None:
    with browser.person(vendor.url, size=size) as person:
        start(person, link())
        pick(person, "okta")
        fill(person, "metadata_url", "https://acme-admin.okta.com/admin/app")
        submit(person, "answers")
        person.expect_page("step")

        folded = person.page.locator("details", has=person.page.locator('[name="metadata_file"]'))
        folded.locator("summary").click()
        person.page.set_input_files(
            '[name="metadata_file"]', {"name": "x.xml", "mimeType": "text/xml", "buffer": b"x" * 5_000_000}
        )
        submit(person, "answers")
        person.expect_page("error")
        assert person.page.locator("main").get_attribute("data-error-code") == "request_too_large"
        person.look("request-too-large")

        person.page.click("main a.primary")
        person.expect_page("step")
        assert person.page.input_value('[name="metadata_url"]') == "https://acme-admin.okta.com/admin/app"
        person.page.eval_on_selector(
            '[data-form="answers"] [name="form_token"]', "one => { one.value = 'x'; }"
        )
        submit(person, "answers")
        person.expect_page("error")
        assert person.page.locator("main").get_attribute("data-error-code") == "csrf_failed"
        person.look("csrf-failed")
        person.page.click("main a.primary")
        person.expect_page("step")


@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_an_expired_link_says_so(browser: Browser, vendor: Vendor, size: str) -> None:
    link = vendor.link(vendor.organization())
    database = sqlite3.connect(vendor.server.folder / "var" / "authio.sqlite", timeout=30)
    database.execute(
        "UPDATE setup_links SET expires_at = '2020-01-01T00:00:00.000Z' WHERE id = ?", (link["id"],)
    )
    database.commit()
    database.close()
    with browser.person(vendor.url, size=size) as person:
        person.page.goto(link["url"])
        person.expect_page("dead")
        assert person.page.locator("main").get_attribute("data-error-code") == "token_expired"
        person.look("token-expired")


def test_the_form_comes_first_for_whoever_has_the_details(
    browser: Browser, link: Link, vendor: Vendor
) -> None:
    with browser.person(vendor.url, size="narrow") as person:
        start(person, link())
        pick(person, "okta")
        person.page.click("text=I already have the details")
        person.page.wait_for_function("document.activeElement.name === 'metadata_url'")
        assert person.focused.is_visible()
