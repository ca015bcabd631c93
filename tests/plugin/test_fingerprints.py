"""Fingerprints: how many traits make whom how sure."""

from __future__ import annotations

import pytest

from authio.plugin import Confidence, OidcFingerprint, OidcSettings, SamlFingerprint, SamlSettings
from authio.protocols.saml import read_metadata
from tests.plugin.conftest import METADATA, NOW

PEM = read_metadata(METADATA, now=NOW).settings.certificates
SAML = SamlFingerprint(
    hosts=("idp.example",),
    entity_id=r"urn:idp:\w+",
    sso=r"/sign-on/\d+",
    metadata=r"/metadata/\d+",
    certificate=("O=Acme ID", "CN=contoso"),
)
OIDC = OidcFingerprint(hosts=("idp.example",), issuer="/tenant/.+", authorization="/auth", token="/tok")


def saml(
    host: str = "other.example", *, path: str = "/x", entity_id: str = "x", own_key: bool = False
) -> SamlSettings:
    return SamlSettings(
        entity_id, sso_redirect_url=f"https://{host}{path}", certificates=PEM if own_key else ()
    )


@pytest.mark.parametrize(
    ("settings", "confidence"),
    [
        (saml(), Confidence.NO),
        (saml("a.idp.example"), Confidence.LIKELY),
        (saml(path="/sign-on/7"), Confidence.LIKELY),
        (saml(entity_id="urn:idp:x"), Confidence.LIKELY),
        (saml(own_key=True), Confidence.LIKELY),
        (saml(path="/sign-on/7", entity_id="urn:idp:x"), Confidence.SURE),
        (saml("idp.example", own_key=True), Confidence.SURE),
        (saml("idp.example.attacker.example"), Confidence.NO),
        (saml(path="/x/sign-on/7"), Confidence.NO),
        (saml(path="/sign-on/7?x"), Confidence.NO),
        (saml(entity_id="urn:idp:x/y"), Confidence.NO),
        (SamlSettings("urn:idp:x"), Confidence.NO),
    ],
)
def test_two_traits_of_metadata_are_sure_and_one_is_likely(
    settings: SamlSettings, confidence: Confidence
) -> None:
    assert SAML.recognise(settings) is confidence


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        ("https://a.idp.example/metadata/7", Confidence.SURE),
        ("https://a.idp.example/sign-on/7", Confidence.SURE),
        ("https://a.idp.example/", Confidence.LIKELY),
        ("https://other.example/metadata/7", Confidence.LIKELY),
        ("urn:idp:x", Confidence.SURE),
        ("https://other.example/", Confidence.NO),
        ("metadata/7", Confidence.NO),
        ("", Confidence.NO),
    ],
)
def test_addresses_are_recognised_by_host_and_path(text: str, confidence: Confidence) -> None:
    assert SAML.recognise(text) is confidence


def test_without_customer_domains_a_foreign_host_contradicts() -> None:
    closed = SamlFingerprint(hosts=("idp.example",), custom_domains=False, entity_id=r"urn:idp:\w+", sso="/s")

    assert closed.recognise(saml(path="/s", entity_id="urn:idp:x")) is Confidence.CONTRADICTED
    assert closed.recognise("https://idp.example.attacker.example/s") is Confidence.CONTRADICTED
    assert closed.recognise(saml()) is Confidence.NO


def test_a_piece_of_the_subject_alone_is_no_trait() -> None:
    assert (
        SamlFingerprint(certificate=("O=Acme ID", "CN=fabrikam")).recognise(saml(own_key=True))
        is Confidence.NO
    )
    assert SamlFingerprint().recognise(saml(own_key=True)) is Confidence.NO


def oidc(issuer: str, *, authorization: str = "/a", token: str = "/t") -> OidcSettings:
    return OidcSettings(
        issuer, f"https://any.example{authorization}", f"https://any.example{token}", "https://any.example"
    )


@pytest.mark.parametrize(
    ("settings", "confidence"),
    [
        (oidc("https://x.example"), Confidence.NO),
        (oidc("https://a.idp.example"), Confidence.LIKELY),
        (oidc("https://a.idp.example/tenant/1"), Confidence.SURE),
        (oidc("https://x.example", authorization="/auth", token="/tok"), Confidence.SURE),
        (oidc("https://x.example", token="/tok"), Confidence.LIKELY),
    ],
)
def test_two_traits_of_a_discovery_document_are_sure(settings: OidcSettings, confidence: Confidence) -> None:
    assert OIDC.recognise(settings) is confidence


def test_one_protocols_traits_say_nothing_about_the_others() -> None:
    assert SAML.recognise(oidc("https://a.idp.example/tenant/1")) is Confidence.NO
    assert OIDC.recognise(saml("idp.example", path="/auth")) is Confidence.NO
