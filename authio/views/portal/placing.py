"""Something pasted, without a word about whose it is: to the connector it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from authio.plugin import Connector, Finding, OidcSettings, Provider
from authio.plugin.inspection import Inspection, inspect_document, judge_value, recognise
from authio.plugin.loader import Plugins
from authio.protocols.oidc import WELL_KNOWN
from authio.protocols.reasons import noticed
from authio.views.portal.judging import context

_ADDRESS_FIELDS = ("metadata_url", "issuer", "domain", "idp_entity_id")
_DOCUMENT_FIELDS = ("", "metadata_xml", "metadata_file")
_NEITHER = (
    "This is neither a web address nor a metadata document. Copy the metadata address from your provider's "
    "console, or paste the whole document."
)


@dataclass(frozen=True)
class Placed:
    """Where a thing belongs, and the answers it amounts to there."""

    provider: Provider
    connector: Connector
    answers: Mapping[str, str | bytes]


def place(request: Any, draft: Any | None, brought: str | bytes) -> Placed | Finding:
    """The connector that takes *brought*, a document or an address; a Finding if it is of no use to any."""
    plugins = request.registry.runtime.parts.plugins
    if isinstance(brought, str) and brought[:1] not in {"<", "{"} and len(brought.split()) == 1:
        return _place_address(request, plugins, draft, brought)
    return _place_document(request, plugins, draft, brought)


def _place_address(request: Any, plugins: Plugins, draft: Any | None, address: str) -> Placed | Finding:
    known = recognise(plugins, address)
    protocol = "oidc" if WELL_KNOWN in address.lower() else "saml"
    connector = known.connector if known is not None else _catch_all(plugins, protocol)
    if connector is None:
        return noticed("provider_unknown")
    name = next((name for name in _ADDRESS_FIELDS if name in connector.field_names), None)
    if known is None and name is not None:
        # Nobody's by its looks: then it has at least to be an address that could be read.
        judged = judge_value(plugins, connector, name, address, context(request, draft))
        if not judged.is_usable:
            error = next(finding for finding in judged.findings if finding.is_error)
            return replace(error, message=_NEITHER) if error.code == "bad_url" else error
    return Placed(plugins.provider_of(connector), connector, {name: address} if name is not None else {})


def _place_document(
    request: Any, plugins: Plugins, draft: Any | None, document: str | bytes
) -> Placed | Finding:
    is_oidc = document.lstrip()[:1] in {"{", b"{"}
    reader = _catch_all(plugins, "oidc" if is_oidc else "saml")
    if reader is None:
        return noticed("provider_unknown")
    inspection = inspect_document(plugins, reader, document, context(request, draft))
    if inspection.settings is None and all(one.field in _DOCUMENT_FIELDS for one in inspection.findings):
        return inspection.findings[0]
    connector = _owner(plugins, inspection) or reader
    if isinstance(inspection.settings, OidcSettings):
        answers: Mapping[str, str | bytes] = {"issuer": inspection.settings.issuer}
    else:
        answers = {"metadata_file" if isinstance(document, bytes) else "metadata_xml": document}
    return Placed(
        plugins.provider_of(connector),
        connector,
        {name: value for name, value in answers.items() if name in connector.field_names},
    )


def _owner(plugins: Plugins, inspection: Inspection) -> Connector | None:
    """The connector, of the same protocol, of the provider whose traits the document surely carries."""
    if inspection.belongs_to is None:
        return None
    return plugins.find(inspection.belongs_to.key, protocol=inspection.connector.protocol)


def _catch_all(plugins: Plugins, protocol: str) -> Connector | None:
    """The connector that reads anything of that protocol; without one, any connector of the protocol."""
    speaking = [connector for connector in plugins.connectors if connector.protocol == protocol]
    return next((one for one in speaking if one.takes_any), speaking[0] if speaking else None)
