"""What is special about Okta over SAML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from authio_okta import PROVIDER

from authio.plugin import Confidence, SamlSettings
from authio.plugin.testing import Bench

if TYPE_CHECKING:
    from conftest import Bring, Judge

DATA = Path(__file__).parent / "data"
APP = "exkKGpOyQNcdOyZbk697"
PATH = f"/app/{APP}/sso/saml/metadata"


@pytest.mark.parametrize(
    "host",
    [
        "acme.okta.com",
        "acme.oktapreview.com",
        "acme.okta-emea.com",
        "acme.okta-gov.com",
        "acme.okta.mil",
        "login.acme.example",
    ],
)
def test_metadata_may_come_from_each_of_its_hosts_or_a_custom_domain(judge: Judge, host: str) -> None:
    judged = judge("okta-saml", "metadata_url", f" https://{host}{PATH}\n")

    assert judged.value == f"https://{host}{PATH}"
    assert judged.findings == ()


def test_a_bare_address_is_completed(judge: Judge) -> None:
    assert judge("okta-saml", "metadata_url", f"acme.okta.com{PATH}").value == f"https://acme.okta.com{PATH}"


@pytest.mark.parametrize(
    "console",
    [
        "https://acme-admin.okta.com",
        "https://acme-admin.okta.com/admin/app/saml_2_0/instance/0oa1/",
        "https://acme-admin.oktapreview.com/admin/dashboard",
        "https://acme.okta.com/app/UserHome",
        "https://acme.okta.com/app/UserHome?session_hint=AUTHENTICATED",
        "https://acme.okta.com/enduser/catalog",
    ],
)
def test_consoles_are_named_as_consoles(judge: Judge, console: str) -> None:
    (finding,) = judge("okta-saml", "metadata_url", console).findings

    assert finding.code == "admin_console_url"
    assert "Sign On tab" in finding.message


def test_a_host_that_only_sounds_like_the_console_is_not_one(judge: Judge) -> None:
    findings = judge(
        "okta-saml", "metadata_url", f"https://acme-admin.okta.com.attacker.example{PATH}"
    ).findings

    assert "admin_console_url" not in {finding.code for finding in findings}


@pytest.mark.parametrize(
    ("value", "code", "label"),
    [
        (f"https://acme.okta.com/app/acme_portal_1/{APP}/sso/saml", "sso_url_not_metadata", "Metadata URL"),
        (f"https://login.acme.example/app/acme_1/{APP}/sso/saml", "sso_url_not_metadata", "Metadata URL"),
        (f"http://www.okta.com/{APP}", "entity_id_not_metadata", "Metadata URL"),
    ],
)
def test_neighbours_of_the_metadata_url_are_told_apart(
    judge: Judge, value: str, code: str, label: str
) -> None:
    (finding,) = judge("okta-saml", "metadata_url", value).findings

    assert (finding.code, finding.field, finding.is_error) == (code, "metadata_url", True)
    assert label in finding.message


def test_a_strange_host_is_shown_and_not_refused(bring: Bring) -> None:
    inspection = bring("okta-saml", {"metadata_file": (DATA / "lookalike-host.xml").read_bytes()})

    (finding,) = inspection.findings
    assert (finding.code, finding.is_error) == ("unknown_host", False)
    assert finding.found == "acme-example.okta.com.attacker.example"
    assert "custom domain" in finding.message


def test_both_certificates_of_a_rotation_are_kept(bring: Bring) -> None:
    settings = bring("okta-saml", {"metadata_file": (DATA / "two-signing-certs.xml").read_bytes()}).settings

    assert isinstance(settings, SamlSettings)
    assert len(settings.certificates) == 2


def test_signed_requests_are_named_by_their_setting(bring: Bring) -> None:
    (finding,) = bring(
        "okta-saml", {"metadata_file": (DATA / "wants-signed-requests.xml").read_bytes()}
    ).findings

    assert finding.code == "wants_signed_requests"
    assert "untick Signed Requests" in finding.message


def test_both_layouts_of_the_attribute_statements_are_shown(bench: Bench) -> None:
    connector = bench.connector("okta-saml")

    (step,) = [step for step in connector.walkthrough.steps if step.layouts]
    spoken = [
        {span.text for line in layout.do for span in line if span.kind == "bold"} for layout in step.layouts
    ]

    assert {"Add expression", "user.profile.email"} <= spoken[0]
    assert {"Profile attribute statements", "user.email"} <= spoken[1]


@pytest.mark.parametrize("expression", ["id", "email", "firstName", "lastName", "groups"])
def test_every_attribute_the_walkthrough_prescribes_is_read(bench: Bench, expression: str) -> None:
    connector = bench.connector("okta-saml")

    assert expression in {name for names in connector.attributes.values() for name in names}


@pytest.mark.parametrize(
    "domain", ["okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com", "okta.mil"]
)
def test_addresses_on_its_own_hosts_are_recognised_for_sure(domain: str) -> None:
    saml = PROVIDER.connectors[0]

    assert saml.recognise(f"https://acme.{domain}{PATH}") is Confidence.SURE
    assert saml.recognise(f"https://acme.{domain}.attacker.example{PATH}") is Confidence.LIKELY


def test_an_address_with_neither_host_nor_path_is_nobodys() -> None:
    assert PROVIDER.connectors[0].recognise("https://acme.okta.com.attacker.example/") is Confidence.NO
