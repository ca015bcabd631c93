"""The rehearsal in a real browser: its pages, and the way from the product to it and back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from authio.rehearse.credentials import Credentials
from authio.rehearse.rehearsal import Rehearsal
from tests.rehearse.stage import Stage, staged
from tests.support.browser import SIZES, Browser, Person


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    credentials = Credentials.fresh(datetime.now(UTC))
    with (
        Rehearsal(credentials, saml_port=0, oidc_port=0) as rehearsal,
        staged(rehearsal, tmp_path_factory.mktemp("stage")) as started,
    ):
        yield started


def to_the_sign_in_page(person: Person, stage: Stage) -> None:
    person.page.goto(stage.product)
    person.page.get_by_label("Your work e-mail address").fill("ada@acme.example")
    person.page.get_by_role("button", name="Sign in with your company").click()
    person.expect_page("login")


def press_continue(person: Person) -> None:
    person.page.get_by_role("button", name="Continue", exact=True).click()


@pytest.mark.parametrize("size", SIZES)
def test_its_pages_are_readable_and_accessible(browser: Browser, stage: Stage, size: str) -> None:
    for provider in (stage.rehearsal.saml, stage.rehearsal.oidc):
        with browser.person(provider.url, size=size) as person:
            provider.switches.make("wrong-audience")
            person.page.goto(provider.url)
            person.expect_page("console")
            person.look(f"rehearsal-{provider.protocol.split()[0].lower()}")
            person.page.get_by_role("button", name="Do everything right").click()
            person.page.locator("main:not(:has([data-mistakes]))").wait_for()
            assert provider.switches.read()["audience"] == "right"


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without"])
def test_somebody_goes_from_the_product_to_the_provider_and_back(
    browser: Browser, stage: Stage, scripts: bool
) -> None:
    stage.set_up_saml()
    also = (stage.server.url, stage.rehearsal.saml.url)
    with browser.person(stage.product, scripts=scripts, also=also) as person:
        to_the_sign_in_page(person, stage)
        if scripts:
            person.page.get_by_text("Switches for this sign-in").click()
            person.look("rehearsal")
        press_continue(person)
        if not scripts:
            person.expect_page("post")
            press_continue(person)
        person.page.get_by_role("heading", name="Welcome").wait_for()
        assert "Ada · Lovelace · ada@acme.example" in person.page.inner_text("body")


def test_over_openid_connect_it_is_the_same(browser: Browser, stage: Stage) -> None:
    stage.set_up_oidc()
    also = (stage.server.url, stage.rehearsal.oidc.url)
    with browser.person(stage.product, also=also) as person:
        to_the_sign_in_page(person, stage)
        person.page.get_by_role("button", name="Grace Hopper").click()
        person.page.get_by_role("heading", name="Welcome").wait_for()
        assert "grace@acme.example" in person.page.inner_text("body")
