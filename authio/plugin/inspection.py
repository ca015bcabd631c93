"""Inspection: answers, documents and single values judged, whichever provider they belong to.

The portal and ``authio inspect`` both stand on this. A provider that raises, or returns what it should
not, costs one save and leaves a finding; its distribution is named in the log.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from authio.plugin.contract import (
    Answers,
    Confidence,
    Connector,
    Context,
    Judged,
    Provider,
    Resolved,
    Settings,
)
from authio.plugin.loader import Distribution, Plugins
from authio.protocols import oidc, saml
from authio.protocols.certificates import judge_certificates
from authio.protocols.findings import Finding, Refused
from authio.protocols.oidc import OidcSettings
from authio.protocols.reasons import noticed
from authio.protocols.saml import SamlSettings

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_RANK = (Confidence.NO, Confidence.CONTRADICTED, Confidence.LIKELY, Confidence.SURE)


class Verdict(StrEnum):
    """``ACCEPT``: nothing to say. ``WARN``: usable, with warnings. ``REJECT``: at least one error."""

    ACCEPT = "accept"
    WARN = "warn"
    REJECT = "reject"


@dataclass(frozen=True)
class Inspection:
    """What came of judging answers or a document for one connector."""

    connector: Connector
    provider: Provider
    findings: tuple[Finding, ...]
    settings: Settings | None = None
    """What was understood, also when a finding stops Save; ``None`` when nothing was."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """The answers as understood, without secrets."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The answers that are to be sealed."""
    belongs_to: Provider | None = None
    """Whose it is by its traits, if it is surely somebody's: to offer a switch, or a hint."""

    @property
    def verdict(self) -> Verdict:
        """The findings in one word."""
        return verdict_of(self.findings)

    def to_json(self) -> dict[str, Any]:
        """The shape that ``authio inspect`` prints. No secrets."""
        return {
            "verdict": str(self.verdict),
            "provider": self.provider.key,
            "protocol": self.connector.protocol,
            "findings": [finding.to_json() for finding in self.findings],
            "settings": self.settings.to_json() if self.settings is not None else None,
            "belongs_to": self.belongs_to.key if self.belongs_to else None,
        }


@dataclass(frozen=True)
class Recognised:
    """The connector whose traits a thing carries, and how sure that is."""

    connector: Connector
    provider: Provider
    confidence: Confidence


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Errors reject, warnings warn, silence accepts."""
    levels = {finding.is_error for finding in findings}
    return Verdict.REJECT if True in levels else Verdict.WARN if levels else Verdict.ACCEPT


def inspect(
    plugins: Plugins,
    connector: Connector,
    answers: Answers,
    context: Context,
    *,
    organization: str | None = None,
) -> Inspection:
    """Judge what an IT admin brought back for *connector*. Fetches what the answers name."""
    return _inspected(
        plugins, connector, context, lambda: connector.resolve(answers, context), organization=organization
    )


def inspect_document(
    plugins: Plugins,
    connector: Connector,
    document: bytes | str,
    context: Context,
    *,
    entered: str = "",
    url: str = "",
) -> Inspection:
    """Judge a metadata or discovery document by itself.

    ``entered`` is what was asked for: the issuer, or the entity ID to choose. ``url`` is where the
    document came from, if it came from anywhere.
    """
    return _inspected(
        plugins, connector, context, lambda: connector.read(document, context, entered=entered, url=url)
    )


def inspect_settings(
    plugins: Plugins,
    connector: Connector,
    settings: Settings,
    context: Context,
    *,
    organization: str | None = None,
) -> Inspection:
    """Judge settings that were understood before, as of now: what is kept may have aged.

    No document is read again.
    """
    return _inspected(plugins, connector, context, lambda: Resolved(settings), organization=organization)


def recognise(plugins: Plugins, thing: Settings | str) -> Recognised | None:
    """The named provider that *thing* most likely belongs to: settings, or an address as text."""
    best: Recognised | None = None
    for connector in plugins.connectors:
        if connector.takes_any:
            continue
        confidence = _confidence(plugins, connector, thing)
        rank = _RANK.index(best.confidence) if best else _RANK.index(Confidence.CONTRADICTED)
        if _RANK.index(confidence) > rank:
            best = Recognised(connector, plugins.provider_of(connector), confidence)
    return best


def judge_value(
    plugins: Plugins, connector: Connector, field: str, value: str | bytes, context: Context
) -> Judged:
    """Judge one value for one field, without the network: as understood, with findings."""
    try:
        judged = _contained(plugins, connector, lambda: _checked(connector, field, value, context))
    except Refused as refused:
        return Judged("", refused.at(field).findings)
    others = tuple(finding for finding in judged.findings if finding.code != "wrong_provider")
    if connector.takes_any or field in connector.secrets or any(finding.is_error for finding in others):
        return judged
    stranger = _stranger(plugins, connector, judged.value)
    return (
        judged if stranger is None else Judged(judged.value, (*others, _wrong_provider(stranger).at(field)))
    )


def _inspected(
    plugins: Plugins,
    connector: Connector,
    context: Context,
    resolve: Callable[[], Resolved],
    *,
    organization: str | None = None,
) -> Inspection:
    provider = plugins.provider_of(connector)
    try:
        resolved = _contained(plugins, connector, lambda: _well_formed(connector, resolve()))
    except Refused as refused:
        return Inspection(connector, provider, _in_order(connector, refused.findings))
    settings = resolved.settings
    findings = [*resolved.findings]
    known = {finding.code for finding in findings}
    findings += [finding for finding in _judge(settings, context) if finding.code not in known]
    owner = recognise(plugins, settings)
    try:
        findings = _contained(
            plugins, connector, lambda: _about_owner(plugins, connector, settings, owner, findings)
        )
        findings += _contained(plugins, connector, lambda: _findings(connector.inspect(settings, context)))
    except Refused as refused:
        findings += refused.findings
    findings += _from_hooks(plugins, connector, settings, context, organization)
    return Inspection(
        connector,
        provider,
        _in_order(connector, findings),
        settings=settings,
        answers={name: text for name, text in resolved.answers.items() if name not in connector.secrets},
        secrets={name: text for name, text in resolved.answers.items() if name in connector.secrets},
        belongs_to=owner.provider if owner and owner.confidence is Confidence.SURE else None,
    )


def _about_owner(
    plugins: Plugins,
    connector: Connector,
    settings: Settings,
    owner: Recognised | None,
    findings: list[Finding],
) -> list[Finding]:
    """The findings, with what the traits of the settings add or take away."""
    if connector.takes_any:
        return findings
    own = _confidence(plugins, connector, settings)
    if own is Confidence.SURE:
        # The document has spoken: what its address alone looked like no longer matters.
        findings = [finding for finding in findings if finding.code != "wrong_provider"]
    mine = plugins.provider_of(connector)
    if owner is not None and owner.provider is not mine and _RANK.index(owner.confidence) > _RANK.index(own):
        return [*findings, _wrong_provider(owner)]
    if connector.has_traits and own in (Confidence.NO, Confidence.CONTRADICTED):
        return [*findings, noticed("wrong_provider")]
    return findings + (
        [noticed("unknown_host", found=host)] if (host := connector.foreign_host(settings)) else []
    )


def _stranger(plugins: Plugins, connector: Connector, address: str) -> Recognised | None:
    """The other provider whose traits an address carries, if it carries more of them than of our own."""
    owner = recognise(plugins, address)
    if owner is None or owner.provider is plugins.provider_of(connector):
        return None
    own = _confidence(plugins, connector, address)
    return owner if _RANK.index(owner.confidence) > _RANK.index(own) else None


def _wrong_provider(owner: Recognised) -> Finding:
    name = owner.provider.name
    sentence = f"This comes from {name}. Pick {name} instead, or check what you copied."
    return Finding.warning("wrong_provider", sentence, found=name)


def _judge(settings: Settings, context: Context) -> list[Finding]:
    """What the core says of the settings themselves, wherever a connector had them from."""
    if isinstance(settings, OidcSettings):
        return oidc.judge_settings(settings, allow=context.allow)
    try:
        certificates = settings.read_certificates()
    except Refused as refused:
        return list(refused.findings)
    _, about_keys = judge_certificates(certificates, now=context.now)
    endpoints = saml.judge_endpoints(settings, allow=context.allow)
    return [*saml.judge_entity_id(settings.idp_entity_id), *endpoints, *about_keys]


def _from_hooks(
    plugins: Plugins, connector: Connector, settings: Settings, context: Context, organization: str | None
) -> list[Finding]:
    findings: list[Finding] = []
    asked = {
        "organization": organization,
        "connector": connector,
        "settings": settings,
        "fetch": context.fetch,
    }
    for distribution, hook in plugins.each("authio_inspect"):
        answer = functools.partial(_answer, hook, asked)
        try:
            findings += _guarded(distribution, connector, answer)
        except Refused as refused:
            findings += refused.findings
    return findings


def _answer(hook: Callable[..., Any], asked: Mapping[str, Any]) -> list[Finding]:
    return [finding for result in hook(**asked) for finding in _findings(result)]


def _contained(plugins: Plugins, connector: Connector, call: Callable[[], _T]) -> _T:
    """What *call* into a connector returns; if it fails, :class:`Refused` with ``provider_failed``."""
    return _guarded(plugins.distribution_of(connector), connector, call)


def _guarded(distribution: Distribution, connector: Connector, call: Callable[[], _T]) -> _T:
    """What *call* into a distribution returns; whatever it raises becomes a refusal that can be shown."""
    try:
        return call()
    except Refused as refused:
        findings: tuple[Any, ...] = refused.findings
        if all(isinstance(f, Finding) for f in findings) and any(f.is_error for f in findings):
            raise
        failure: Exception = TypeError("refused without an error")
    except Exception as error:  # noqa: BLE001 - the edge to code that strangers wrote
        failure = error
    raise Refused([_failed(distribution, connector, failure)])


def _failed(distribution: Distribution, connector: Connector, error: Exception) -> Finding:
    # The exception's text may hold what the admin typed, so only its kind and place are logged.
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else "unknown place"
    _log.error(
        "%s failed in connector %s: %s at %s", distribution, connector.key, type(error).__name__, place
    )
    return noticed("provider_failed")


def _checked(connector: Connector, field: str, value: str | bytes, context: Context) -> Judged:
    judged: Any = connector.check(field, value, context)
    if not isinstance(judged, Judged) or not isinstance(judged.value, str):
        raise TypeError("check has to return Judged")
    _findings(judged.findings)
    return judged


def _well_formed(connector: Connector, resolved: Any) -> Resolved:
    expected = SamlSettings if connector.protocol == "saml" else OidcSettings
    if not isinstance(resolved, Resolved) or not isinstance(resolved.settings, expected):
        raise TypeError(f"resolve has to return Resolved with {expected.__name__}")
    _findings(resolved.findings)
    return resolved


def _findings(results: Iterable[Any]) -> list[Finding]:
    findings = list(results)
    if not all(isinstance(finding, Finding) for finding in findings):
        raise TypeError("a finding has to be a Finding")
    return findings


def _confidence(plugins: Plugins, connector: Connector, thing: Settings | str) -> Confidence:
    try:
        return Confidence(_contained(plugins, connector, lambda: connector.recognise(thing)))
    except (Refused, ValueError):
        return Confidence.NO


def _in_order(connector: Connector, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, each matter once, in the connector's own words where the core's stand."""
    once = {(finding.code, finding.field): finding for finding in findings}
    spoken = [Connector.in_own_words(connector, finding) for finding in once.values()]
    return tuple(sorted(spoken, key=lambda finding: not finding.is_error))
