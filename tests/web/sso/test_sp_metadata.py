"""Our own SAML metadata, one document per connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree
from webtest import TestApp

from authio.ids import ulid_of

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
    assert not list(root.iter("{*}KeyDescriptor"))


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
