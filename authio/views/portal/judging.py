"""The slow middle of a form: answers judged, addresses fetched, while no transaction is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from authio.plugin import Connector, Context, OidcSettings, SamlSettings, ServiceProvider, Settings
from authio.plugin.inspection import Inspection, inspect, inspect_settings
from authio.protocols.documents import MAX_BYTES, read_text
from authio.protocols.findings import Finding, Refused
from authio.services.connections import Answered, service_provider
from authio.services.fetching import fetcher


def judge_answers(
    request: Any, draft: Any, connector: Connector, answers: Mapping[str, str | bytes]
) -> Answered:
    """What *answers* come to for *connector*, and how to keep them, good or bad."""
    runtime = request.registry.runtime
    inspection = inspect(
        runtime.parts.plugins,
        connector,
        answers,
        context(request, draft),
        organization=draft.organization_id,
    )
    understood = {**inspection.answers, **inspection.secrets}
    settings = inspection.settings
    # Findings are kept in the clear and shown: whatever a connector quotes of a secret is left out.
    findings = [
        replace(finding, found="") if finding.field in connector.secrets else finding
        for finding in inspection.findings
    ]
    return Answered(
        answers=understood or kept(answers, findings),
        settings=settings.to_json() if settings is not None else None,
        findings=findings,
    )


def judge_saved(request: Any, draft: Any, connector: Connector, settings: Settings) -> Inspection:
    """*settings* once more, just before they are saved: certificates may have run out since."""
    return inspect_settings(
        request.registry.runtime.parts.plugins,
        connector,
        settings,
        context(request, draft),
        organization=draft.organization_id,
    )


def settings_of(connector: Connector, stored: Mapping[str, Any]) -> Settings:
    """Settings as they were stored, as the value that connectors know."""
    kind = SamlSettings if connector.protocol == "saml" else OidcSettings
    return kind.from_json(stored)


def kept(answers: Mapping[str, str | bytes], findings: Sequence[Finding]) -> dict[str, str]:
    """What is kept of refused answers, so that nothing has to be typed twice.

    Not kept: what is larger than any answer, and a file that is itself the trouble; it has to be chosen anew.
    """
    refused = {finding.field for finding in findings if finding.is_error}
    texts: dict[str, str] = {}
    for name, value in answers.items():
        if isinstance(value, str):
            texts[name] = value
        elif name not in refused:
            try:
                texts[name] = read_text(value)
            except Refused:
                continue
    return {name: text for name, text in texts.items() if text and len(text) <= MAX_BYTES}


def our_side(request: Any, row: Any) -> ServiceProvider:
    """Our addresses for a connection. A draft that edits one speaks with that one's."""
    return service_provider(request.registry.runtime.settings.base_url, row.edits_id or row.id)


def context(request: Any, draft: Any | None) -> Context:
    """What a connector may know: the moment, the guarded network under one deadline, and our own side."""
    runtime = request.registry.runtime
    return Context(
        now=runtime.parts.clock.now(),
        fetch=fetcher(
            runtime.outbound, lanes=runtime.lanes, by=draft.organization_id if draft is not None else ""
        ),
        sp=our_side(request, draft) if draft is not None else None,
        allow=runtime.settings.outbound_allow,
    )
