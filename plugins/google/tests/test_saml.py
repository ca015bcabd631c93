"""What is special about Google Workspace over SAML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from authio_google import PROVIDER

from authio.plugin import Confidence, SamlSettings
from authio.plugin.testing import Bench

if TYPE_CHECKING:
    from conftest import Bring, Judge

DATA = Path(__file__).parent / "data"
ENTITY_ID = "https://accounts.google.com/o/saml2?idpid=C0pxgxuil"
SSO = "https://accounts.google.com/o/saml2/idp?idpid=C0pxgxuil"


def test_no_form_asks_for_a_metadata_address(bench: Bench) -> None:
    connector = bench.connector("google-saml")

    assert "metadata_url" not in connector.field_names
    assert connector.ways[0] == ("metadata_file",)


@pytest.mark.parametrize(
    "value", [SSO, ENTITY_ID, "https://admin.google.com/ac/apps/unified", "anything", ""]
)
def test_whatever_is_given_for_one_is_answered_with_the_file(judge: Judge, value: str) -> None:
    (finding,) = judge("google-saml", "metadata_url", value).findings

    assert (finding.code, finding.is_error) == ("google_has_no_metadata_url", True)
    assert "Download metadata" in finding.message


@pytest.mark.parametrize(
    ("name", "code"),
    [("html-login-page.html", "html_page"), ("metadata-expired.xml", "metadata_expired")],
)
def test_what_is_wrong_with_a_file_is_said_with_googles_own_labels(
    bring: Bring, name: str, code: str
) -> None:
    (finding,) = bring("google-saml", {"metadata_file": (DATA / name).read_bytes()}).findings

    assert (finding.code, finding.field) == (code, "metadata_file")
    assert "Download metadata" in finding.message


def test_the_file_says_until_when_it_is_good(bring: Bring) -> None:
    settings = bring("google-saml", {"metadata_file": (DATA / "good.xml").read_bytes()}).settings

    assert isinstance(settings, SamlSettings)
    assert settings.valid_until is not None
    assert settings.valid_until.isoformat() == "2030-05-06T08:30:12+00:00"
    assert settings.metadata_url == ""


def test_addresses_are_recognised_with_their_account() -> None:
    saml = PROVIDER.connectors[0]

    assert saml.recognise(ENTITY_ID) is Confidence.SURE
    assert saml.recognise(SSO) is Confidence.SURE
    assert saml.recognise(SSO.replace("google.com", "google.com.attacker.example")) is Confidence.CONTRADICTED
    assert saml.recognise("https://idp.acme.example/saml/sso") is Confidence.NO
