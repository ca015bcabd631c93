"""Where a sign-in begins: which connection, which errors go back to the product, and which never do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import sqlalchemy as sa

from authio.ids import new_id
from authio.models import DomainState, connections
from tests.conftest import Project
from tests.web.sso.conftest import (
    CALLBACK,
    Begin,
    Browser,
    Connected,
    refused,
    returned,
    saml_settings,
    sent,
)

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def error_of(answer: Any) -> str:
    """The error that the product is told, with its description and its state."""
    told = returned(answer)
    assert told["error_description"]
    assert told["state"] == "state-1"
    assert "code" not in told
    return told["error"]


def test_a_browser_is_sent_to_the_identity_provider_with_a_request(
    browser: Browser, project: Project, connected: Connected
) -> None:
    answer = browser.authorize(project, connection=connected.id)
    asked = sent(answer)

    assert answer.location.startswith("https://idp.acme.example/sso?")
    assert asked.xml.get("AssertionConsumerServiceURL") == connected.facts.acs_url
    assert asked.xml.get("ForceAuthn") is None
    # 256 random bits that say nothing, in at most the 80 bytes that every provider gives back.
    assert asked.relay_state == asked.id
    assert 43 < len(asked.relay_state) <= 80


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_the_address_is_reached_at_the_root_and_under_v1(
    browser: Browser, project: Project, connected: Connected, prefix: str
) -> None:
    query = {"client_id": project.client_id, "redirect_uri": CALLBACK, "response_type": "code"}

    sent(browser.get(f"{prefix}/sso/authorize", {**query, "connection": connected.id}))


@pytest.mark.parametrize("name", ["organization", "organization_id"])
def test_an_organization_leads_to_its_one_connection(
    browser: Browser, project: Project, connected: Connected, name: str
) -> None:
    sent(browser.authorize(project, **{name: connected.organization_id}))


def test_a_connection_has_a_second_name(browser: Browser, project: Project, connected: Connected) -> None:
    sent(browser.authorize(project, connection_id=connected.id))
    sent(browser.authorize(project, connection_id=connected.id, connection=connected.id))


def test_a_provider_is_a_type_of_which_there_is_one_connection(
    browser: Browser, project: Project, connected: Connected
) -> None:
    sent(browser.authorize(project, provider="GenericSAML"))


def test_a_login_hint_finds_the_organization_that_has_verified_its_domain(
    browser: Browser, project: Project, registered: str, connect: Callable[..., Connected]
) -> None:
    connected = connect(domains={"acme.example": DomainState.VERIFIED, "maybe.example": None})

    asked = sent(browser.authorize(project, login_hint="Ann@ACME.example"))

    assert asked.xml.get("AssertionConsumerServiceURL") == connected.facts.acs_url
    for address in (
        "ann@maybe.example",
        "ann@other.example",
        "ann",
        "@",
        "acme.example",
        "a@b@acme.example.",
    ):
        answer = browser.authorize(project, login_hint=address)
        if address.endswith("@acme.example."):
            sent(answer)
        else:
            assert error_of(answer) == "invalid_connection_selector"


def test_a_domain_that_two_organizations_have_verified_leads_to_neither(
    browser: Browser, project: Project, registered: str, connect: Callable[..., Connected]
) -> None:
    connect(domains={"acme.example": DomainState.VERIFIED})
    connect(domains={"acme.example": DomainState.VERIFIED})

    assert error_of(browser.authorize(project, login_hint="a@acme.example")) == "invalid_connection_selector"


def test_prompt_login_asks_the_provider_to_ask_again(
    browser: Browser, project: Project, connected: Connected
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id, prompt="login"))

    assert asked.xml.get("ForceAuthn") == "true"


def test_a_login_hint_goes_along(browser: Browser, project: Project, connected: Connected) -> None:
    answer = browser.authorize(project, connection=connected.id, login_hint="ann@acme.example")

    assert dict(parse_qsl(urlsplit(answer.location).query))["login_hint"] == "ann@acme.example"


def test_a_provider_that_takes_posts_only_gets_a_form(
    browser: Browser, project: Project, registered: str, connect: Callable[..., Connected]
) -> None:
    connected = connect(saml_settings(sso_redirect_url="", sso_post_url="http://localhost:6545/sso"))

    page = browser.authorize(project, connection=connected.id)

    form = page.html.find("form", {"data-form": "onward"})
    assert form["action"] == "http://localhost:6545/sso"
    fields = {one["name"] for one in form.find_all("input")}
    assert fields == {"SAMLRequest", "RelayState"}
    policy = page.headers["Content-Security-Policy"]
    assert "form-action https: http://localhost:6545;" in policy
    assert "unsafe-inline" not in policy
    assert form.find("button") is not None
    assert "Set-Cookie" in page.headers


# -- errors that go back to the product ----------------------------------------------------------------


def test_no_selector_or_two_is_an_error(browser: Browser, project: Project, connected: Connected) -> None:
    selectors = [
        {},
        {"connection": connected.id, "organization": connected.organization_id},
        {"connection": connected.id, "provider": "GenericSAML"},
        {"connection": connected.id, "connection_id": new_id("connection")},
        {"connection": "conn_\x00"},
    ]
    for selector in selectors:
        assert error_of(browser.authorize(project, **selector)) == "invalid_connection_selector"


def test_a_connection_that_does_not_exist_and_another_project_s_look_the_same(
    browser: Browser, project: Project, registered: str, connect: Callable[..., Connected], services: Begin
) -> None:
    with services() as s:
        other = s.projects.create("Other")
    theirs = connect(project_id=other.id)

    answers = [
        browser.authorize(project, connection=one) for one in (new_id("connection"), theirs.id, "x", "' --")
    ]

    assert {error_of(answer) for answer in answers} == {"connection_invalid"}
    assert len({answer.location for answer in answers}) == 1
    assert error_of(browser.authorize(project, organization=theirs.organization_id)) == "organization_invalid"


def test_a_draft_is_no_connection(
    browser: Browser, project: Project, registered: str, connect: Callable[..., Connected]
) -> None:
    draft = connect(state="draft")

    assert error_of(browser.authorize(project, connection=draft.id)) == "connection_invalid"
    assert error_of(browser.authorize(project, organization=draft.organization_id)) == "organization_invalid"


def test_an_organization_without_a_connection_and_none_are_the_same_error(
    browser: Browser, project: Project, registered: str, services: Begin
) -> None:
    with services() as s:
        empty = s.organizations.create(project.id, name="Empty")

    for organization_id in (empty.id, new_id("organization"), "x"):
        assert error_of(browser.authorize(project, organization=organization_id)) == "organization_invalid"


def test_several_connections_of_one_organization_have_to_be_named(
    browser: Browser, project: Project, connected: Connected, connect: Callable[..., Connected]
) -> None:
    connect(organization_id=connected.organization_id)

    answer = browser.authorize(project, organization=connected.organization_id)

    assert error_of(answer) == "ambiguous_connection_selector"


def test_a_connection_out_of_use_leaves_the_organization_s_other_one(
    browser: Browser, project: Project, connected: Connected, connect: Callable[..., Connected]
) -> None:
    old = connect(organization_id=connected.organization_id, state="inactive")

    sent(browser.authorize(project, organization=connected.organization_id))
    assert error_of(browser.authorize(project, connection=old.id)) == "connection_unlinked"


def test_a_connection_out_of_use_is_unlinked(
    browser: Browser, project: Project, registered: str, connect: Callable[..., Connected]
) -> None:
    old = connect(state="inactive")
    orphan = connect(connector="nobody-has-this")

    assert error_of(browser.authorize(project, connection=old.id)) == "connection_unlinked"
    assert error_of(browser.authorize(project, organization=old.organization_id)) == "connection_unlinked"
    assert error_of(browser.authorize(project, connection=orphan.id)) == "connection_unlinked"


def test_the_old_selector_by_domain_is_refused_by_name(
    browser: Browser, project: Project, connected: Connected
) -> None:
    answer = browser.authorize(project, domain="acme.example")

    assert error_of(answer) == "domain_connection_selector_not_allowed"


def test_a_type_of_several_connections_is_no_selector(
    browser: Browser, project: Project, connected: Connected, connect: Callable[..., Connected]
) -> None:
    connect()

    assert error_of(browser.authorize(project, provider="GenericSAML")) == "connection_strategy_invalid"
    assert error_of(browser.authorize(project, provider="GoogleOAuth")) == "connection_invalid"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"prompt": "none"}, "invalid_request"),
        ({"nonce": "n" * 2000}, "invalid_request"),
        ({"nonce": "n\x00"}, "invalid_request"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
    ],
)
def test_SEC_83_parameters_that_cannot_be_are_errors(
    browser: Browser, project: Project, connected: Connected, changed: dict[str, Any], error: str
) -> None:
    answer = browser.authorize(project, connection=connected.id, **changed)

    assert error_of(answer) == error


def test_a_parameter_that_is_repeated_is_an_error_unless_nobody_reads_it(
    browser: Browser, project: Project, connected: Connected
) -> None:
    query = [
        ("client_id", project.client_id),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("connection", connected.id),
        ("state", "state-1"),
    ]
    lists = [("provider_scopes", "a"), ("provider_scopes", "b"), ("provider_query_params[k]", "v")]

    sent(browser.get("/sso/authorize", [*query, *lists]))
    assert error_of(browser.get("/sso/authorize", [*query, ("foo", "1"), ("foo", "2")])) == "invalid_request"
    for name, value in query:
        answer = browser.get("/sso/authorize", [*query, (name, value)], expect_errors=True)
        assert answer.status_int in {302, 400}
        assert "SAMLRequest" not in answer.headers.get("Location", "")


def test_an_error_leaves_nothing_behind(
    browser: Browser, project: Project, connected: Connected, attempts: Callable[[], list[Any]]
) -> None:
    answer = browser.authorize(project, connection="x")

    assert attempts() == []
    assert "Set-Cookie" not in answer.headers


# -- errors that do not --------------------------------------------------------------------------------


def test_SEC_81_an_address_that_is_not_registered_is_never_gone_to(
    browser: Browser, project: Project, connected: Connected
) -> None:
    for address in (
        None,
        "",
        "https://app.example.com/callback/",
        "https://app.example.com/callback?x=1",
        "https://app.example.com/Callback",
        "https://APP.example.com/callback",
        "https://app.example.com.evil.example/callback",
        "https://app.example.com@evil.example/callback",
        "https://app.example.com/callback#x",
        "http://app.example.com/callback",
        "//app.example.com/callback",
        "javascript:alert(1)",
    ):
        answer = browser.authorize(project, connection=connected.id, redirect_uri=address)
        refused(answer, "redirect_uri_mismatch", status=400)


def test_SEC_81_the_address_is_looked_at_before_anything_else(
    browser: Browser, project: Project, connected: Connected
) -> None:
    answer = browser.authorize(project, redirect_uri="https://evil.example/", domain="x", response_type="y")

    refused(answer, "redirect_uri_mismatch", status=400)


def test_SEC_81_a_star_stands_for_one_label_or_one_port(
    browser: Browser, project: Project, connected: Connected, services: Begin
) -> None:
    with services() as s:
        for uri in ("https://*.preview.example.com/cb?a=b", "http://localhost:*/cb"):
            s.redirect_uris.add(project.id, uri)

    for address in ("https://a-1.preview.example.com/cb?a=b", "http://localhost:3000/cb"):
        sent(browser.authorize(project, connection=connected.id, redirect_uri=address))
    for address in (
        "https://a.b.preview.example.com/cb?a=b",
        "https://preview.example.com/cb?a=b",
        "https://.preview.example.com/cb?a=b",
        "https://*.preview.example.com/cb?a=b",
        "https://a.preview.example.com/cb?a=b&c=d",
        "https://evil.example/.preview.example.com/cb?a=b",
        "https://evil.example#.preview.example.com/cb?a=b",
        "https://a.preview.example.com:444/cb?a=b",
        "http://localhost/cb",
        "http://localhost:*/cb",
        "http://localhost:3000@evil.example/cb",
        "http://127.0.0.1:3000/cb",
    ):
        answer = browser.authorize(project, connection=connected.id, redirect_uri=address)
        refused(answer, "redirect_uri_mismatch", status=400)


def test_an_unknown_product_is_told_on_a_page(
    browser: Browser, project: Project, connected: Connected
) -> None:
    for client_id in (None, "", "client_nobody", "' or 1=1", "client_\x00", "client_" + "0" * 26):
        refused(browser.authorize(project, client_id=client_id), "client_unknown", status=400)


def test_SEC_84_state_of_up_to_a_kibibyte_comes_back_unchanged(
    browser: Browser, project: Project, connected: Connected
) -> None:
    odd = "a b+c%20&=?#ü\u2028\"'<>/" + "x" * 900

    assert returned(browser.authorize(project, connection="x", state=odd))["state"] == odd
    assert "state" not in returned(browser.authorize(project, connection="x", state=None))
    assert returned(browser.authorize(project, connection="x", state=""))["state"] == ""
    answer = browser.authorize(project, connection=connected.id, state="a\0b")
    assert (returned(answer)["error"], returned(answer)["state"]) == ("invalid_request", "a\0b")
    refused(browser.authorize(project, connection="x", state="ü" * 513), "state_too_long", status=400)


def test_methods_that_begin_nothing_are_refused(browser: Browser, connected: Connected) -> None:
    for path in ("/sso/authorize", "/v1/sso/authorize", f"/sso/{connected.ulid}/start"):
        answer = browser.post(path, expect_errors=True)
        assert (answer.status_int, answer.headers["Allow"]) == (405, "GET, HEAD")


class TestRates:
    @pytest.fixture
    def ini(self) -> dict[str, str]:
        return {"authio.rate_limit.sso": "3"}

    def test_SEC_116_an_address_may_begin_so_many_sign_ins_a_minute(
        self, browser: Browser, project: Project, connected: Connected, attempts: Callable[[], list[Any]]
    ) -> None:
        answers = [browser.authorize(project, connection=connected.id) for _ in range(4)]

        assert [answer.status_int for answer in answers] == [302, 302, 302, 429]
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert len(attempts()) == 3
        limited = browser.post(connected.acs, {"SAMLResponse": "x"}, expect_errors=True)
        assert limited.status_int == 429


# -- the plain link ------------------------------------------------------------------------------------


def test_a_plain_link_begins_a_sign_in_that_ends_at_the_default_address(
    browser: Browser, connected: Connected, answer_to: Callable[..., Any]
) -> None:
    asked = sent(browser.get(f"/sso/{connected.ulid}/start"))
    told = returned(browser.post_response(connected, answer_to(connected, asked)))

    assert set(told) == {"code"}


def test_a_plain_link_needs_an_address_to_end_at(browser: Browser, connect: Callable[..., Connected]) -> None:
    connected = connect()

    refused(browser.get(f"/sso/{connected.ulid}/start", status=400), "redirect_uri_mismatch", status=400)


def test_a_plain_link_to_nothing_or_to_a_draft_leads_nowhere(
    browser: Browser, registered: str, connect: Callable[..., Connected], services: Begin
) -> None:
    draft, old = connect(state="draft"), connect(state="inactive")

    assert returned(browser.get(f"/sso/{draft.ulid}/start"))["error"] == "connection_invalid"
    assert returned(browser.get(f"/sso/{old.ulid}/start"))["error"] == "connection_unlinked"
    for ulid in ("0" * 26, "x", "%00"):
        refused(browser.get(f"/sso/{ulid}/start", expect_errors=True), "connection_not_found", status=404)
    with services(write=False) as s:
        assert len(s.session.connection().execute(sa.select(connections)).all()) == 2
