"""SEC-50: two other verifiers, by other people, find every signature good that the judge has taken.

What they would refuse is never accepted, over thousands of messages damaged at random; and whatever is
accepted says what was signed. The other way round, what they have signed is accepted.
"""

from __future__ import annotations

import random
import warnings
from collections import Counter

import pytest
import signxml
import signxml.algorithms
import xmlsec
from lxml import etree
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration

from authio.protocols.saml_response import Judged, SamlRefused, judge
from tests.support import saml_idp as idp
from tests.support.saml_idp import DS, SAML, SAMLP, SIGNATURE, Method, encoded, signed_response
from tests.support.saml_judged import FACTS, accepted, expecting
from tests.support.saml_mutations import mutated

ROUNDS = 12
PER_ROUND = 600
BOTH = ("response", "assertion")
METHODS = (
    Method(),
    Method(prefixes="xs"),
    Method(prefixes="saml #default", prefix=None),
    Method(
        signature="http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        digest="http://www.w3.org/2001/04/xmlenc#sha512",
    ),
)


def signed_elements(root: etree._Element) -> list[etree._Element]:
    return [root[-1], root] if len(root) else [root]


def xmlsec_takes(xml: bytes) -> bool:
    """Whether xmlsec verifies each signature of response and assertion by the certificate alone."""
    root = etree.fromstring(xml)
    xmlsec.tree.add_ids(root, ["ID"])
    for element in signed_elements(root):
        for signature in element.findall(SIGNATURE):
            context = xmlsec.SignatureContext()
            context.key = xmlsec.Key.from_memory(idp.signer().pem, xmlsec.constants.KeyDataFormatCertPem)
            try:
                context.verify(signature)
            except xmlsec.Error:
                return False
    return True


def signxml_takes(xml: bytes) -> bool:
    """Whether signxml does so, of each element by itself, in the namespaces around it."""
    root = etree.fromstring(xml)
    expected = SignatureConfiguration(require_x509=True, location="./", expect_references=1)
    for element in signed_elements(root):
        if element.find(SIGNATURE) is None:
            continue
        apart = etree.fromstring(etree.tostring(element, with_tail=False))
        try:
            signxml.XMLVerifier().verify(
                apart,
                x509_cert=idp.signer().pem,
                id_attribute="ID",
                expect_config=expected,
                validate_schema=False,  # what is said of the key is nobody's business, readable or not
            )
        except (SignXMLException, etree.LxmlError, ValueError):
            return False
    return True


def facts_of(judged: Judged) -> tuple[object, ...]:
    return (
        judged.name_id,
        judged.name_id_format,
        dict(judged.attributes),
        judged.assertion_id,
        judged.signed,
    )


def bases() -> list[bytes]:
    """Good messages to begin with: signed here, there or both, in several ways."""
    made = []
    for what in (("response",), ("assertion",), BOTH):
        made += [etree.tostring(signed_response(sign_what=what, method=method)) for method in METHODS]
    return made


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_SEC_50_nothing_is_accepted_that_another_verifier_refuses(round_: int) -> None:
    chance = random.Random(f"round {round_}")
    outcomes: Counter[str] = Counter()
    originals = [(xml, facts_of(accepted(xml))) for xml in bases()]
    for number in range(PER_ROUND):
        original, said = chance.choice(originals)
        xml = mutated(original, chance)
        try:
            judged = judge(encoded(xml), expecting())
        except SamlRefused as refused:
            outcomes[refused.code] += 1
            continue
        outcomes["accepted"] += 1
        case = f"round {round_}, message {number}: {xml!r}"
        # A signature may have been dropped whole where another one covers the assertion; no more than that.
        assert facts_of(judged)[:-1] == said[:-1], case
        assert set(judged.signed) <= set(said[-1]), case  # type: ignore[call-overload]
        assert xmlsec_takes(xml), case
        assert signxml_takes(xml), case

    # The damage has to do something, and must not do too much, or nothing has been compared.
    assert outcomes["accepted"] >= PER_ROUND // 20, outcomes
    assert len(outcomes) >= 6, outcomes


@pytest.mark.parametrize("what", [("response",), ("assertion",), BOTH])
@pytest.mark.parametrize("method", METHODS)
def test_the_oracles_take_what_is_good_and_refuse_what_is_not(what: tuple[str, ...], method: Method) -> None:
    good = etree.tostring(signed_response(sign_what=what, method=method))
    bad = good.replace(b"ann@acme.example", b"bob@acme.example")

    assert xmlsec_takes(good)
    assert signxml_takes(good)
    assert not xmlsec_takes(bad)
    assert not signxml_takes(bad)


def by_xmlsec(element: etree._Element, prefixes: str | None) -> None:
    """Sign *element* in place, as products on top of libxmlsec do."""
    constants = xmlsec.constants
    signature = xmlsec.template.create(
        element, constants.TransformExclC14N, constants.TransformRsaSha256, ns="ds"
    )
    element.insert(1, signature)
    reference = xmlsec.template.add_reference(
        signature, constants.TransformSha256, uri=f"#{element.get('ID')}"
    )
    xmlsec.template.add_transform(reference, constants.TransformEnveloped)
    exclusive = xmlsec.template.add_transform(reference, constants.TransformExclC14N)
    if prefixes is not None:
        xmlsec.template.transform_add_c14n_inclusive_namespaces(exclusive, prefixes)
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    xmlsec.tree.add_ids(element.getroottree().getroot(), ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(idp.signer().private_pem, xmlsec.constants.KeyDataFormatPem)
    context.key.load_cert_from_memory(idp.signer().pem.encode(), xmlsec.constants.KeyDataFormatPem)
    context.sign(signature)


@pytest.mark.parametrize("what", [("response",), ("assertion",), BOTH])
@pytest.mark.parametrize("prefixes", [None, "xs", "xs samlp #default"])
def test_what_xmlsec_has_signed_is_accepted(what: tuple[str, ...], prefixes: str | None) -> None:
    root = idp.response(FACTS)
    if "assertion" in what:
        by_xmlsec(root[-1], prefixes)
    if "response" in what:
        by_xmlsec(root, prefixes)

    assert accepted(root).signed == what


@pytest.mark.parametrize("what", ["response", "assertion"])
def test_what_signxml_has_signed_is_accepted(what: str) -> None:
    root = idp.response(FACTS)
    element = root if what == "response" else root[-1]
    apart = etree.fromstring(etree.tostring(element))
    placeholder = etree.Element(SIGNATURE, nsmap={"ds": DS[1:-1]})
    placeholder.set("Id", "placeholder")
    apart.insert(1, placeholder)
    signer = signxml.XMLSigner(
        method=signxml.methods.enveloped,
        c14n_algorithm=signxml.algorithms.CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        signed = signer.sign(
            apart,
            key=idp.signer().private_pem,
            cert=idp.signer().pem,
            reference_uri=f"#{element.get('ID')}",
        )
    if what == "response":
        root = signed
    else:
        root.replace(element, signed)

    assert accepted(root).signed == (what,)
    assert root.tag == f"{SAMLP}Response"
    assert root[-1].tag == f"{SAML}Assertion"
