"""The parts by themselves, where no sign-in comes by: what is old, for somebody else, or far away."""

from __future__ import annotations

import http.client
from datetime import timedelta
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from authio.rehearse import service_provider
from authio.rehearse.client_auth import is_client
from authio.rehearse.credentials import YEARS, Credentials, new_signer
from authio.rehearse.jwt import BadToken, SigningKey, hmac_token, unsigned_token, verified_claims
from authio.rehearse.provider import Waiting
from authio.rehearse.rehearsal import Rehearsal
from authio.rehearse.xml_names import SAML, SAMLP, add
from authio.rehearse.xml_signatures import RSA_SHA1, SHA1, Method, NotSigned, Signer, sign, verify
from tests.rehearse.conftest import ServiceProvider
from tests.support.clock import SteppedClock

# -- signatures ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signer() -> Signer:
    return new_signer(SteppedClock().now(), YEARS)


def request(signer: Signer, method: Method | None = None) -> etree._Element:
    root = etree.Element(f"{SAMLP}AuthnRequest", {"ID": "_1"}, nsmap={"samlp": SAMLP[1:-1]})
    add(root, f"{SAML}Issuer", "me")
    sign(root, signer, method)
    return root


def public(signer: Signer) -> rsa.RSAPublicKey:
    key = signer.key.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def test_a_signature_verifies_by_its_key_and_by_no_other(signer: Signer) -> None:
    root = request(signer)
    verify(root, [public(signer)])
    with pytest.raises(NotSigned):
        verify(root, [public(new_signer(SteppedClock().now(), YEARS))])
    with pytest.raises(NotSigned):
        verify(root, [])


@pytest.mark.parametrize(
    "method",
    [
        Method(signature=RSA_SHA1),
        Method(digest=SHA1),
        Method(uri="#_2"),
        Method(uri=""),
        Method(transforms=()),
        Method(canonicalization="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
        Method(hmac_key=b"public"),
    ],
    ids=repr,
)
def test_requests_are_not_verified_by_weaker_or_other_means(signer: Signer, method: Method) -> None:
    with pytest.raises(NotSigned):
        verify(request(signer, method), [public(signer)])


def test_what_was_changed_does_not_verify(signer: Signer) -> None:
    root = request(signer)
    root[0].text = "somebody else"
    with pytest.raises(NotSigned):
        verify(root, [public(signer)])


# -- tokens and clients --------------------------------------------------------------------------------


def test_a_token_verifies_by_its_key_and_by_no_other() -> None:
    key, other = (SigningKey.fresh("ES256", kid="one") for _ in range(2))
    assert verified_claims(key.token({"a": 1}), [other.jwk(), key.jwk()]) == {"a": 1}
    secret = str(key.jwk()["x"]).encode()
    for forged in (
        other.token({"a": 1}),
        key.token({"a": 1}, kid="two"),
        key.token({"a": 1}, alg="RS256"),
        hmac_token(secret, {"a": 1}, kid="one"),
        unsigned_token({"a": 1}),
        "a.b",
        "a.b.c.d",
        "",
    ):
        with pytest.raises(BadToken):
            verified_claims(forged, [key.jwk()])


@pytest.mark.parametrize(
    ("changes", "is_taken"),
    [
        ({}, True),
        ({"aud": ["https://op.example/token", "x"]}, True),
        ({"aud": "https://elsewhere.example"}, False),
        ({"exp": -3600}, False),
        ({"exp": 3600}, False),
        ({"exp": None}, False),
        ({"iss": "another"}, False),
        ({"sub": "another"}, False),
    ],
)
def test_an_assertion_is_for_us_by_the_client_and_of_now(
    credentials: Credentials, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], is_taken: bool
) -> None:
    now = SteppedClock().now()
    key = SigningKey.fresh("ES256", kid="ours")
    monkeypatch.setattr(credentials, "client_keys", [key.jwk()])
    claims = {"iss": "rehearsal", "sub": "rehearsal", "aud": "https://op.example/token", "exp": 60} | changes
    if claims["exp"] is not None:
        claims["exp"] += int(now.timestamp())
    form = {
        "client_assertion": key.token(claims),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    options: Any = {"method": "any", "audiences": ("https://op.example/token",), "now": now}
    assert is_client("", form, credentials, **options) == is_taken
    assert not is_client("", form | {"client_assertion_type": "x"}, credentials, **options)
    assert not is_client("", form, credentials, **options | {"method": "client_secret_post"})


def test_private_keys_are_not_taken_for_public_ones(rehearsal: Rehearsal) -> None:
    for keys in ([{"kty": "OKP", "d": "x"}], ["x"], "x", None):
        answer = requests.post(f"{rehearsal.oidc.url}/client-keys", json={"keys": keys}, timeout=10)
        assert answer.status_code == 422
    assert rehearsal.oidc.credentials.client_keys == []


# -- what is kept for a while --------------------------------------------------------------------------


def test_what_waits_is_taken_once_and_not_for_ever() -> None:
    clock = SteppedClock()
    waiting: Waiting[str] = Waiting(clock, lives=timedelta(seconds=60), most=3)
    once, late = waiting.put("once"), waiting.put("late")
    assert (waiting.look(once), waiting.take(once), waiting.take(once)) == ("once", "once", None)
    clock.step(seconds=59)
    assert waiting.look(late) == "late"
    clock.step(seconds=2)
    assert (waiting.look(late), waiting.take(late)) == (None, None)
    names = [waiting.put(str(number)) for number in range(5)]
    assert [waiting.take(name) for name in names] == [None, None, "2", "3", "4"]


# -- service providers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entity_id",
    [
        "https://localhost:1/metadata",
        "http://metadata.internal/latest",
        "http://169.254.169.254/metadata",
        "http://localhost.evil.example/metadata",
        "http://localhost@evil.example/metadata",
        "http://localhost:many/metadata",
        "urn:some:name",
        "http://[",
    ],
)
def test_metadata_is_read_from_this_machine_only(monkeypatch: pytest.MonkeyPatch, entity_id: str) -> None:
    asked: list[object] = []
    monkeypatch.setattr(http.client.HTTPConnection, "connect", lambda *given: asked.append(given))
    found = service_provider.look_up(entity_id)
    assert (found.entity_id, found.is_known, asked) == (entity_id, False, [])


def test_metadata_of_another_entity_is_not_believed(sp: ServiceProvider) -> None:
    found = service_provider.look_up(sp.entity_id)
    assert found.acs_urls == (sp.acs_url,)
    assert len(found.encryption_keys) == len(found.signing_keys) == 1
    assert not service_provider.look_up(f"{sp.entity_id}?other").is_known
    assert not service_provider.look_up(f"{sp.url}/nothing").is_known
    assert not service_provider.look_up("http://localhost:1/metadata").is_known
    with pytest.raises(ValueError, match="not the metadata"):
        service_provider.read(b'<!DOCTYPE a [<!ENTITY b "c">]>' + sp.metadata(), sp.entity_id)
