"""SimpleSAMLphp, as Debian ships it, signs people in."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from lxml import etree

from tests.peers.person import CALLBACK, Page, Person
from tests.peers.running import PATIENCE, SimpleSamlPhp
from tests.peers.vendor import STATE, Customer, Ours, Vendor

DS = "{http://www.w3.org/2000/09/xmldsig#}"
ADA = "ada@initech.example"
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"


def set_up(vendor: Vendor, saml: SimpleSamlPhp) -> Customer:
    """A customer whose identity provider is this one: each has the other's metadata."""

    def bring(ours: Ours) -> Mapping[str, str]:
        saml.trust(published(ours))
        return {"metadata_url": saml.metadata_url}

    customer = vendor.set_up("generic_saml", bring)
    # Only now do we know whether requests are signed, and say so.
    saml.trust(published(customer.ours))
    return customer


def published(ours: Ours) -> bytes:
    """Our metadata as it is now."""
    return requests.get(ours["metadata_url"], timeout=30).content


def demanding_nothing(metadata: bytes) -> bytes:
    """Our metadata without the wish for signed assertions, which this provider heeds above its settings."""
    edited = metadata.replace(b' WantAssertionsSigned="true"', b"")
    assert edited != metadata
    return edited


def log_in(person: Person, page: Page) -> Page:
    """Be Ada at SimpleSAMLphp's own login page; the page that posts the response."""
    return person.send(page, username="ada", password="lovelace")


def response(page: Page) -> etree._Element:
    """The response that a page would post."""
    return etree.fromstring(base64.b64decode(page.fields("SAMLResponse")["SAMLResponse"]))


def sent(page: Page) -> dict[str, str]:
    """The parameters with which the browser came from us to the identity provider."""
    return next(
        query for hop in page.hops if "SAMLRequest" in (query := dict(parse_qsl(urlsplit(hop).query)))
    )


def refusal(vendor: Vendor, customer: Customer, page: Page) -> str:
    """The code with which nobody was let in, told alike by the page and by what was written down."""
    assert page.status == 403, f"{page.url}: {page.says[:500]}"
    attempt = vendor.attempts(customer)[0]
    assert attempt["status"] == "failed"
    assert attempt["error"]["code"] == page.error
    return page.error


def test_somebody_signs_in(vendor: Vendor, saml: SimpleSamlPhp, person: Person) -> None:
    customer = set_up(vendor, saml)
    page = log_in(person, vendor.leave(person, customer))
    back = person.send(page, "SAMLResponse")
    assert back.query["state"] == STATE
    profile = vendor.welcome(back)
    assert (profile.email, profile.first_name, profile.last_name) == (ADA, "Ada", "Lovelace")
    assert profile.connection_id == customer.connection_id
    assert (profile.idp_id, profile.connection_type) == ("ada", "GenericSAML")
    assert profile.raw_attributes["urn:oid:1.3.6.1.4.1.5923.1.1.1.1"] == ["staff", "member"]


@pytest.mark.parametrize("signed", [("response",), ("assertion",), ("response", "assertion")])
def test_a_signature_over_the_response_or_the_assertion_is_enough(
    vendor: Vendor, saml: SimpleSamlPhp, person: Person, signed: tuple[str, ...]
) -> None:
    saml.behave(
        saml20__sign__response="response" in signed,
        saml20__sign__assertion="assertion" in signed,
    )
    customer = set_up(vendor, saml)
    saml.trust(demanding_nothing(published(customer.ours)))
    page = log_in(person, vendor.leave(person, customer))
    came = response(page)
    there = {"response": came, "assertion": came.find(f"{SAML}Assertion")}
    assert {what for what, element in there.items() if element.find(f"{DS}Signature") is not None} == set(
        signed
    )
    assert vendor.welcome(person.send(page, "SAMLResponse")).email == ADA


def test_a_response_without_a_signature_lets_nobody_in(
    vendor: Vendor, saml: SimpleSamlPhp, person: Person
) -> None:
    saml.behave(saml20__sign__response=False, saml20__sign__assertion=False)
    customer = set_up(vendor, saml)
    saml.trust(demanding_nothing(published(customer.ours)))
    page = person.send(log_in(person, vendor.leave(person, customer)), "SAMLResponse")
    assert refusal(vendor, customer, page) == "saml_signature_missing"


def test_names_arrive_as_they_are_written(vendor: Vendor, saml: SimpleSamlPhp, person: Person) -> None:
    customer = set_up(vendor, saml)
    page = person.send(vendor.leave(person, customer), username="zoe", password="müller")
    profile = vendor.welcome(person.send(page, "SAMLResponse"))
    assert (profile.first_name, profile.last_name) == ("Zoë <b>", "Müller & Söhne")


def test_attributes_by_their_plain_names_make_the_same_profile(
    vendor: Vendor, saml: SimpleSamlPhp, person: Person
) -> None:
    saml.behave(
        attributes__NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
        authproc={},
        simplesaml__nameidattribute="uid",
    )
    customer = set_up(vendor, saml)
    page = log_in(person, vendor.leave(person, customer))
    profile = vendor.welcome(person.send(page, "SAMLResponse"))
    assert (profile.idp_id, profile.email, profile.last_name) == ("ada", ADA, "Lovelace")
    assert profile.raw_attributes["mail"] == ADA


@pytest.mark.parametrize("algorithm", ["rsa-sha384", "rsa-sha512"])
def test_stronger_digests_are_taken_too(
    vendor: Vendor, saml: SimpleSamlPhp, person: Person, algorithm: str
) -> None:
    saml.behave(signature__algorithm=f"http://www.w3.org/2001/04/xmldsig-more#{algorithm}")
    customer = set_up(vendor, saml)
    page = log_in(person, vendor.leave(person, customer))
    method = response(page).find(f"{DS}Signature/{DS}SignedInfo/{DS}SignatureMethod")
    assert method.get("Algorithm").endswith(algorithm)
    assert vendor.welcome(person.send(page, "SAMLResponse")).email == ADA


# -- requests ------------------------------------------------------------------------------------------


def test_a_request_is_signed_where_the_metadata_asks_for_it(
    vendor: Vendor, saml: SimpleSamlPhp, person: Person
) -> None:
    saml.behave(validate__authnrequest=True)
    customer = set_up(vendor, saml)
    page = vendor.leave(person, customer)
    assert {"SAMLRequest", "SigAlg", "Signature"} <= set(sent(page))
    assert vendor.welcome(person.send(log_in(person, page), "SAMLResponse")).email == ADA


@pytest.mark.parametrize("damage", ["without", "broken"])
def test_a_request_without_a_good_signature_is_refused_over_there(
    vendor: Vendor, saml: SimpleSamlPhp, person: Person, damage: str
) -> None:
    """Or else the test before this one would show nothing."""
    saml.behave(validate__authnrequest=True)
    customer = set_up(vendor, saml)
    query = sent(vendor.leave(person, customer))
    with Person() as other:
        signature = {"without": {}, "broken": {**query, "RelayState": "another"}}[damage]
        kept = {name: query[name] for name in ("SAMLRequest", "RelayState")} | signature
        page = other.go(f"{saml.url}/saml2/idp/SSOService.php?{urlencode(kept)}")
    assert "Unhandled exception" in page.says
    assert "ignature" in saml.log, saml.log[-3000:]


def test_a_request_is_sent_by_form_where_the_provider_takes_no_other(
    vendor: Vendor, saml: SimpleSamlPhp, person: Person
) -> None:
    saml.behave(
        validate__authnrequest=True,
        SingleSignOnServiceBinding=["urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"],
    )
    customer = set_up(vendor, saml)
    form = vendor.leave(person, customer)
    asked = etree.fromstring(base64.b64decode(form.fields("SAMLRequest")["SAMLRequest"]))
    assert asked.find(f"{DS}Signature") is not None
    page = log_in(person, person.send(form, "SAMLRequest"))
    assert vendor.welcome(person.send(page, "SAMLResponse")).email == ADA


def test_somebody_who_is_signed_in_over_there_is_asked_again_only_where_the_product_wants_it(
    vendor: Vendor, saml: SimpleSamlPhp, person: Person
) -> None:
    customer = set_up(vendor, saml)
    vendor.welcome(person.send(log_in(person, vendor.leave(person, customer)), "SAMLResponse"))
    page = vendor.leave(person, customer)
    assert vendor.welcome(person.send(page, "SAMLResponse")).email == ADA

    page = log_in(person, vendor.leave(person, customer, prompt="login"))
    assert vendor.welcome(person.send(page, "SAMLResponse")).email == ADA


# -- encryption ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["assertion", "nameid"])
def test_what_is_encrypted_for_us_is_read_once_the_connection_takes_aes_cbc(
    vendor: Vendor, saml: SimpleSamlPhp, person: Person, what: str
) -> None:
    """This release encrypts for a certificate with AES-CBC and nothing else."""
    customer = set_up(vendor, saml)
    vendor.switch(customer, "encryption")
    saml.trust(published(customer.ours))
    saml.behave(**{f"{what}__encryption": True})
    page = person.send(log_in(person, vendor.leave(person, customer)), "SAMLResponse")
    assert refusal(vendor, customer, page) == "saml_algorithm_forbidden"

    vendor.switch(customer, "encryption", "allow_cbc")
    with Person() as again:
        page = log_in(again, vendor.leave(again, customer))
        came = response(page)
        assert came.find(f".//{SAML}Encrypted{'Assertion' if what == 'assertion' else 'ID'}") is not None
        assert came.find(f".//{SAML}NameID") is None
        assert vendor.welcome(again.send(page, "SAMLResponse")).email == ADA


def test_an_encrypted_assertion_is_nobody_s_without_a_signature(
    vendor: Vendor, saml: SimpleSamlPhp, person: Person
) -> None:
    """Anybody can encrypt to us: the key is public. Under AES-CBC every refusal is the same one."""
    saml.behave(assertion__encryption=True, saml20__sign__response=False, saml20__sign__assertion=False)
    customer = set_up(vendor, saml)
    vendor.switch(customer, "encryption", "allow_cbc")
    saml.trust(demanding_nothing(published(customer.ours)))
    page = person.send(log_in(person, vendor.leave(person, customer)), "SAMLResponse")
    assert refusal(vendor, customer, page) == "saml_decrypt"


# -- sign-ins that begin over there ---------------------------------------------------------------------


def test_a_tile_of_the_customer_s_portal_leads_into_the_product_once_the_connection_takes_it(
    vendor: Vendor, saml: SimpleSamlPhp, person: Person
) -> None:
    customer = set_up(vendor, saml)
    tile = saml.tile(customer.ours["entity_id"])
    back = person.send(log_in(person, person.go(tile)), "SAMLResponse")
    assert back.url.startswith(CALLBACK)
    assert back.query["error"] == "idp_initiated_sso_disabled"
    assert "code" not in back.query

    vendor.switch(customer, "idp_initiated")
    with Person() as again:
        page = again.send(log_in(again, again.go(tile)), "SAMLResponse")
        # A page of ours, so that nobody is signed in somewhere without seeing it.
        onward = page.html.select_one("main a[href]")
        assert onward is not None, page.says
        assert vendor.welcome(again.go(str(onward["href"]))).email == ADA


# -- keys that change -----------------------------------------------------------------------------------


def test_a_key_that_is_new_over_there_is_taken_over_from_the_metadata_by_itself(
    vendor: Vendor, saml: SimpleSamlPhp, person: Person
) -> None:
    customer = set_up(vendor, saml)
    saml.renew_keys()
    page = person.send(log_in(person, vendor.leave(person, customer)), "SAMLResponse")
    assert refusal(vendor, customer, page) == "saml_signature_invalid"

    deadline = time.monotonic() + PATIENCE
    while page.error and time.monotonic() < deadline:
        time.sleep(0.2)
        with Person() as again:
            page = again.send(log_in(again, vendor.leave(again, customer)), "SAMLResponse")
    assert vendor.welcome(page).email == ADA


# -- a good response in the wrong place -----------------------------------------------------------------


def test_a_response_is_good_for_one_sign_in(vendor: Vendor, saml: SimpleSamlPhp, person: Person) -> None:
    customer = set_up(vendor, saml)
    page = log_in(person, vendor.leave(person, customer))
    vendor.welcome(person.send(page, "SAMLResponse"))
    again = person.send(page, "SAMLResponse")
    assert (again.status, again.error) == (403, "saml_replayed")


def test_a_response_for_one_customer_is_nobody_at_another_with_the_same_provider(
    vendor: Vendor, saml: SimpleSamlPhp, person: Person
) -> None:
    meant, other = set_up(vendor, saml), set_up(vendor, saml)
    page = log_in(person, vendor.leave(person, meant))
    posted = person.post(other.ours["acs_url"], page.fields("SAMLResponse"))
    assert posted.status == 403
    assert posted.error
    assert [one["status"] for one in vendor.attempts(other) if one["status"] == "succeeded"] == []
