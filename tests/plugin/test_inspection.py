"""Inspection: what belongs to whom, and what a provider can do that fails without taking us along."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from authio.plugin import Confidence, Context, Finding, Judged, Refused, Resolved, SamlSettings
from authio.plugin.inspection import (
    Inspection,
    Verdict,
    inspect,
    inspect_document,
    inspect_settings,
    judge_value,
    recognise,
)
from authio.plugin.loader import Plugins
from authio.plugin.testing import ServedOnly, plugins_of
from tests.plugin.conftest import DISCOVERY, METADATA

ADDRESS = "https://contoso.acmeid.example/saml/0a1b2c3d/metadata"
CLIENT = {"tenant": "contoso", "client_id": "c-17", "client_secret": "kept-to-ourselves"}
OTHER = """
import colander
from authio.plugin import Provider, SamlConnector, SamlFingerprint, Walkthrough, hookimpl, line
class Answers(colander.MappingSchema):
    metadata_url = line("metadata_url", title="Address", description="There.")
class Other(SamlConnector):
    key = "other-saml"
    connection_type = "OtherSAML"
    schema = Answers
    walkthrough = Walkthrough(())
    fingerprint = SamlFingerprint(hosts=("other.example",), sso="/sign-on", entity_id=r"urn:other:\\w+")
PROVIDER = Provider(key="other", name="Other Login", package=__name__, connectors=(Other(),))
@hookimpl
def authio_providers():
    return [PROVIDER]
"""


def codes(inspection: Inspection) -> list[str]:
    return [finding.code for finding in inspection.findings]


def connector_of(plugins: Plugins, key: str) -> Any:
    connector = plugins.connector(key)
    assert connector is not None
    return connector


@pytest.fixture
def both(acme: ModuleType, install: Callable[..., ModuleType | None]) -> Plugins:
    """The made-up provider beside one that knows little of itself."""
    return plugins_of(acme, install("other", OTHER, load=True))


class TestAnswers:
    def test_what_is_right_is_accepted_with_settings(self, plugins: Plugins, context: Context) -> None:
        context = replace(context, fetch=ServedOnly({ADDRESS: METADATA}))

        found = inspect(
            plugins, connector_of(plugins, "acme-saml"), {"metadata_url": f"  {ADDRESS}\n"}, context
        )

        assert found.verdict is Verdict.ACCEPT
        assert isinstance(found.settings, SamlSettings)
        assert found.settings.metadata_url == ADDRESS
        assert found.answers == {"metadata_url": ADDRESS}
        assert found.belongs_to is found.provider

    def test_settings_survive_json(self, plugins: Plugins, context: Context) -> None:
        found = inspect_document(plugins, connector_of(plugins, "acme-saml"), METADATA, context)

        assert isinstance(found.settings, SamlSettings)
        assert SamlSettings.from_json(found.settings.to_json()) == found.settings

    def test_SEC_28_secrets_are_handed_over_apart(self, plugins: Plugins, context: Context) -> None:
        serves = {"https://contoso.acmeid.example/.well-known/openid-configuration": DISCOVERY}
        context = replace(context, fetch=ServedOnly(serves))

        found = inspect(plugins, connector_of(plugins, "acme-oidc"), CLIENT, context)

        assert found.verdict is Verdict.ACCEPT
        assert found.secrets == {"client_secret": "kept-to-ourselves"}
        assert "client_secret" not in found.answers
        assert "kept-to-ourselves" not in repr(found)
        assert "kept-to-ourselves" not in repr(found.to_json())

    def test_what_is_missing_is_told_of_the_way_that_was_begun(
        self, plugins: Plugins, context: Context
    ) -> None:
        found = inspect(plugins, connector_of(plugins, "acme-oidc"), {"client_id": "c-17"}, context)

        assert [(finding.code, finding.field) for finding in found.findings] == [
            ("answer_missing", "tenant"),
            ("answer_missing", "client_secret"),
        ]

    def test_a_refusal_is_about_the_field_the_document_came_by(
        self, plugins: Plugins, context: Context
    ) -> None:
        context = replace(context, fetch=ServedOnly({ADDRESS: b"<html>Sign in</html>"}))

        found = inspect(plugins, connector_of(plugins, "acme-saml"), {"metadata_url": ADDRESS}, context)

        assert [(finding.code, finding.field) for finding in found.findings] == [
            ("html_page", "metadata_url")
        ]

    def test_a_provider_speaks_in_its_own_words(self, plugins: Plugins, context: Context) -> None:
        sso = ADDRESS.replace("metadata", "sso")

        judged = judge_value(plugins, connector_of(plugins, "acme-saml"), "metadata_url", sso, context)

        assert [finding.message for finding in judged.findings] == [
            "This is the Sign-on address. The Metadata address is one line above it."
        ]

    def test_fields_nobody_asked_for_are_ignored(self, plugins: Plugins, context: Context) -> None:
        answers = {"metadata_file": METADATA, "is_admin": "yes", "metadata_xml": "<a/>", "sso_url": "x"}

        found = inspect(plugins, connector_of(plugins, "acme-saml"), answers, context)

        assert found.verdict is Verdict.ACCEPT
        assert set(found.answers) == {"metadata_file"}

    def test_settings_that_were_kept_are_judged_as_of_now(self, plugins: Plugins, context: Context) -> None:
        connector = connector_of(plugins, "acme-saml")
        settings = inspect_document(plugins, connector, METADATA, context).settings
        assert settings is not None
        later = replace(context, now=context.now.replace(year=2036))

        found = inspect_settings(plugins, connector, settings, later)

        assert codes(found) == ["all_signing_certs_expired"]


class TestWhoseItIs:
    def test_a_document_of_another_provider_names_it(self, both: Plugins, context: Context) -> None:
        found = inspect_document(both, connector_of(both, "other-saml"), METADATA, context)

        assert found.verdict is Verdict.WARN
        assert codes(found) == ["wrong_provider"]
        assert found.findings[0].message == (
            "This comes from Acme ID. Pick Acme ID instead, or check what you copied."
        )
        assert found.belongs_to is both.provider("acme")

    def test_a_document_of_nobody_known_is_not_the_picked_ones(self, both: Plugins, context: Context) -> None:
        strange = METADATA.replace(b"acmeid.example", b"nobody.example").replace(b"/saml/", b"/x/")

        found = inspect_document(both, connector_of(both, "other-saml"), strange, context)

        assert codes(found) == ["wrong_provider"]
        assert found.belongs_to is None

    def test_one_trait_is_enough_when_nobody_else_has_more(self, both: Plugins, context: Context) -> None:
        document = METADATA.replace(b"contoso.acmeid.example", b"login.other.example")

        found = inspect_document(both, connector_of(both, "other-saml"), document, context)

        assert codes(found) == []

    def test_the_shape_of_ours_on_a_foreign_host_is_shown(self, both: Plugins, context: Context) -> None:
        document = (
            METADATA.replace(
                b"https://contoso.acmeid.example/saml/0a1b2c3d/sso", b"https://sso.corp.example/sign-on"
            )
        ).replace(b'entityID="https://contoso.acmeid.example/saml/0a1b2c3d"', b'entityID="urn:other:17"')

        found = inspect_document(both, connector_of(both, "other-saml"), document, context)

        assert [(finding.code, finding.found) for finding in found.findings] == [
            ("unknown_host", "sso.corp.example")
        ]

    def test_a_provider_without_customer_domains_is_never_on_one(
        self, both: Plugins, context: Context
    ) -> None:
        disguised = METADATA.replace(b"acmeid.example", b"acmeid.example.attacker.example")

        found = inspect_document(both, connector_of(both, "acme-saml"), disguised, context)

        assert codes(found) == ["wrong_provider"]
        assert recognise(both, ADDRESS.replace("acmeid.example", "notacmeid.example")) is None

    def test_an_address_of_another_provider_names_it(self, both: Plugins, context: Context) -> None:
        judged = judge_value(both, connector_of(both, "other-saml"), "metadata_url", ADDRESS, context)

        assert [(finding.code, finding.found, finding.field) for finding in judged.findings] == [
            ("wrong_provider", "Acme ID", "metadata_url")
        ]

    def test_the_document_overrules_what_its_address_looked_like(
        self, both: Plugins, context: Context
    ) -> None:
        url = "https://files.corp.example/export.xml"
        document = METADATA.replace(b"contoso.acmeid.example", b"login.other.example").replace(
            b"/saml/0a1b2c3d/sso", b"/sign-on"
        )
        context = replace(context, fetch=ServedOnly({url: document}))
        connector = connector_of(both, "other-saml")

        alone = judge_value(both, connector, "metadata_url", url, context)
        found = inspect(both, connector, {"metadata_url": url}, context)

        assert [finding.code for finding in alone.findings] == ["wrong_provider"]
        assert codes(found) == []

    def test_a_secret_is_nobodys_address(self, both: Plugins, context: Context) -> None:
        other = "urn:other:17"
        assert recognise(both, other) is not None

        judged = judge_value(both, connector_of(both, "acme-oidc"), "client_secret", other, context)

        assert judged == Judged(other)


BREAK = """
import colander
from authio.plugin import Judged, Refused, Resolved, SamlSettings
from authio.plugin import Provider, SamlConnector, Walkthrough, hookimpl, line
class Answers(colander.MappingSchema):
    metadata_url = line("metadata_url", title="Address", description="There.")
class Broken(SamlConnector):
    key = "broken-saml"
    connection_type = "BrokenSAML"
    schema = Answers
    walkthrough = Walkthrough(())
    {method}
PROVIDER = Provider(key="broken", name="Broken", package=__name__, connectors=(Broken(),))
@hookimpl
def authio_providers():
    return [PROVIDER]
"""


class TestContainment:
    @pytest.mark.parametrize(
        "method",
        [
            "def resolve(self, answers, context): raise RuntimeError('the secret is hunter2')",
            "def resolve(self, answers, context): return None",
            "def resolve(self, answers, context): return Resolved(settings={'idp_entity_id': 'x'})",
            "def resolve(self, answers, context): raise Refused([])",
            "def resolve(self, answers, context): raise Refused(['no finding'])",
            "def resolve(self, answers, context): return Resolved(SamlSettings('x'), findings=('no',))",
            "def resolve(self, answers, context): return self.resolve(answers, context)",
            "def check(self, field, value, context): raise KeyError(value)",
        ],
    )
    def test_a_provider_that_fails_to_resolve_costs_one_save(
        self,
        install: Callable[..., ModuleType | None],
        context: Context,
        caplog: pytest.LogCaptureFixture,
        method: str,
    ) -> None:
        plugins = plugins_of(install("broken", BREAK.format(method=method), version="3.1", load=True))

        with caplog.at_level(logging.ERROR, logger="authio"):
            found = inspect(
                plugins, connector_of(plugins, "broken-saml"), {"metadata_url": "hunter2"}, context
            )

        assert found.verdict is Verdict.REJECT
        assert codes(found) == ["provider_failed"]
        assert "provider-broken 3.1 failed in connector broken-saml" in caplog.text
        assert "hunter2" not in caplog.text

    @pytest.mark.parametrize(
        "method",
        [
            "def inspect(self, settings, context): raise RuntimeError('oh')",
            "def inspect(self, settings, context): yield 'no finding'",
            "def inspect(self, settings, context): return None",
            "def foreign_host(self, settings): raise RuntimeError('oh')",
        ],
    )
    def test_a_provider_that_fails_to_inspect_stops_the_save(
        self, install: Callable[..., ModuleType | None], context: Context, method: str
    ) -> None:
        plugins = plugins_of(install("broken", BREAK.format(method=method), load=True))

        found = inspect_document(plugins, connector_of(plugins, "broken-saml"), METADATA, context)

        assert codes(found) == ["provider_failed"]
        assert found.settings is not None

    @pytest.mark.parametrize(
        "method",
        [
            "def check(self, field, value, context): return None",
            "def check(self, field, value, context): return Judged(None)",
            "def check(self, field, value, context): return Judged('x', ('no finding',))",
            "def check_metadata_url(self, text, context): raise RuntimeError('oh')",
        ],
    )
    def test_a_provider_that_fails_to_check_refuses_the_value(
        self, install: Callable[..., ModuleType | None], context: Context, method: str
    ) -> None:
        plugins = plugins_of(install("broken", BREAK.format(method=method), load=True))

        judged = judge_value(plugins, connector_of(plugins, "broken-saml"), "metadata_url", "x", context)

        assert [(finding.code, finding.field) for finding in judged.findings] == [
            ("provider_failed", "metadata_url")
        ]

    @pytest.mark.parametrize("method", ["raise RuntimeError('oh')", "return 'perhaps'", "return None"])
    def test_a_provider_that_cannot_recognise_recognises_nothing(
        self, install: Callable[..., ModuleType | None], acme: ModuleType, context: Context, method: str
    ) -> None:
        source = BREAK.format(method=f"def recognise(self, thing): {method}")
        plugins = plugins_of(install("broken", source, load=True), acme)

        found = recognise(plugins, ADDRESS)

        assert found is not None
        assert found.provider is plugins.provider("acme")
        assert found.confidence is Confidence.SURE

    @pytest.mark.parametrize(
        ("settings", "code"),
        [
            ("SamlSettings('')", "missing_entity_id"),
            ("SamlSettings('x', sso_redirect_url='javascript:alert(1)')", "bad_endpoint"),
            ("SamlSettings('x', sso_redirect_url='http://idp.example/')", "insecure_endpoint"),
            ("SamlSettings('x', sso_redirect_url='https://idp.example/')", "no_signing_cert"),
            ("SamlSettings('x', certificates=('garbage',))", "bad_certificate"),
        ],
    )
    def test_settings_a_provider_made_by_itself_are_judged_all_the_same(
        self, install: Callable[..., ModuleType | None], context: Context, settings: str, code: str
    ) -> None:
        source = BREAK.format(method=f"def resolve(self, answers, context): return Resolved({settings})")
        plugins = plugins_of(install("broken", source, load=True))

        found = inspect(plugins, connector_of(plugins, "broken-saml"), {"metadata_url": "x"}, context)

        assert found.verdict is Verdict.REJECT
        assert code in codes(found)


HOOK = """
from authio.plugin import Finding, Refused, hookimpl
@hookimpl
def authio_inspect({arguments}):
    {body}
"""


class TestHook:
    def test_a_hook_adds_findings_for_any_provider(
        self, install: Callable[..., ModuleType | None], acme: ModuleType, context: Context
    ) -> None:
        body = "yield Finding.warning('policy', f'{organization} {connector.key} {settings.idp_entity_id}.')"
        arguments = "organization, connector, settings, fetch"
        plugins = plugins_of(acme, install("policy", HOOK.format(arguments=arguments, body=body), load=True))

        connector = connector_of(plugins, "acme-saml")
        found = inspect(plugins, connector, {"metadata_file": METADATA}, context, organization="org_1")

        assert found.verdict is Verdict.WARN
        assert found.findings[0] == Finding.warning(
            "policy", "org_1 acme-saml https://contoso.acmeid.example/saml/0a1b2c3d."
        )

    @pytest.mark.parametrize(
        "body",
        [
            "raise RuntimeError('hunter2')",
            "raise Refused(['no finding'])",
            "return ['no finding']",
            "return [None]",
            "return 7",
        ],
    )
    def test_a_hook_that_fails_stops_the_save_and_is_named(
        self,
        install: Callable[..., ModuleType | None],
        acme: ModuleType,
        context: Context,
        caplog: pytest.LogCaptureFixture,
        body: str,
    ) -> None:
        hook = install("policy", HOOK.format(arguments="settings", body=body), version="7", load=True)
        plugins = plugins_of(acme, hook)

        found = inspect_document(plugins, connector_of(plugins, "acme-saml"), METADATA, context)

        assert codes(found) == ["provider_failed"]
        assert "provider-policy 7 failed" in caplog.text
        assert "hunter2" not in caplog.text

    def test_a_hook_may_refuse(
        self, install: Callable[..., ModuleType | None], acme: ModuleType, context: Context
    ) -> None:
        body = "raise Refused([Finding.error('not_here', 'Only from the office.')])"
        plugins = plugins_of(acme, install("policy", HOOK.format(arguments="fetch", body=body), load=True))

        found = inspect_document(plugins, connector_of(plugins, "acme-saml"), METADATA, context)

        assert codes(found) == ["not_here"]

    def test_no_hook_is_asked_about_what_was_not_understood(
        self, install: Callable[..., ModuleType | None], acme: ModuleType, context: Context
    ) -> None:
        body = "raise AssertionError('asked')"
        plugins = plugins_of(acme, install("policy", HOOK.format(arguments="settings", body=body), load=True))

        found = inspect_document(plugins, connector_of(plugins, "acme-saml"), b"", context)

        assert codes(found) == ["empty"]

    def test_every_plugin_may_take_part_in_composing_the_application(
        self, install: Callable[..., ModuleType | None]
    ) -> None:
        source = (
            "from authio.plugin import hookimpl\n@hookimpl\ndef authio_configure(config): config.append(1)"
        )
        config: list[int] = []

        plugins_of(install("views", source, load=True)).configure(config)

        assert config == [1]


def test_errors_come_before_warnings_and_each_matter_once(
    install: Callable[..., ModuleType | None], acme: ModuleType, context: Context
) -> None:
    body = "return [Finding.warning('w', 'A.'), Finding.error('e', 'B.'), Finding.warning('w', 'A.')]"
    plugins = plugins_of(acme, install("policy", HOOK.format(arguments="settings", body=body), load=True))

    found = inspect_document(plugins, connector_of(plugins, "acme-saml"), METADATA, context)

    assert codes(found) == ["e", "w"]


def test_values_are_what_they_say() -> None:
    error, warning = Finding.error("e", "E."), Finding.warning("w", "W.")

    assert Judged("x", (warning,)).is_usable
    assert not Judged("x", (warning, error)).is_usable
    assert error.at("field").field == "field"
    assert error.at("field").at("other").field == "field"
    assert Refused([error]).at("field").findings[0].field == "field"
    assert "hidden" not in repr(Resolved(SamlSettings("x"), answers={"client_secret": "hidden"}))
