"""Responses as identity providers write them are accepted, whatever prefix, order and signature they use."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from authio.plugin.saml import SAML_ATTRIBUTES
from authio.protocols.saml_profile import profile_from_saml
from authio.protocols.saml_response import Expected
from tests.support import saml_idp as idp
from tests.support.saml_idp import SAML, Method, Sealing
from tests.support.saml_judged import FACTS, MALLORY, accepted, expecting, refusal

GOOD = Path(__file__).parents[2] / "data" / "saml" / "good"
VENDORS = sorted(folder.name for folder in GOOD.iterdir())


def facts_of(vendor: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOOD / vendor / "facts.json").read_text())
    return found


def message(vendor: str, *, sign: list[str] | None = None, bend: idp.Bend | None = None) -> etree._Element:
    """The vendor's response, filled in, signed and encrypted as it does that."""
    facts = facts_of(vendor)
    text = Template((GOOD / vendor / "response.xml").read_text()).substitute(
        acs_url=FACTS.acs_url,
        sp_entity_id=FACTS.sp_entity_id,
        idp_entity_id=FACTS.idp_entity_id,
        request_id=FACTS.request_id,
        unique="0a1b2c3d",
        now=FACTS.at(),
        earlier=FACTS.at(hours=-3),
        before=FACTS.at(minutes=-5),
        soon=FACTS.at(minutes=5),
        hour=FACTS.at(minutes=65),
        day=FACTS.at(hours=24),
    )
    root = etree.fromstring(text.encode())
    method = Method(prefixes=facts.get("prefixes"), prefix=facts["prefix"])
    what = facts["sign"] if sign is None else sign
    if "assertion" in what:
        idp.sign(
            root[-1] if root[-1].tag == f"{SAML}Assertion" else root.find(f"{SAML}Assertion"), method=method
        )
    if bend is not None:
        bend(root)
    if "encrypt" in facts:
        assertion = root.find(f"{SAML}Assertion")
        content = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
        if facts["encrypt"] == "cbc":
            content = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
        root.replace(assertion, idp.encrypt(assertion, idp.signer("sp"), Sealing(content=content)))
    if "response" in what:
        idp.sign(root, method=method)
    return root


def expected_of(vendor: str) -> Expected:
    key = idp.signer("sp").key
    assert isinstance(key, rsa.RSAPrivateKey)
    encrypts = facts_of(vendor).get("encrypt")
    return expecting(decryption_keys=(key,) if encrypts else (), allow_cbc=encrypts == "cbc")


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_vendor_s_response_signs_its_person_in(vendor: str) -> None:
    facts = facts_of(vendor)
    judged = accepted(message(vendor), expected_of(vendor))
    profile = profile_from_saml(judged, SAML_ATTRIBUTES)

    found = {name: getattr(profile, name) for name in facts["profile"]}
    assert found == {**facts["profile"], "groups": tuple(facts["profile"]["groups"])}
    assert sorted(judged.signed) == sorted(facts["sign"])
    assert judged.was_encrypted == ("encrypt" in facts)


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("sign", [["assertion"], ["response"], ["assertion", "response"]])
def test_the_vendor_s_other_choices_are_as_good(vendor: str, sign: list[str]) -> None:
    judged = accepted(message(vendor, sign=sign), expected_of(vendor))

    assert sorted(judged.signed) == sign
    assert profile_from_saml(judged, SAML_ATTRIBUTES).email == "ann@acme.example"


@pytest.mark.parametrize("vendor", VENDORS)
def test_SEC_48_the_vendor_s_response_without_a_signature_signs_nobody_in(vendor: str) -> None:
    expected = expected_of(vendor)
    refused = refusal(message(vendor, sign=[]), expected)

    assert refused.code == ("saml_decrypt" if expected.allow_cbc else "saml_signature_missing")


@pytest.mark.parametrize("vendor", VENDORS)
def test_SEC_47_the_vendor_s_response_with_another_name_signs_nobody_in(vendor: str) -> None:
    def rename(root: etree._Element) -> None:
        for name in root.iter(f"{SAML}NameID"):
            name.text = MALLORY

    expected = expected_of(vendor)
    refused = refusal(message(vendor, sign=["assertion"], bend=rename), expected)

    assert refused.code == ("saml_decrypt" if expected.allow_cbc else "saml_signature_invalid")


def test_there_is_a_shape_for_each_way_to_sign() -> None:
    ways = {tuple(facts_of(vendor)["sign"]) for vendor in VENDORS}
    assert len(VENDORS) >= 8
    assert ways == {("assertion",), ("response",), ("assertion", "response")}
