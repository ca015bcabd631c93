"""What ``authio inspect`` says: one thing judged without a server or a database, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from authio.plugin.contract import Connector, Context, ServiceProvider
from authio.plugin.inspection import (
    Inspection,
    Verdict,
    inspect_document,
    judge_value,
    recognise,
    verdict_of,
)
from authio.plugin.loader import Plugins
from authio.protocols.addresses import tidy
from authio.protocols.findings import Finding, Refused
from authio.protocols.oidc import WELL_KNOWN, discovery_address
from authio.protocols.reasons import noticed


def report(
    plugins: Plugins,
    context: Context,
    *,
    provider: str | None = None,
    protocol: str | None = None,
    url: str | None = None,
    file: bytes | None = None,
    values: Mapping[str, str] | None = None,
    sp_entity_id: str | None = None,
) -> dict[str, Any]:
    """Judge a file, an address or single values, and say so in the shape of ``authio inspect --json``.

    A file or an address is read whole; ``values`` beside it may choose (``issuer``, ``idp_entity_id``).
    Values alone are judged one by one and nothing is fetched. Without ``provider`` the thing is
    recognised first; if nobody knows it, the catch-all of its protocol takes it.
    """
    if sp_entity_id:
        context = replace(context, sp=ServiceProvider(sp_entity_id, "", "", "", ""))
    given = dict(values or {})
    if file is None and url is None:
        return _values(plugins, context, provider, protocol, given)
    guessed = protocol or _protocol(provider, plugins, url=url, file=file)
    connector = plugins.find(provider, protocol=guessed) if provider else _catch_all(plugins, guessed)
    if connector is None:
        return _unknown(provider, protocol)
    entered = given.get("issuer" if connector.protocol == "oidc" else "idp_entity_id", "")
    if file is None:
        return _address(plugins, context, connector, tidy(url or ""), entered=entered, settle=not provider)
    return _document(plugins, context, connector, file, entered=entered, settle=not provider)


def _values(
    plugins: Plugins, context: Context, provider: str | None, protocol: str | None, values: Mapping[str, str]
) -> dict[str, Any]:
    if not values:
        return _told([noticed("empty")], provider, protocol)
    findings: list[Finding] = []
    understood: dict[str, str] = {}
    connector: Connector | None = None
    for field, value in values.items():
        connector = _for_value(plugins, provider, protocol, field, value)
        if connector is None:
            return _unknown(provider, protocol)
        judged = judge_value(plugins, connector, field, value, context)
        findings += judged.findings
        if field not in connector.secrets:
            understood[field] = judged.value
    named = plugins.provider_of(connector).key if connector else provider
    told = _told(findings, named, connector.protocol if connector else protocol)
    return told | {"values": understood}


def _for_value(
    plugins: Plugins, provider: str | None, protocol: str | None, field: str, value: str
) -> Connector | None:
    if provider:
        return plugins.find(provider, protocol=protocol, field=field)
    known = recognise(plugins, tidy(value))
    if known is not None:
        key = plugins.provider_of(known.connector).key
        return plugins.find(key, protocol=protocol, field=field)
    asking = [
        connector for connector in plugins.connectors if connector.takes_any and connector.understands(field)
    ]
    return next((connector for connector in asking if protocol in (None, connector.protocol)), None)


def _address(
    plugins: Plugins, context: Context, connector: Connector, url: str, *, entered: str, settle: bool
) -> dict[str, Any]:
    is_oidc = connector.protocol == "oidc"
    field = "issuer" if is_oidc else "metadata_url"
    if settle and (known := recognise(plugins, url)) is not None:
        connector = plugins.find(known.provider.key, protocol=connector.protocol) or connector
    judged = judge_value(plugins, connector, field, url, context)
    if not judged.is_usable:
        return _told(judged.findings, plugins.provider_of(connector).key, connector.protocol)
    try:
        body = context.fetch(discovery_address(judged.value) if is_oidc else judged.value).body
    except Refused as refused:
        return _told(refused.at(field).findings, plugins.provider_of(connector).key, connector.protocol)
    entered = entered or (judged.value if is_oidc else "")
    source = "" if is_oidc else judged.value
    return _document(plugins, context, connector, body, entered=entered, url=source, settle=settle)


def _document(
    plugins: Plugins,
    context: Context,
    connector: Connector,
    document: bytes,
    *,
    entered: str,
    settle: bool,
    url: str = "",
) -> dict[str, Any]:
    inspection = inspect_document(plugins, connector, document, context, entered=entered, url=url)
    owner = inspection.belongs_to
    if settle and owner is not None and owner is not inspection.provider:
        own = plugins.find(owner.key, protocol=connector.protocol)
        if own is not None and own.protocol == connector.protocol:
            inspection = inspect_document(plugins, own, document, context, entered=entered, url=url)
    told = inspection.to_json()
    # Nobody recognised what could not be read: then naming the catch-all would only mislead.
    return told | {"provider": None} if settle and _unread(inspection) else told


def _unread(inspection: Inspection) -> bool:
    return (
        inspection.verdict is Verdict.REJECT
        and inspection.settings is None
        and inspection.connector.takes_any
    )


def _protocol(provider: str | None, plugins: Plugins, *, url: str | None, file: bytes | None) -> str | None:
    if file is not None:
        return "oidc" if file.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" else "saml"
    known = recognise(plugins, tidy(url or ""))
    if WELL_KNOWN in (url or ""):
        return "oidc"
    if provider is not None:
        return None
    return known.connector.protocol if known else "saml"


def _catch_all(plugins: Plugins, protocol: str | None) -> Connector | None:
    return next((c for c in plugins.connectors if c.takes_any and protocol in (None, c.protocol)), None)


def _unknown(provider: str | None, protocol: str | None) -> dict[str, Any]:
    return _told([noticed("provider_unknown", found=provider or "")], provider, protocol)


def _told(
    findings: list[Finding] | tuple[Finding, ...], provider: str | None, protocol: str | None
) -> dict[str, Any]:
    return {
        "verdict": str(verdict_of(findings)),
        "provider": provider,
        "protocol": protocol,
        "findings": [finding.to_json() for finding in findings],
        "settings": None,
    }
