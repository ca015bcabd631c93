"""oidc-provider, as npm ships it, signs people in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.peers.person import Page, Person
from tests.peers.running import OidcProvider
from tests.peers.vendor import STATE, Customer, Ours, Vendor


def set_up(vendor: Vendor, oidc: OidcProvider, **client: Any) -> Customer:
    """A customer whose identity provider is this one, where a *client* is registered for us."""

    def bring(ours: Ours) -> Mapping[str, str]:
        registered = oidc.register(ours["redirect_uri"], **client)
        return {
            "issuer": oidc.issuer,
            "client_id": registered["client_id"],
            "client_secret": registered["client_secret"],
        }

    return vendor.set_up("generic_oidc", bring)


def log_in(person: Person, page: Page) -> Page:
    """Be Ada at oidc-provider's own pages, and agree to everything."""
    page = person.send(page, login="ada", password="any")
    return person.send(page, "prompt")


def asked(page: Page) -> dict[str, str]:
    """What we asked of the identity provider."""
    return next(query for hop in page.hops if "code_challenge" in (query := query_of(hop)))


def answered(page: Page, customer: Customer) -> str:
    """The address at which the answer came back to us."""
    return next(hop for hop in page.hops if hop.startswith(customer.ours["redirect_uri"]))


def query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def identified(vendor: Vendor, customer: Customer) -> dict[str, Any]:
    """What was written down of how the newest sign-in was judged."""
    attempt = vendor.attempts(customer)[0]
    return next(step for step in attempt["steps"] if step["step"] == "identified")


def test_somebody_signs_in(vendor: Vendor, oidc: OidcProvider, person: Person) -> None:
    customer = set_up(vendor, oidc)
    page = vendor.leave(person, customer)
    back = log_in(person, page)
    assert back.query["state"] == STATE
    profile = vendor.welcome(back)
    assert (profile.email, profile.first_name, profile.last_name) == (
        "ada@initech.example",
        "Ada",
        "Lovelace",
    )
    assert (profile.idp_id, profile.connection_type) == ("ada", "GenericOIDC")
    assert profile.groups == ["Staff", "Engineering"]
    assert profile.raw_attributes["locale"] == "en-GB"


def test_every_request_has_a_challenge_a_state_and_a_nonce(
    vendor: Vendor, oidc: OidcProvider, person: Person
) -> None:
    """The provider itself refuses requests without a challenge, and codes without its verifier."""
    customer = set_up(vendor, oidc)
    query = asked(vendor.leave(person, customer))
    assert query["code_challenge_method"] == "S256"
    assert {"state", "nonce", "code_challenge"} <= set(query)
    without = {name: value for name, value in query.items() if not name.startswith("code_challenge")}
    page = person.go(f"{oidc.issuer}/auth?{urlencode(without)}")
    assert "PKCE" in query_of(page.hops[0]).get("error_description", page.says)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_id_tokens_are_verified_by_whichever_key_the_client_is_registered_for(
    vendor: Vendor, oidc: OidcProvider, person: Person, algorithm: str
) -> None:
    customer = set_up(vendor, oidc, id_token_signed_response_alg=algorithm)
    assert vendor.welcome(log_in(person, vendor.leave(person, customer))).email == "ada@initech.example"
    assert identified(vendor, customer)["algorithm"] == algorithm


def test_an_address_that_only_the_userinfo_tells_is_found(
    vendor: Vendor, oidc: OidcProvider, person: Person
) -> None:
    """This provider has nothing about a person in an ID token beside a code, unless it is told to."""
    customer = set_up(vendor, oidc)
    profile = vendor.welcome(log_in(person, vendor.leave(person, customer)))
    assert identified(vendor, customer)["userinfo"] is True
    assert profile.email == "ada@initech.example"


def test_an_address_in_the_id_token_is_enough(
    vendor: Vendor, oidc_by_post: OidcProvider, person: Person
) -> None:
    customer = set_up(vendor, oidc_by_post, token_endpoint_auth_method="client_secret_post")
    profile = vendor.welcome(log_in(person, vendor.leave(person, customer)))
    assert (profile.email, identified(vendor, customer)["userinfo"]) == ("ada@initech.example", False)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_the_client_s_secret_goes_where_the_provider_takes_it(
    vendor: Vendor, oidc: OidcProvider, oidc_by_post: OidcProvider, person: Person, method: str
) -> None:
    provider = {"client_secret_basic": oidc, "client_secret_post": oidc_by_post}[method]
    customer = set_up(vendor, provider, token_endpoint_auth_method=method)
    assert vendor.welcome(log_in(person, vendor.leave(person, customer))).idp_id == "ada"


def test_a_wrong_secret_lets_nobody_in(vendor: Vendor, oidc: OidcProvider, person: Person) -> None:
    def bring(ours: Ours) -> Mapping[str, str]:
        registered = oidc.register(ours["redirect_uri"])
        return {"issuer": oidc.issuer, "client_id": registered["client_id"], "client_secret": "stale"}

    customer = vendor.set_up("generic_oidc", bring)
    page = log_in(person, vendor.leave(person, customer))
    assert page.query["error"] == "oauth_failed"
    assert "code" not in page.query
    error = vendor.attempts(customer)[0]["error"]
    assert (error["code"], error["found"]) == ("oidc_token_request", "invalid_client")


def test_somebody_who_is_signed_in_over_there_is_asked_again_only_where_the_product_wants_it(
    vendor: Vendor, oidc: OidcProvider, person: Person
) -> None:
    customer = set_up(vendor, oidc)
    vendor.welcome(log_in(person, vendor.leave(person, customer)))
    assert vendor.welcome(vendor.leave(person, customer)).idp_id == "ada"

    page = vendor.leave(person, customer, prompt="login", login_hint="ada")
    assert page.fields("login", "password")["login"] == "ada"
    assert vendor.welcome(person.send(page, login="ada", password="any")).idp_id == "ada"


# -- the answer at the redirect URI ---------------------------------------------------------------------


def test_the_answer_names_its_issuer(vendor: Vendor, oidc: OidcProvider, person: Person) -> None:
    customer = set_up(vendor, oidc)
    back = log_in(person, vendor.leave(person, customer))
    assert query_of(answered(back, customer))["iss"] == oidc.issuer


@pytest.mark.parametrize("issuer", ["https://another.example", None])
def test_an_answer_that_names_another_issuer_or_none_lets_nobody_in(
    vendor: Vendor, oidc: OidcProvider, person: Person, issuer: str | None
) -> None:
    customer = set_up(vendor, oidc)
    person.stop_at(customer.ours["redirect_uri"])
    came = query_of(log_in(person, vendor.leave(person, customer)).url)
    del came["iss"]
    person.stop_at()
    page = person.go(
        f"{customer.ours['redirect_uri']}?{urlencode(came | ({'iss': issuer} if issuer else {}))}"
    )
    assert (page.status, page.error) == (403, "oidc_issuer_mismatch")


def test_an_answer_in_another_browser_lets_nobody_in(
    vendor: Vendor, oidc: OidcProvider, person: Person
) -> None:
    customer = set_up(vendor, oidc)
    person.stop_at(customer.ours["redirect_uri"])
    came = log_in(person, vendor.leave(person, customer))
    with Person() as thief:
        page = thief.go(came.url)
    assert (page.status, page.error) == (403, "oidc_state_invalid")


def test_somebody_who_turns_back_is_told_so_at_the_product(
    vendor: Vendor, oidc: OidcProvider, person: Person
) -> None:
    customer = set_up(vendor, oidc)
    page = vendor.leave(person, customer)
    (cancel,) = [one for one in page.html.select("a[href]") if "ancel" in one.get_text()]
    back = person.go(str(cancel["href"]))
    assert (back.query["error"], back.query["state"]) == ("access_denied", STATE)
    assert "code" not in back.query
    assert vendor.attempts(customer)[0]["status"] == "failed"
