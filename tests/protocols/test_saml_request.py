"""What is sent to an identity provider to start a sign-in, and that others find its signature good."""

from __future__ import annotations

import base64
import zlib
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import signxml
import xmlsec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from authio.protocols.saml import SamlSettings
from authio.protocols.saml_request import RSA_SHA256, Form, Redirect, RequestSigner, begin
from tests.support import saml_idp as idp
from tests.support.saml_idp import DS, SAML, SAMLP

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
BY_REDIRECT = SamlSettings(
    idp_entity_id="https://idp.acme.example", sso_redirect_url="https://idp.acme.example/sso"
)
BY_POST = SamlSettings(
    idp_entity_id="https://idp.acme.example", sso_post_url="https://idp.acme.example/post?x=1"
)
EITHER = SamlSettings(
    idp_entity_id="https://idp.acme.example",
    sso_redirect_url="https://idp.acme.example/sso?idpid=C0%2Fx&y=a+b",
    sso_post_url="https://idp.acme.example/post",
)


def signer() -> RequestSigner:
    made = idp.signer("sp")
    assert isinstance(made.key, rsa.RSAPrivateKey)
    return RequestSigner(made.key, made.der)


def begun(settings: SamlSettings, **options: Any) -> Redirect | Form:
    given: dict[str, Any] = {
        "request_id": "_0123abcd",
        "acs_url": "https://sso.example.com/acs/01J",
        "sp_entity_id": "https://sso.example.com/metadata/01J?a&b",
        "now": NOW,
        **options,
    }
    return begin(settings, **given)


def redirected(settings: SamlSettings = BY_REDIRECT, **options: Any) -> str:
    sent = begun(settings, **options)
    assert isinstance(sent, Redirect)
    return sent.url


def posted(settings: SamlSettings = BY_POST, **options: Any) -> Form:
    sent = begun(settings, **options)
    assert isinstance(sent, Form)
    return sent


def inflated(url: str) -> bytes:
    (packed,) = parse_qs(urlsplit(url).query, strict_parsing=True)["SAMLRequest"]
    return zlib.decompress(base64.b64decode(packed, validate=True), wbits=-15)


@pytest.fixture(scope="module")
def protocol_schema() -> etree.XMLSchema:
    class Shipped(etree.Resolver):
        def resolve(self, url: str, public_id: str | None, context: object) -> object:
            name = url.rsplit("/", 1)[-1]
            document = (files("saml2.data.schemas") / name).read_bytes()
            return self.resolve_string(document, context, base_url=name)

    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Shipped())
    document = (files("saml2.data.schemas") / "saml-schema-protocol-2.0.xsd").read_bytes()
    return etree.XMLSchema(etree.fromstring(document, parser))


def test_a_redirect_carries_a_packed_request() -> None:
    request = etree.fromstring(inflated(redirected(relay_state="_0123abcd")))

    assert request.tag == f"{SAMLP}AuthnRequest"
    assert dict(request.attrib) == {
        "ID": "_0123abcd",
        "Version": "2.0",
        "IssueInstant": "2026-11-24T06:00:00Z",
        "Destination": "https://idp.acme.example/sso",
        "AssertionConsumerServiceURL": "https://sso.example.com/acs/01J",
        "ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
    }
    assert [(child.tag, child.text) for child in request] == [
        (f"{SAML}Issuer", "https://sso.example.com/metadata/01J?a&b")
    ]


def test_a_request_asks_for_no_form_of_name_and_no_way_of_signing_in() -> None:
    request = etree.fromstring(inflated(redirected()))

    assert request.find(f"{SAMLP}NameIDPolicy") is None
    assert request.find(f"{SAMLP}RequestedAuthnContext") is None
    assert request.get("ForceAuthn") is None
    assert etree.fromstring(inflated(redirected(force_authn=True))).get("ForceAuthn") == "true"


@pytest.mark.parametrize("sign_with", [None, signer()])
@pytest.mark.parametrize("settings", [BY_REDIRECT, BY_POST])
def test_a_request_is_valid_by_the_standard_s_schema(
    protocol_schema: etree.XMLSchema, settings: SamlSettings, sign_with: RequestSigner | None
) -> None:
    sent = begun(settings, sign_with=sign_with, force_authn=True)
    xml = inflated(sent.url) if isinstance(sent, Redirect) else base64.b64decode(sent.fields["SAMLRequest"])

    protocol_schema.assertValid(etree.fromstring(xml))


def test_an_address_keeps_the_query_it_has() -> None:
    url = redirected(EITHER, relay_state="a b&c=d", hints={"login_hint": "ann+x@acme.example"})

    assert url.startswith("https://idp.acme.example/sso?idpid=C0%2Fx&y=a+b&SAMLRequest=")
    query = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert query["RelayState"] == ["a b&c=d"]
    assert query["login_hint"] == ["ann+x@acme.example"]


def test_a_form_is_for_who_takes_nothing_else_or_is_asked_for() -> None:
    form = posted(relay_state="_0123abcd", hints={"login_hint": "ann@acme.example"})
    assert form.action == "https://idp.acme.example/post?x=1&login_hint=ann%40acme.example"
    assert form.fields["RelayState"] == "_0123abcd"
    request = etree.fromstring(base64.b64decode(form.fields["SAMLRequest"], validate=True))
    assert request.get("Destination") == "https://idp.acme.example/post?x=1"

    assert posted(EITHER, by_post=True).action == "https://idp.acme.example/post"
    assert redirected(EITHER).startswith("https://idp.acme.example/sso?")
    assert redirected(BY_REDIRECT, by_post=True).startswith("https://idp.acme.example/sso?")
    assert set(posted().fields) == {"SAMLRequest"}


@pytest.mark.parametrize("relay_state", ["", "_0123abcd", "ü &=+%"])
def test_a_redirect_is_signed_over_the_text_that_is_sent(relay_state: str) -> None:
    url = redirected(EITHER, relay_state=relay_state, sign_with=signer(), hints={"login_hint": "x"})

    sent = url.partition("y=a+b&")[2]
    octets, _, signature = sent.partition("&Signature=")
    value = parse_qs("s=" + signature.partition("&")[0])["s"][0]
    signer().key.public_key().verify(
        base64.b64decode(value), octets.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    query = parse_qs(sent, strict_parsing=True)
    assert query["SigAlg"] == [RSA_SHA256]
    assert query.get("RelayState", [""]) == [relay_state]
    assert [part.partition("=")[0] for part in octets.split("&")] == (
        ["SAMLRequest", "RelayState", "SigAlg"] if relay_state else ["SAMLRequest", "SigAlg"]
    )


def test_an_unsigned_redirect_says_nothing_of_signatures() -> None:
    assert "Sig" not in redirected()


def test_a_form_s_request_carries_a_signature_that_others_verify() -> None:
    xml = base64.b64decode(posted(sign_with=signer()).fields["SAMLRequest"])
    root = etree.fromstring(xml)
    assert root[0].tag == f"{SAML}Issuer"
    assert root[1].tag == f"{DS}Signature"

    verified = signxml.XMLVerifier().verify(xml, x509_cert=idp.signer("sp").pem)
    assert not isinstance(verified, list)
    assert verified.signed_xml is not None
    assert verified.signed_xml.get("ID") == "_0123abcd"

    xmlsec.tree.add_ids(root, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(idp.signer("sp").pem, xmlsec.constants.KeyDataFormatCertPem)
    context.verify(root[1])


def test_what_cannot_be_sent_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="RelayState"):
        begun(BY_REDIRECT, relay_state="ü" * 41)
    for request_id in ("", "0123", "a b", '_"', "_a%s#"):
        with pytest.raises(ValueError, match="XML id"):
            begun(BY_REDIRECT, request_id=request_id)
    with pytest.raises(ValueError, match="address"):
        begun(SamlSettings(idp_entity_id="https://idp.acme.example"))
