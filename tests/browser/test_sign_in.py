"""Test sign-in and the connection's own page in a real browser, with a real identity provider on loopback.

Each common mistake is made at the provider, met, explained with the screen where it is put right, mended, and
seen to go green.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from authio.rehearse.credentials import Credentials
from authio.rehearse.rehearsal import Rehearsal
from tests.browser.test_portal import fill, pick, start, submit
from tests.rehearse.stage import Stage, staged
from tests.support.browser import SIZES, Browser, Person

EMPLOYEE = "ada@initech.example"


@dataclass(frozen=True)
class Vendor:
    """The vendor's backend."""

    stage: Stage

    def call(self, method: str, path: str, **body: Any) -> Any:
        demo = self.stage.server.demo
        answer = requests.request(
            method,
            self.stage.server.url + path,
            json=body or None,
            headers={"Authorization": f"Bearer {demo['api_key']}"},
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def organization(self) -> str:
        return str(self.call("POST", "/organizations", name="Initech")["id"])

    def link(self, organization_id: str) -> str:
        path = "/v1/sso/admin-portal/tokens"
        return str(self.call("POST", path, organization_id=organization_id)["url"])

    def session_link(self, organization_id: str) -> str:
        return str(self.call("POST", "/portal/generate_link", organization=organization_id)["link"])

    def connections(self, organization_id: str) -> list[Any]:
        return list(self.call("GET", f"/connections?organization_id={organization_id}")["data"])

    def told(self, organization_id: str, event: str) -> int:
        """How often that has been told about the organization."""
        query = f"/events?organization_id={organization_id}&events={event}&limit=100"
        return len(self.call("GET", query)["data"])


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    credentials = Credentials.fresh(datetime.now(UTC))
    with (
        Rehearsal(credentials, saml_port=0, oidc_port=0) as rehearsal,
        staged(rehearsal, tmp_path_factory.mktemp("sign-in")) as stage,
    ):
        yield stage


@pytest.fixture
def stage(started: Stage) -> Iterator[Stage]:
    """All there is, with a provider that does everything right."""
    yield started
    started.rehearsal.saml.switches.reset()
    started.rehearsal.oidc.switches.reset()


@pytest.fixture
def vendor(stage: Stage) -> Vendor:
    return Vendor(stage)


@pytest.fixture
def someone(browser: Browser, stage: Stage) -> Callable[..., Any]:
    """A person who visits the portal, the provider, and nothing else."""
    also = (stage.rehearsal.saml.url, stage.rehearsal.oidc.url, stage.product)
    return lambda **how: browser.person(stage.server.url, also=also, **how)


def to_the_check(person: Person, stage: Stage, vendor: Vendor, protocol: str) -> str:
    """Bring what the rehearsal hands out, up to the check; the organization."""
    organization = vendor.organization()
    start(person, vendor.link(organization))
    bring(person, stage, protocol)
    return organization


def bring(person: Person, stage: Stage, protocol: str) -> None:
    pick(person, f"generic_{protocol}")
    if protocol == "saml":
        fill(person, "metadata_url", stage.rehearsal.saml.entity_id)
    else:
        credentials = stage.rehearsal.oidc.credentials
        fill(person, "issuer", stage.rehearsal.oidc.issuer)
        fill(person, "client_id", credentials.client_id)
        fill(person, "client_secret", credentials.client_secret)
    submit(person, "answers")
    person.expect_page("review")


def go_through(person: Person, *, scripts: bool = True) -> None:
    """Press Test, sign in at the provider, come back to the result."""
    submit(person, "test")
    person.expect_page("login")
    # Nobody of the demo organization's: its domain is its own.
    person.page.fill('[name="email"]', EMPLOYEE)
    person.page.get_by_role("button", name="Continue", exact=True).click()
    if not scripts and person.where == "post":
        person.page.get_by_role("button", name="Continue", exact=True).click()
    person.expect_page("test")


def result(person: Person) -> str:
    return person.page.locator("[data-result]").get_attribute("data-result") or ""


def text(person: Person, selector: str) -> str:
    return person.page.locator(selector).first.inner_text().strip()


MISTAKES = [
    pytest.param("saml", "wrong-audience", "saml_audience", "Entity ID", id="wrong-audience"),
    pytest.param(
        "saml", "wrong-certificate", "saml_signature_invalid", "IdP metadata", id="wrong-certificate"
    ),
    pytest.param("saml", "no-email", "saml_attribute", "email", id="missing-email"),
    pytest.param("saml", "unassigned-user", "access_denied", "people or groups", id="unassigned-user"),
    pytest.param("oidc", "unassigned-user", "access_denied", "people or groups", id="unassigned-user-oidc"),
    pytest.param(
        "oidc", "wrong-client-secret", "oidc_token_request", "Client secret", id="wrong-client-secret"
    ),
    pytest.param("oidc", "wrong-issuer", "oidc_token_invalid", "Issuer", id="wrong-issuer"),
]


@pytest.mark.parametrize(("protocol", "mistake", "code", "screen"), MISTAKES)
def test_a_mistake_is_explained_with_the_right_screen_and_once_mended_goes_green(
    someone: Callable[..., Any],
    stage: Stage,
    vendor: Vendor,
    protocol: str,
    mistake: str,
    code: str,
    screen: str,
) -> None:
    with someone() as person:
        organization = to_the_check(person, stage, vendor, protocol)
        stage.rehearsal.make(mistake)
        go_through(person)
        assert result(person) == "failed"
        assert person.page.locator("[data-diagnosis]").get_attribute("data-diagnosis") == code
        labels = person.page.locator("[data-where] strong").all_inner_texts()
        assert screen in labels
        step = person.page.locator("[data-where]").get_attribute("data-where")
        person.look(mistake)

        # The step that is named holds that very label.
        person.page.locator(f'a[href$="#step-{step}"]').click()
        person.expect_page("step")
        assert screen in person.page.locator(f"#step-{step}").inner_text()

        stage.rehearsal.saml.switches.reset()
        stage.rehearsal.oidc.switches.reset()
        person.page.go_back()
        person.expect_page("test")
        go_through(person)
        assert result(person) == "succeeded", text(person, "main")
        assert text(person, '[data-profile="email"]') == EMPLOYEE
        # None of it has let anybody in, and none of it was told to the product.
        assert vendor.connections(organization) == []
        assert vendor.told(organization, "authentication.sso_failed") == 0
        assert vendor.told(organization, "authentication.sso_succeeded") == 0


def test_what_was_found_stands_beside_what_was_expected(
    someone: Callable[..., Any], stage: Stage, vendor: Vendor
) -> None:
    with someone() as person:
        to_the_check(person, stage, vendor, "saml")
        stage.rehearsal.make("audience-with-slash")
        go_through(person)
        found, expected = text(person, '[data-fact="found"]'), text(person, '[data-fact="expected"]')
        assert found == f"{expected}/"
        assert text(person, '[data-sp="entity_id"]') == expected
        stage.rehearsal.saml.switches.reset()
        stage.rehearsal.saml.switches.change({"clock": "slow"})
        go_through(person)
        assert person.page.locator("[data-diagnosis]").get_attribute("data-diagnosis") == "saml_expired"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("protocol", ["saml", "oidc"])
def test_a_test_before_the_save_and_one_after_it(
    someone: Callable[..., Any], stage: Stage, vendor: Vendor, size: str, protocol: str
) -> None:
    with someone(size=size) as person:
        organization = to_the_check(person, stage, vendor, protocol)
        person.look(f"before-test-{protocol}")
        go_through(person)
        person.look(f"succeeded-{protocol}")
        person.page.locator("details summary").first.click()
        person.look(f"mapping-{protocol}")
        person.page.get_by_role("link", name="Go on to Save").click()
        person.expect_page("review")
        person.look(f"tested-{protocol}")
        submit(person, "save")
        person.expect_page("done")
        person.look(f"with-test-{protocol}")
        go_through(person)
        assert result(person) == "succeeded"
        assert [one["state"] for one in vendor.connections(organization)] == ["active"]


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without"])
def test_a_provider_that_wants_signed_requests_by_form_is_tested_too(
    someone: Callable[..., Any], stage: Stage, vendor: Vendor, scripts: bool
) -> None:
    stage.rehearsal.saml.switches.change({"bindings": "post", "requests": "signed"})
    with someone(scripts=scripts) as person:
        to_the_check(person, stage, vendor, "saml")
        submit(person, "test")
        if not scripts:
            person.expect_page("post")
            submit(person, "onward")
        person.expect_page("login")
        person.page.fill('[name="email"]', EMPLOYEE)
        person.page.get_by_role("button", name="Continue", exact=True).click()
        if not scripts:
            person.expect_page("post")
            person.page.get_by_role("button", name="Continue", exact=True).click()
        person.expect_page("test")
        assert result(person) == "succeeded"


def test_it_all_works_without_script(someone: Callable[..., Any], stage: Stage, vendor: Vendor) -> None:
    with someone(scripts=False) as person:
        organization = to_the_check(person, stage, vendor, "saml")
        go_through(person, scripts=False)
        assert result(person) == "succeeded"
        person.page.get_by_role("link", name="Go on to Save").click()
        submit(person, "save")
        person.expect_page("done")
        start_again(person, vendor.session_link(organization))
        submit(person, "edit")
        person.expect_page("step")
        submit(person, "answers")
        person.expect_page("review")
        submit(person, "save")
        person.expect_page("connection")
        person.page.locator('details:has([data-form="reset"]) summary').click()
        person.page.locator('[data-form="reset"] [name="confirm"]').check()
        submit(person, "reset")
        person.expect_page("providers")
        assert [one["state"] for one in vendor.connections(organization)] == ["inactive"]


def start_again(person: Person, link: str) -> None:
    person.page.goto(link)
    person.expect_page("entry")
    person.page.fill('[name="it_admin_email"]', "manager@initech.example")
    submit(person, "start")
    person.expect_page("connection")


def confirm(person: Person, form: str) -> None:
    """Unfold what asks for confirmation, tick the box, press the button."""
    folded = person.page.locator("details", has=person.page.locator(f'[data-form="{form}"]'))
    if folded.get_attribute("open") is None:
        folded.locator("summary").click()
    folded.locator('[name="confirm"]').check()
    submit(person, form)


def submit_unconfirmed(person: Person, form: str) -> None:
    person.page.locator("details", has=person.page.locator(f'[data-form="{form}"]')).locator(
        "summary"
    ).click()
    submit(person, form)


@pytest.mark.parametrize("size", SIZES)
def test_edit_promote_return_and_reset(
    someone: Callable[..., Any], stage: Stage, vendor: Vendor, size: str
) -> None:
    with someone(size=size) as person:
        organization = to_the_check(person, stage, vendor, "oidc")
        submit(person, "save")
        person.expect_page("done")
        (connection,) = vendor.connections(organization)

        person.page.goto(vendor.session_link(organization))
        person.expect_page("entry")
        person.look("session-link")
        start_again(person, vendor.session_link(organization))
        person.look("fresh")
        ours = text(person, '[data-sp="redirect_uri"]')
        go_through(person)
        person.page.get_by_role("link", name="Back to the connection").click()
        person.expect_page("connection")
        person.look("tested")

        submit(person, "edit")
        person.expect_page("step")
        assert text(person, '[data-sp="redirect_uri"]') == ours
        assert person.page.input_value('[name="client_id"]') == "rehearsal"
        assert person.page.input_value('[name="client_secret"]') == ""
        person.look("edit")
        fill(person, "client_secret", "another-secret")
        submit(person, "answers")
        person.expect_page("review")
        changes = person.page.locator("[data-change]").evaluate_all(
            "all => all.map(one => one.dataset.change)"
        )
        assert changes == ["client_secret"]
        assert "another-secret" not in person.page.content()
        person.look("diff")

        # While it is edited, the connection serves on with the settings as they were.
        person.page.goto(f"{stage.server.url}/setup/connection")
        go_through(person)
        assert result(person) == "succeeded"
        person.page.goto(f"{stage.server.url}/setup/review")
        submit(person, "save")
        person.expect_page("connection")
        person.look("edited")
        go_through(person)
        assert person.page.locator("[data-diagnosis]").get_attribute("data-diagnosis") == "oidc_token_request"

        person.page.goto(f"{stage.server.url}/setup/connection")
        confirm(person, "return")
        person.expect_page("connection")
        person.page.locator('[data-told="returned"]').wait_for()
        go_through(person)
        assert result(person) == "succeeded"

        person.page.goto(f"{stage.server.url}/setup/connection?sort=state#sign-ins")
        states = person.page.locator("[data-sign-in]").evaluate_all(
            "all => all.map(one => one.dataset.status)"
        )
        assert states == ["succeeded", "succeeded", "succeeded", "failed"]
        person.page.locator('[data-status="failed"] a').click()
        person.expect_page("sign-in")
        person.look("failed")

        person.page.goto(f"{stage.server.url}/setup/connection")
        submit_unconfirmed(person, "reset")
        person.expect_page("connection")
        person.look("unconfirmed")
        confirm(person, "reset")
        person.expect_page("providers")
        (after,) = vendor.connections(organization)
        assert (after["id"], after["state"]) == (connection["id"], "inactive")
        assert vendor.told(organization, "connection.deactivated") == 1


def test_people_sign_in_to_the_product_while_an_edit_is_under_way(
    someone: Callable[..., Any], stage: Stage, vendor: Vendor
) -> None:
    stage.set_up_saml()
    demo = stage.server.demo["organization_id"]
    with someone() as person, someone() as employee:
        start_again(person, vendor.session_link(demo))
        person.look("saml")
        submit(person, "edit")
        person.expect_page("step")
        for _ in range(2):
            employee.page.goto(f"{stage.product}/sign-in?email=ada@acme.example")
            employee.expect_page("login")
            employee.page.get_by_role("button", name="Continue", exact=True).click()
            employee.page.get_by_role("heading", name="Welcome").wait_for()
            submit(person, "answers") if person.where == "step" else submit(person, "save")
            person.page.locator("main").wait_for()
        person.expect_page("connection")
