"""What a provider is: values and base classes that a plugin fills in.

A :class:`Provider` is what the IT admin picks. A connector is that provider spoken to over one
protocol. Nothing here knows a database, a request or any provider by name.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar, Protocol

import colander

from authio.plugin import diagnosis
from authio.plugin.diagnosis import Explanation
from authio.plugin.walkthrough import Walkthrough
from authio.protocols.addresses import tidy
from authio.protocols.findings import Finding, Level, Refused
from authio.protocols.oidc import OidcSettings
from authio.protocols.reasons import REASONS, noticed
from authio.protocols.saml import SamlSettings

CONTRACT_VERSION = 1
"""The version of this contract. A provider declares the one it was written for."""

Settings = SamlSettings | OidcSettings
Answers = Mapping[str, str | bytes]
"""Field to what was typed. An uploaded file is bytes, everything else text."""

LONGEST_ANSWER = 4096
"""Characters a one-line answer may have."""


class Confidence(StrEnum):
    """How sure a connector is that an address or a set of settings is its own.

    ``SURE``: two independent signals agree. ``LIKELY``: one signal. ``NO``: none.
    ``CONTRADICTED``: one signal says yes and another says that it cannot be.
    """

    NO = "no"
    CONTRADICTED = "contradicted"
    LIKELY = "likely"
    SURE = "sure"


@dataclass(frozen=True)
class Fetched:
    """What came back from an address: ``body`` is at most 1 MiB, ``content_type`` as sent."""

    url: str
    body: bytes
    content_type: str = ""


class Fetch(Protocol):
    """The only network a provider has: guarded, limited, no redirects.

    Raises :class:`Refused` with one finding (``private_address``, ``fetch_failed``,
    ``fetch_timeout``, ``fetch_too_large`` ...).
    """

    def __call__(self, url: str, /) -> Fetched: ...


@dataclass(frozen=True)
class ServiceProvider:
    """authio's own side of one connection: the values an IT admin types into their console."""

    entity_id: str
    acs_url: str
    metadata_url: str
    redirect_uri: str
    sign_in_url: str

    def value(self, name: str) -> str:
        """The value a walkthrough step calls *name*; one of :data:`SP_VALUES`."""
        if name not in SP_VALUES:
            raise KeyError(name)
        return str(getattr(self, name))


SP_VALUES = ("entity_id", "acs_url", "metadata_url", "redirect_uri", "sign_in_url")
"""What a step may show, under ``shows``."""


@dataclass(frozen=True)
class Context:
    """What a connector may know while it judges answers.

    ``now`` is the only time there is, ``fetch`` the only network. ``sp`` is our own side; ``None`` when a
    value is judged apart from any connection. ``allow`` lists the exact ``host:port`` pairs that may be
    private and plain http, for development.
    """

    now: datetime
    fetch: Fetch
    sp: ServiceProvider | None = None
    allow: frozenset[str] = frozenset()

    @property
    def own_entity_id(self) -> str | None:
        """Our entity ID, where there is a connection to have one."""
        return self.sp.entity_id if self.sp else None


@dataclass(frozen=True)
class Judged:
    """One value as understood (trimmed, completed), and what was noticed about it."""

    value: str
    findings: tuple[Finding, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.is_error for finding in self.findings)


@dataclass(frozen=True)
class Resolved:
    """Settings made from answers, with what was noticed on the way (warnings, no errors)."""

    settings: Settings
    findings: tuple[Finding, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The answers as understood: trimmed, completed. Secrets included."""


class Connector:
    """One provider over one protocol. Subclass ``SamlConnector`` or ``OidcConnector``, not this."""

    key: ClassVar[str]
    """Slug, stored in the connection row and never renamed, for example ``acme-saml``."""
    protocol: ClassVar[str]
    """``saml`` or ``oidc``."""
    intent: ClassVar[str] = "sso"
    connection_type: ClassVar[str]
    """The wire's name of this kind of connection, for example ``AcmeSAML``."""
    title: ClassVar[str] = ""
    """How the chooser calls it beside its siblings; empty: by its protocol."""
    schema: ClassVar[type[colander.MappingSchema]]
    """What the IT admin brings back. Widgets, titles and descriptions sit on the nodes."""
    ways: ClassVar[tuple[tuple[str, ...], ...]]
    """Alternative sets of fields, preferred first; the answers must fill at least one set."""
    secrets: ClassVar[frozenset[str]] = frozenset()
    """Fields that are write-only and sealed at rest."""
    walkthrough: ClassVar[Walkthrough]
    attributes: ClassVar[Mapping[str, tuple[str, ...]]]
    """Our profile's field to this provider's names, first hit wins."""
    messages: ClassVar[Mapping[str, str]] = {}
    """Sentences for codes: better ones for the core's, and those of codes that are this provider's own."""
    explanations: ClassVar[Mapping[str, str]] = {}
    """Where the cause of a refused sign-in is put right, with labels of the walkthrough in bold.

    By topic (``authio.plugin.diagnosis.TOPICS``), or for one code, or for one ``code.check``.
    """
    takes_any: ClassVar[bool] = False
    """Whether it serves every identity provider of its protocol, so that nothing is foreign to it."""

    def error(self, code: str, *, field: str = "", found: str = "") -> Finding:
        """An error with this connector's sentence for *code*, or else the core's."""
        return Finding.error(code, self._sentence(code), field=field, found=found)

    def warning(self, code: str, *, field: str = "", found: str = "") -> Finding:
        """A warning with this connector's sentence for *code*, or else the core's."""
        return Finding.warning(code, self._sentence(code), field=field, found=found)

    def in_own_words(self, finding: Finding) -> Finding:
        """A finding that has the core's sentence with this connector's, where it has one."""
        own = self.messages.get(finding.code)
        core = REASONS.get(finding.code)
        return (
            finding
            if own is None or core is None or finding.message != core[1]
            else replace(finding, message=own)
        )

    def explain(self, code: str, check: str = "") -> Explanation:
        """Where the cause of a sign-in refused with *code* is put right: a sentence, and a step.

        Has an answer to every code there is, with this connector's words or with those of its protocol.
        """
        asking = next((step for step in self.walkthrough.steps if step.asks), self.walkthrough.steps[-1])
        return diagnosis.explain(
            code,
            check,
            protocol=self.protocol,
            own=self.explanations,
            walkthrough=self.walkthrough,
            brought=asking.title,
        )

    def check(self, field: str, value: str | bytes, context: Context) -> Judged:
        """Judge one single value without the network.

        Calls ``check_<field>(text, context) -> Judged`` where the connector has one. Outer blanks are
        gone by then, and every finding comes back about *field*.
        """
        text = tidy(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)
        special: Callable[[str, Context], Judged] | None = getattr(self, f"check_{field}", None)
        judged = self.check_text(text, context) if special is None else special(text, context)
        return Judged(
            judged.value, tuple(self.in_own_words(finding).at(field) for finding in judged.findings)
        )

    def check_text(self, text: str, context: Context) -> Judged:
        """Judge a value of which nothing more is known than that it is one line."""
        if len(text) > LONGEST_ANSWER:
            return Judged(text, (noticed("answer_too_long"),))
        return Judged(text, () if text.isprintable() else (noticed("bad_value"),))

    def understands(self, field: str) -> bool:
        """Whether :meth:`check` knows more about *field* than any text."""
        return field in self.field_names or hasattr(self, f"check_{field}")

    @cached_property
    def field_names(self) -> tuple[str, ...]:
        """The fields of the schema, in its order."""
        return tuple(node.name for node in self.schema().children)

    def missing(self, answers: Answers) -> list[Finding]:
        """What still has to be answered: nothing as soon as one of :attr:`ways` is filled."""
        gaps = [[name for name in way if not answers.get(name)] for way in self.ways]
        if not all(gaps):
            return []
        # Whoever has begun one way is told what it lacks, not what the preferred one would want.
        begun = [len(way) - len(gap) for way, gap in zip(self.ways, gaps, strict=True)]
        return [self.error("answer_missing", field=name) for name in gaps[begun.index(max(begun))]]

    def prepare(self, answers: dict[str, str | bytes]) -> dict[str, str | bytes]:
        """Complete the answers, each already judged, with what follows from them.

        The default adds nothing.
        """
        return answers

    def resolve(self, answers: Answers, context: Context) -> Resolved:
        """Turn answers into settings, or raise :class:`Refused` with findings."""
        raise NotImplementedError

    def read(self, document: bytes | str, context: Context, *, entered: str = "", url: str = "") -> Resolved:
        """Turn a document alone into settings, or raise :class:`Refused`.

        ``entered`` says what was asked for (an entity ID or an issuer), ``url`` where it came from.
        """
        raise NotImplementedError

    def inspect(self, settings: Any, context: Context) -> Iterable[Finding]:
        """Look for trouble that only this provider knows. An empty list is praise."""
        return ()

    def recognise(self, thing: Settings | str) -> Confidence:
        """Is this one of ours? *thing* is a set of settings, or an address as text."""
        return Confidence.NO

    @property
    def has_traits(self) -> bool:
        """Whether settings in which :meth:`recognise` finds nothing are somebody else's."""
        return False

    def foreign_host(self, settings: Any) -> str:
        """The host in *settings* that this provider does not own itself, or an empty text."""
        return ""

    def _judged(
        self, answers: Answers, context: Context
    ) -> tuple[dict[str, str | bytes], tuple[Finding, ...]]:
        """The filled answers as understood, and warnings; :class:`Refused` if one of them is unusable."""
        filled = {name: answers[name] for name in self.field_names if answers.get(name)}
        findings = self.missing(filled)
        understood: dict[str, str | bytes] = {}
        for name, value in filled.items():
            judged = self.check(name, value, context)
            findings += judged.findings
            # An uploaded file stays as it came: its bytes say how they are to be read.
            understood[name] = value if isinstance(value, bytes) else judged.value
        if any(finding.is_error for finding in findings):
            raise Refused(findings)
        return self.prepare(understood), tuple(findings)

    def _sentence(self, code: str) -> str:
        return self.messages.get(code) or REASONS[code][1]


@dataclass(frozen=True)
class Provider:
    """What the IT admin picks: a key, a name, an icon and its connectors, of which the first one opens."""

    key: str
    name: str
    package: str
    connectors: tuple[Connector, ...]
    contract: int = CONTRACT_VERSION
    icon: str = "icon.svg"
    """Path below the package's ``assets`` folder."""
    aliases: tuple[str, ...] = ()
    """Other words people type when they look for this provider."""

    @property
    def takes_any(self) -> bool:
        """Whether it is a catch-all, which a chooser shows last."""
        return all(connector.takes_any for connector in self.connectors)

    def asset(self, path: str) -> bytes:
        """A file below the package's ``assets`` folder; ``KeyError`` for anything else."""
        parts = path.split("/")
        if any(part in ("", ".", "..") or "\\" in part for part in parts):
            raise KeyError(path)
        try:
            return importlib.resources.files(self.package).joinpath("assets", *parts).read_bytes()
        except (OSError, ValueError):
            # There is none, it is a folder, or no file could have such a name.
            raise KeyError(path) from None


__all__ = [
    "CONTRACT_VERSION",
    "LONGEST_ANSWER",
    "SP_VALUES",
    "Answers",
    "Confidence",
    "Connector",
    "Context",
    "Fetch",
    "Fetched",
    "Finding",
    "Judged",
    "Level",
    "Provider",
    "Refused",
    "Resolved",
    "ServiceProvider",
    "Settings",
]
