"""The standard's own schema for SAML metadata, as pysaml2 ships it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

import pytest
from lxml import etree


class _Shipped(etree.Resolver):
    """Schema locations are file names; all of them are in one folder of pysaml2's."""

    def resolve(self, url: str, public_id: str | None, context: object) -> object:
        name = url.rsplit("/", 1)[-1]
        return self.resolve_string((files("saml2.data.schemas") / name).read_bytes(), context, base_url=name)


@pytest.fixture(scope="session")
def metadata_schema() -> Callable[[bytes], None]:
    """Fail unless a document is valid SAML metadata."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Shipped())
    root = etree.fromstring(
        (files("saml2.data.schemas") / "saml-schema-metadata-2.0.xsd").read_bytes(), parser
    )
    schema = etree.XMLSchema(root)
    return lambda document: schema.assertValid(etree.fromstring(document))
