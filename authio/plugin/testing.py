"""The conformance kit: what every provider has to keep, as tests for its author to run.

    from authio.plugin.testing import ProviderContract, Sample

    class TestContract(ProviderContract):
        provider = PROVIDER
        good = (Sample("acme-saml", {"metadata_xml": METADATA}),)
        bad = (Sample("acme-saml", {"metadata_url": CONSOLE}, code="admin_console_url"),)

Needs pytest, and nothing else that authio itself does not need.
"""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import re
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.abc import Traversable
from importlib.resources import files
from typing import Any, ClassVar

import pytest
from lxml import etree

from authio.plugin import loader
from authio.plugin.contract import (
    CONTRACT_VERSION,
    SP_VALUES,
    Answers,
    Connector,
    Context,
    Fetched,
    Judged,
    Provider,
    Refused,
    ServiceProvider,
)
from authio.plugin.diagnosis import codes_of, labels_in, topic_of
from authio.plugin.inspection import Inspection, Verdict, inspect, judge_value
from authio.plugin.loader import Plugins
from authio.protocols.reasons import noticed

NOW = datetime(2026, 11, 22, tzinfo=UTC)
"""The moment at which samples are judged, unless a suite names its own."""

SP = ServiceProvider(
    entity_id="https://sso.vendor.example/sso/saml/01JC8Z6V4K2S/metadata",
    acs_url="https://sso.vendor.example/sso/saml/01JC8Z6V4K2S/acs",
    metadata_url="https://sso.vendor.example/sso/saml/01JC8Z6V4K2S/metadata",
    redirect_uri="https://sso.vendor.example/sso/oidc/01JC8Z6V4K2S/callback",
    sign_in_url="https://sso.vendor.example/sso/01JC8Z6V4K2S/start",
)
"""Our side of a connection that exists only in tests."""

PROFILE_FIELDS = frozenset({"id", "email", "first_name", "last_name", "groups"})
ALLOWED_IMPORTS = frozenset({"colander", "deform", "lxml"})
_SLUG = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_SVG = "{http://www.w3.org/2000/svg}"
_HARMLESS = frozenset(
    "svg title desc g defs rect circle ellipse line path polygon polyline text tspan "
    "lineargradient radialgradient stop clippath mask use symbol".split()
)


@dataclass(frozen=True)
class Sample:
    """Answers for one connector, what its addresses serve, and the code that is expected, if any."""

    connector: str
    answers: Mapping[str, str | bytes]
    serves: Mapping[str, bytes] = field(default_factory=dict)
    """Address to body: the whole Internet of this sample."""
    code: str = ""
    """For a bad sample: the error; for a good one: nothing."""
    warnings: frozenset[str] = frozenset()
    """For a good sample: warnings that are right."""

    def __str__(self) -> str:
        return f"{self.connector}:{'+'.join(self.answers)}{':' + self.code if self.code else ''}"


class ServedOnly:
    """A ``fetch`` that knows the addresses it was given, and remembers which were asked for."""

    def __init__(self, serves: Mapping[str, bytes]) -> None:
        self.serves = serves
        self.asked: list[str] = []

    def __call__(self, url: str, /) -> Fetched:
        self.asked.append(url)
        if url not in self.serves:
            raise Refused([noticed("fetch_failed", found=url)])
        return Fetched(url, self.serves[url])


def plugins_of(*modules: Any) -> Plugins:
    """The plugins in *modules* alone, as if nothing else were installed."""
    found = []
    for module in modules:
        installed = [point.dist for point in _entry_points(module.__name__) if point.dist is not None]
        name, version = (installed[0].name, installed[0].version) if installed else (module.__name__, "0")
        found.append(loader.Found(module.__name__, loader.Distribution(name, version), module))
    return loader.assemble(found)


class Bench:
    """One provider on the bench: what it makes of a value or of answers, with nothing else installed.

    ``Bench(authio_acme).judge("acme-saml", "metadata_url", "https://…")``; *serves* says what the network
    holds, address to body.
    """

    def __init__(self, module: Any) -> None:
        self._plugins = plugins_of(module)

    def judge(self, connector: str, field: str, value: str) -> Judged:
        """One value, as the portal judges it."""
        return judge_value(self._plugins, self.connector(connector), field, value, _context({}))

    def bring(
        self, connector: str, answers: Answers, *, serves: Mapping[str, bytes] | None = None
    ) -> Inspection:
        """Answers, as the portal inspects them."""
        return inspect(self._plugins, self.connector(connector), answers, _context(serves or {}))

    def connector(self, key: str) -> Connector:
        """The provider's connector of that key; LookupError."""
        found = self._plugins.connector(key)
        if found is None:
            raise LookupError(f"this provider has no connector {key}")
        return found


def _context(serves: Mapping[str, bytes]) -> Context:
    return Context(now=NOW, fetch=ServedOnly(serves), sp=SP)


class ProviderContract:
    """Subclass it, name the ``provider``, and give it good and bad samples. Every method is a test."""

    provider: ClassVar[Provider]
    good: ClassVar[tuple[Sample, ...]] = ()
    bad: ClassVar[tuple[Sample, ...]] = ()
    now: ClassVar[datetime] = NOW

    # -- what it is ---------------------------------------------------------------------------------

    def test_it_is_installed_under_the_entry_point_group(self) -> None:
        points = _entry_points(self.provider.package)
        assert len(points) == 1, (
            f"no entry point in the group {loader.GROUP} leads to {self.provider.package}"
        )

    def test_it_loads_by_itself(self) -> None:
        assert self.plugins().provider(self.provider.key) is self.provider
        assert self.provider.contract == CONTRACT_VERSION

    def test_keys_are_slugs_and_names_are_there(self) -> None:
        for key in (self.provider.key, *(connector.key for connector in self.provider.connectors)):
            assert _SLUG.fullmatch(key), f"{key!r} is no slug"
        assert self.provider.name.strip()
        for connector in self.provider.connectors:
            assert connector.protocol in ("saml", "oidc")
            assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", connector.connection_type)

    def test_attributes_name_profile_fields(self) -> None:
        for connector in self.provider.connectors:
            assert set(connector.attributes) <= PROFILE_FIELDS
            assert {"id", "email"} <= set(connector.attributes)
            assert all(type(names) is tuple for names in connector.attributes.values())
            assert all(connector.attributes.values())

    # -- what it asks -------------------------------------------------------------------------------

    def test_every_field_has_a_title_and_a_description(self) -> None:
        for connector in self.provider.connectors:
            for node in connector.schema().children:
                assert node.title.strip(), f"{connector.key}: {node.name} has no title"
                assert node.description, f"{connector.key}: {node.name} has no description"
                assert node.widget is not None, f"{connector.key}: {node.name} has no widget"

    def test_every_field_is_asked_exactly_once(self) -> None:
        for connector in self.provider.connectors:
            asked = connector.walkthrough.asks
            assert sorted(asked) == sorted(connector.field_names), f"{connector.key} asks {asked}"

    def test_ways_use_fields_of_the_schema_and_secrets_too(self) -> None:
        for connector in self.provider.connectors:
            assert connector.ways
            for way in connector.ways:
                assert way and set(way) <= set(connector.field_names), f"{connector.key}: {way}"
            assert connector.secrets <= set(connector.field_names)
            assert ("client_secret" in connector.field_names) <= ("client_secret" in connector.secrets)

    def test_nothing_answered_is_refused_about_its_fields(self) -> None:
        for connector in self.provider.connectors:
            inspection = self.inspect(Sample(connector.key, {}))
            assert {finding.code for finding in inspection.findings} == {"answer_missing"}
            assert {finding.field for finding in inspection.findings} == set(connector.ways[0])

    # -- what it shows ------------------------------------------------------------------------------

    def test_steps_show_only_values_we_have(self) -> None:
        for connector in self.provider.connectors:
            shown = {shown.value for step in connector.walkthrough.steps for shown in step.all_shown}
            assert shown <= set(SP_VALUES), f"{connector.key} shows {shown - set(SP_VALUES)}"
            needed = {"acs_url", "entity_id"} if connector.protocol == "saml" else {"redirect_uri"}
            assert needed <= shown, f"{connector.key} never shows {needed - shown}"

    def test_steps_say_when_they_were_last_checked(self) -> None:
        for connector in self.provider.connectors:
            for step in connector.walkthrough.steps:
                assert step.last_checked is not None, f"{connector.key}: {step.title}"

    def test_every_refused_sign_in_leads_to_a_label_of_the_walkthrough(self) -> None:
        for connector in self.provider.connectors:
            known = {label for step in connector.walkthrough.steps for label in labels_in(step)}
            for found in codes_of(connector.protocol):
                code, _, check = found.partition(".")
                explanation = connector.explain(code, check)
                assert explanation.labels, f"{connector.key}: {found} names no label"
                strangers = set(explanation.labels) - known
                assert not strangers, f"{connector.key}: {found} names {strangers}, which no step does"
                assert 1 <= explanation.step <= len(connector.walkthrough.steps)

    def test_explanations_are_about_something_that_happens(self) -> None:
        for connector in self.provider.connectors:
            codes = codes_of(connector.protocol)
            topics = {topic_of(*found.partition(".")[::2]) for found in codes}
            strangers = set(connector.explanations) - topics - set(codes)
            assert not strangers, f"{connector.key} explains {strangers}"

    def test_icon_and_pictures_are_in_the_package_and_harmless(self) -> None:
        paths = {self.provider.icon}
        for connector in self.provider.connectors:
            paths |= {picture.path for step in connector.walkthrough.steps for picture in step.pictures}
        for path in paths:
            content = self.provider.asset(path)
            if path.endswith(".svg"):
                refuse_active_svg(content, path)
            else:
                picture = content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))
                assert picture, f"{path} is neither SVG, PNG nor JPEG"

    # -- what it does -------------------------------------------------------------------------------

    def test_every_connector_has_a_good_sample_and_a_bad_one(self) -> None:
        keys = {connector.key for connector in self.provider.connectors}
        assert {sample.connector for sample in self.good} == keys
        assert {sample.connector for sample in self.bad} == keys

    def test_good_samples_are_accepted(self) -> None:
        for sample in self.good:
            inspection = self.inspect(sample)
            codes = {finding.code for finding in inspection.findings}
            assert inspection.verdict is not Verdict.REJECT and codes <= sample.warnings, f"{sample}: {codes}"
            assert inspection.settings is not None
            assert not set(inspection.answers) & inspection.connector.secrets

    def test_good_samples_are_recognised_as_its_own(self) -> None:
        for sample in self.good:
            inspection = self.inspect(sample)
            connector = inspection.connector
            if not connector.takes_any and getattr(connector, "has_traits", False):
                assert inspection.belongs_to is self.provider, f"{sample} is not recognised"

    def test_bad_samples_are_refused_with_their_code(self) -> None:
        for sample in self.bad:
            inspection = self.inspect(sample)
            errors = {finding.code for finding in inspection.findings if finding.is_error}
            assert sample.code in errors, f"{sample}: {errors}"

    def test_every_finding_is_about_a_field_and_says_something(self) -> None:
        for sample in self.bad:
            for finding in self.inspect(sample).findings:
                assert len(finding.message) > 10 and finding.message.strip()[-1] in ".?!"
                assert not finding.found or finding.found not in self._secrets(sample)

    def test_any_text_in_any_field_is_judged_without_network_or_fault(self) -> None:
        plugins = self.plugins()
        for connector in self.provider.connectors:
            for name in connector.field_names:
                for text in HOSTILE:
                    fetch = ServedOnly({})
                    judged = judge_value(plugins, connector, name, text, self.context(fetch))
                    codes = {finding.code for finding in judged.findings}
                    assert "provider_failed" not in codes, (name, text[:60])
                    assert not fetch.asked

    def test_no_pattern_takes_long_on_any_text(self) -> None:
        plugins, context = self.plugins(), self.context(ServedOnly({}))
        started = time.monotonic()
        for connector in self.provider.connectors:
            for text in SLOW:
                connector.recognise(text)
                for name in connector.field_names:
                    judge_value(plugins, connector, name, text, context)
        assert time.monotonic() - started < 2 * len(self.provider.connectors)

    def test_no_network_but_fetch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def forbidden(*_: Any, **__: Any) -> Any:
            pytest.fail("a provider has to use the fetch it is given")

        monkeypatch.setattr(socket, "getaddrinfo", forbidden)
        monkeypatch.setattr(socket.socket, "connect", forbidden)
        for sample in (*self.good, *self.bad):
            self.inspect(sample)

    def test_the_package_imports_only_the_door(self) -> None:
        allowed = ALLOWED_IMPORTS | {self.provider.package.split(".")[0]}
        for path, tree in self._sources():
            for name in _imported(tree):
                top = name.split(".")[0]
                ours = name == "authio.plugin"
                assert ours or top in allowed | sys.stdlib_module_names, f"{path} imports {name}"

    # -- tools for suites ---------------------------------------------------------------------------

    def plugins(self) -> Plugins:
        """This provider's plugin, loaded alone."""
        return plugins_of(importlib.import_module(self.provider.package))

    def context(self, fetch: ServedOnly) -> Context:
        """The context in which samples are judged."""
        return Context(now=self.now, fetch=fetch, sp=SP)

    def inspect(self, sample: Sample) -> Inspection:
        """What inspection says about one sample."""
        plugins = self.plugins()
        connector = plugins.connector(sample.connector)
        assert connector is not None, sample.connector
        return inspect(plugins, connector, sample.answers, self.context(ServedOnly(sample.serves)))

    def _secrets(self, sample: Sample) -> set[str | bytes]:
        connector = next(c for c in self.provider.connectors if c.key == sample.connector)
        return {value for name, value in sample.answers.items() if name in connector.secrets}

    def _sources(self) -> Iterator[tuple[str, ast.Module]]:
        for file in _python_files(files(self.provider.package)):
            yield file.name, ast.parse(file.read_text("utf-8"))


def refuse_active_svg(content: bytes, path: str) -> None:
    """Fail unless *content* is an SVG that only draws, points nowhere and has a title."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(content, parser)
    assert root.tag == _SVG + "svg", f"{path} is no SVG"
    assert root.getroottree().docinfo.doctype == "", f"{path} has a document type"
    assert root.findtext(_SVG + "title"), f"{path} has no title"
    for element in root.iter(etree.Element):
        name = etree.QName(element).localname.lower()
        assert name in _HARMLESS, f"{path} has <{name}>"
        for attribute, value in element.attrib.items():
            local = etree.QName(attribute).localname.lower()
            assert not local.startswith("on") and local != "style", f"{path} has {local}="
            if local == "href" or "url(" in value:
                assert value.startswith(("#", "url(#")), f"{path} points to {value}"


HOSTILE = (
    "",
    " ",
    "x",
    "not an address",
    "https://",
    "https://[::1",
    "https://idp.example.com:99999/",
    "https://user:secret@idp.example.com/",
    "javascript:alert(1)",
    "<script>alert(1)</script>",
    "https://xn--/\u202e",
    "\x00\x01\x02",
    "A" * 100_000,
    "https://" + "a." * 5_000 + "example.com/",
    "{" * 500,
    "%" * 3_000,
    "\ud800",
)
"""Texts that people, browsers and attackers put into fields."""

SLOW = tuple(
    prefix + unit * (1_900 // len(unit)) + suffix
    for prefix in ("", "https://", "https://a.example.com/")
    for unit in ("a", "a.", "a-", "/a", "0", "a/", "-a", ".", "/", "%2f", "?a=", "aA0-")
    for suffix in ("", "!", "/")
)
"""Texts that make a pattern with nested repetition take for ever."""


def _entry_points(package: str) -> list[importlib.metadata.EntryPoint]:
    return [point for point in importlib.metadata.entry_points(group=loader.GROUP) if point.value == package]


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def _python_files(folder: Traversable) -> Iterator[Traversable]:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _python_files(entry)
        elif entry.name.endswith(".py"):
            yield entry


__all__ = [
    "NOW",
    "SP",
    "Bench",
    "ProviderContract",
    "Sample",
    "ServedOnly",
    "plugins_of",
    "refuse_active_svg",
]
