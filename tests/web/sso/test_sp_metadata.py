"""Our own SAML metadata, one document per connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree
from webtest import TestApp

from authio.ids import ulid_of
from authio.models import KeyUse

CERTIFICATE = "{http://www.w3.org/2000/09/xmldsig#}X509Certificate"
MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"


@pytest.fixture
def draft(organization: dict[str, Any], project: Any, services: Callable[..., Any]) -> str:
    """The id of a draft, as picking a provider makes it."""
    with services() as s:
        provider = s.parts.plugins.providers[0]
        row = s.connections.pick(project.id, organization["id"], provider, provider.connectors[0])
    return str(row.id)


def test_the_document_names_the_connection_s_own_addresses(app: TestApp, draft: str) -> None:
    path = f"/sso/saml/{ulid_of(draft)}/metadata"

    answer = app.get(path, status=200)

    root = etree.fromstring(answer.body)
    (acs,) = root.iter(MD + "AssertionConsumerService")
    assert root.get("entityID") == f"http://localhost:6543{path}"
    assert acs.get("Location") == f"http://localhost:6543/sso/saml/{ulid_of(draft)}/acs"


def test_it_names_the_key_that_requests_are_signed_with_and_none_to_encrypt_to(
    app: TestApp, draft: str
) -> None:
    path = f"/sso/saml/{ulid_of(draft)}/metadata"

    first, second = (etree.fromstring(app.get(path).body) for _ in range(2))

    (key,) = first.iter(MD + "KeyDescriptor")
    assert key.get("use") == "signing"
    assert [one.text for one in first.iter(CERTIFICATE)] == [one.text for one in second.iter(CERTIFICATE)]
    (role,) = first.iter(MD + "SPSSODescriptor")
    assert role.get("AuthnRequestsSigned") == "false"


def test_with_encryption_turned_on_it_offers_a_key_and_only_methods_that_authenticate(
    app: TestApp, connect: Callable[..., Any]
) -> None:
    connected = connect(options={"encryption": True, "sign_requests": True})

    root = etree.fromstring(app.get(f"/sso/saml/{connected.ulid}/metadata").body)

    assert [key.get("use") for key in root.iter(MD + "KeyDescriptor")] == ["signing", "encryption"]
    methods = [method.get("Algorithm") for method in root.iter(MD + "EncryptionMethod")]
    assert methods
    assert not [method for method in methods if "cbc" in method or method.endswith("rsa-1_5")]
    (role,) = root.iter(MD + "SPSSODescriptor")
    assert role.get("AuthnRequestsSigned") == "true"


def test_a_new_key_stands_beside_the_old_one_until_providers_have_seen_it(
    app: TestApp, connect: Callable[..., Any], services: Callable[..., Any], clock: Any
) -> None:
    connected = connect(options={"encryption": True})
    path = f"/sso/saml/{connected.ulid}/metadata"

    def published() -> list[str | None]:
        return [one.text for one in etree.fromstring(app.get(path).body).iter(CERTIFICATE)]

    old_signing, old_encryption = published()
    with services() as s:
        row = s.connections.any_by_id(connected.id)
        before = s.sp_keys.signer(connected.id)
        s.sp_keys.rotate(row, KeyUse.SIGNING)
        s.sp_keys.rotate(row, KeyUse.ENCRYPTION)
        assert s.sp_keys.signer(connected.id) == before

    assert len(published()) == 4
    assert {old_signing, old_encryption} < set(published())

    clock.step(days=15)

    assert len(published()) == 2
    assert not {old_signing, old_encryption} & set(published())
    with services() as s:
        assert s.sp_keys.signer(connected.id) != before
        assert len(s.sp_keys.decrypting(connected.id)) == 2


def test_it_is_served_as_metadata_and_may_be_kept(app: TestApp, draft: str) -> None:
    answer = app.get(f"/sso/saml/{ulid_of(draft)}/metadata")

    assert answer.content_type == "application/samlmetadata+xml"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "ulid", ["01JD8Z6R3V5T7X9B1D3F5H7K9M", "x", "01jd8z6r3v5t7x9b1d3f5h7k9m", "%00", "a" * 500]
)
def test_an_unknown_connection_is_not_found(app: TestApp, ulid: str) -> None:
    assert app.get(f"/sso/saml/{ulid}/metadata", status=404).json["code"] == "connection_not_found"


def test_another_way_of_writing_the_address_is_another_address(app: TestApp, draft: str) -> None:
    for path in (f"/sso/saml/{draft}/metadata", f"/sso/saml/{ulid_of(draft)}/metadata/"):
        app.get(path, status=404)
