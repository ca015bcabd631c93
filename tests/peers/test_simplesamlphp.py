"""SimpleSAMLphp, as Debian ships it, signs people in."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest
import requests
from lxml import etree

from tests.peers.person import Page, Person
from tests.peers.running import SimpleSamlPhp
from tests.peers.vendor import CALLBACK, STATE, Customer, Ours, Vendor

DS = "{http://www.w3.org/2000/09/xmldsig#}"
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"


def set_up(vendor: Vendor, saml: SimpleSamlPhp) -> Customer:
    """A customer whose identity provider is this one: each has the other's metadata."""

    def bring(ours: Ours) -> Mapping[str, str]:
        saml.trust(requests.get(ours["metadata_url"], timeout=30).content)
        return {"metadata_url": saml.metadata_url}

    return vendor.set_up("generic_saml", bring)


def log_in(person: Person, page: Page) -> Page:
    """Be Ada at SimpleSAMLphp's own login page; the page that posts the response."""
    return person.send(page, username="ada", password="lovelace")


def response(page: Page) -> etree._Element:
    """The response that a page would post."""
    return etree.fromstring(base64.b64decode(page.fields("SAMLResponse")["SAMLResponse"]))


def test_somebody_signs_in(vendor: Vendor, saml: SimpleSamlPhp, person: Person) -> None:
    customer = set_up(vendor, saml)
    page = log_in(person, vendor.leave(person, customer))
    back = person.send(page, "SAMLResponse")
    assert back.query["state"] == STATE
    profile = vendor.welcome(back)
    assert (profile.email, profile.first_name, profile.last_name) == ("ada@initech.example", "Ada", "Lovelace")
    assert profile.connection_id == customer.connection_id
    print(profile.to_dict(), vendor.attempts(customer))
