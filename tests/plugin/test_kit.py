"""The conformance kit notices: each rule it keeps is broken once here."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import colander
import pytest

from authio.plugin import Judged, Provider, SamlFingerprint, Walkthrough, hookimpl, line
from authio.plugin.testing import ProviderContract, Sample, plugins_of, refuse_active_svg
from tests.plugin.conftest import METADATA

STEP = '[[step]]\ntitle = "One"\ndo = ["Go."]\nlast_checked = 2026-11-22\n'
GOOD_STEP = STEP + 'asks = ["metadata_url", "metadata_file"]\nshows = {acs_url = "A", entity_id = "B"}\n'


def suite(acme: ModuleType, *, provider: Provider | None = None, **samples: tuple[Sample, ...]) -> Any:
    provider = provider or acme.PROVIDER
    module = ModuleType("authio_acme")
    module.authio_providers = hookimpl(lambda: [provider])  # type: ignore[attr-defined]
    changed = {"provider": provider, "plugins": lambda self: plugins_of(module), **samples}
    return type("Suite", (ProviderContract,), changed)()


def with_connector(acme: ModuleType, **attributes: Any) -> Provider:
    connector = type("Changed", (type(acme.PROVIDER.connectors[0]),), attributes)()
    return replace(acme.PROVIDER, connectors=(connector,))


class Untitled(colander.MappingSchema):
    metadata_url = line("metadata_url", title="", description="x")
    metadata_file = line("metadata_file", title="x", description="x")


class Undescribed(colander.MappingSchema):
    metadata_url = line("metadata_url", title="x", description="")
    metadata_file = line("metadata_file", title="x", description="x")


class WithSecret(colander.MappingSchema):
    client_secret = line("client_secret", title="x", description="x")


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("test_keys_are_slugs_and_names_are_there", {"protocol": "wsfed"}),
        ("test_keys_are_slugs_and_names_are_there", {"connection_type": "acme-saml"}),
        ("test_attributes_name_profile_fields", {"attributes": {"id": ("id",), "mail": ("mail",)}}),
        ("test_attributes_name_profile_fields", {"attributes": {"id": "id", "email": "email"}}),
        ("test_every_field_has_a_title_and_a_description", {"schema": Untitled}),
        ("test_every_field_has_a_title_and_a_description", {"schema": Undescribed}),
        ("test_every_field_is_asked_exactly_once", {"walkthrough": Walkthrough.parse(STEP)}),
        ("test_every_field_is_asked_exactly_once", {"walkthrough": Walkthrough.parse(GOOD_STEP * 2)}),
        ("test_ways_use_fields_of_the_schema_and_secrets_too", {"ways": (("metadata_xml",),)}),
        ("test_ways_use_fields_of_the_schema_and_secrets_too", {"ways": ()}),
        ("test_ways_use_fields_of_the_schema_and_secrets_too", {"secrets": frozenset({"password"})}),
        (
            "test_ways_use_fields_of_the_schema_and_secrets_too",
            {"schema": WithSecret, "ways": (("client_secret",),)},
        ),
        ("test_nothing_answered_is_refused_about_its_fields", {"missing": lambda self, answers: []}),
        (
            "test_steps_show_only_values_we_have",
            {"walkthrough": Walkthrough.parse(GOOD_STEP.replace("acs_url", "acs_address"))},
        ),
        (
            "test_steps_show_only_values_we_have",
            {"walkthrough": Walkthrough.parse(GOOD_STEP.replace('acs_url = "A", ', ""))},
        ),
        (
            "test_steps_say_when_they_were_last_checked",
            {"walkthrough": Walkthrough.parse(GOOD_STEP.replace("last_checked = 2026-11-22", ""))},
        ),
        (
            "test_icon_and_pictures_are_in_the_package_and_harmless",
            {"walkthrough": Walkthrough.parse(GOOD_STEP + 'image = "none.svg"\nalt = "None"')},
        ),
        (
            "test_any_text_in_any_field_is_judged_without_network_or_fault",
            {"check_metadata_url": lambda self, text, context: text.index("x")},
        ),
        (
            "test_any_text_in_any_field_is_judged_without_network_or_fault",
            {
                "check_metadata_url": lambda self, text, context: Judged(
                    context.fetch("https://a.example").url
                )
            },
        ),
    ],
)
def test_a_rule_that_is_broken_is_noticed(acme: ModuleType, rule: str, change: dict[str, Any]) -> None:
    broken = suite(acme, provider=with_connector(acme, **change))
    sound = suite(acme)

    getattr(sound, rule)()
    with pytest.raises(KeyError if "pictures" in rule else AssertionError):
        getattr(broken, rule)()


@pytest.mark.parametrize(
    ("rule", "samples"),
    [
        ("test_every_connector_has_a_good_sample_and_a_bad_one", {}),
        (
            "test_good_samples_are_accepted",
            {"good": (Sample("acme-saml", {"metadata_file": METADATA + b"<"}),)},
        ),
        (
            "test_good_samples_are_accepted",
            {"good": (Sample("acme-saml", {"metadata_file": METADATA.replace(b"acmeid", b"other")}),)},
        ),
        (
            "test_bad_samples_are_refused_with_their_code",
            {"bad": (Sample("acme-saml", {"metadata_file": METADATA}, code="empty"),)},
        ),
    ],
)
def test_a_sample_that_behaves_otherwise_is_noticed(
    acme: ModuleType, rule: str, samples: dict[str, tuple[Sample, ...]]
) -> None:
    with pytest.raises(AssertionError):
        getattr(suite(acme, **samples), rule)()


def test_a_provider_that_does_not_recognise_its_own_is_noticed(acme: ModuleType) -> None:
    fingerprint = SamlFingerprint(sso="/nowhere", entity_id="urn:nobody")
    provider = with_connector(acme, fingerprint=fingerprint)
    good = (Sample("acme-saml", {"metadata_file": METADATA}),)

    with pytest.raises(AssertionError, match="is not recognised"):
        suite(acme, provider=provider, good=good).test_good_samples_are_recognised_as_its_own()


def test_a_pattern_that_takes_for_ever_is_noticed(acme: ModuleType) -> None:
    slow = SamlFingerprint(sso=r"/(?:a|aa)*!!")
    broken = suite(acme, provider=with_connector(acme, fingerprint=slow))

    with pytest.raises(AssertionError):
        _within(2.5, broken.test_no_pattern_takes_long_on_any_text)


def _within(seconds: float, call: Callable[[], None]) -> None:
    import signal

    def stop(*_: Any) -> None:
        raise AssertionError("takes too long")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", ["authio.models", "authio.plugin.loader", "sqlalchemy", "urllib3.util"])
def test_an_import_past_the_door_is_noticed(
    acme: ModuleType, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    package = tmp_path / "authio_peeking"
    package.mkdir()
    (package / "__init__.py").write_text("import re\nfrom authio.plugin import Provider\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "authio_peeking", raising=False)
    importlib.import_module("authio_peeking")
    provider = replace(acme.PROVIDER, package="authio_peeking")
    suite(acme, provider=provider).test_the_package_imports_only_the_door()

    (package / "past.py").write_text(f"def late():\n    from {name} import x\n")

    with pytest.raises(AssertionError, match=f"imports {name}"):
        suite(acme, provider=provider).test_the_package_imports_only_the_door()


@pytest.mark.parametrize(
    "drawing",
    [
        "<script>alert(1)</script>",
        '<rect onload="alert(1)"/>',
        '<a href="https://example.com"><rect/></a>',
        '<use href="https://example.com/x.svg#a"/>',
        '<image href="x.png"/>',
        '<rect style="fill:red"/>',
        '<rect fill="url(https://example.com/x)"/>',
        "<foreignObject/>",
        "<style>@import 'x';</style>",
        "<animate/>",
    ],
)
def test_a_picture_that_does_more_than_draw_is_noticed(drawing: str) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><title>A</title>{}</svg>'
    refuse_active_svg(svg.format('<rect fill="url(#a)"/>').encode(), "sound.svg")

    with pytest.raises(AssertionError, match="bad"):
        refuse_active_svg(svg.format(drawing).encode(), "bad.svg")


def test_a_picture_has_a_title_and_is_a_picture() -> None:
    for content in (b'<svg xmlns="http://www.w3.org/2000/svg"/>', b"<html/>"):
        with pytest.raises(AssertionError):
            refuse_active_svg(content, "bad.svg")
