"""What is special about Okta over OpenID Connect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from authio.plugin import OidcSettings

if TYPE_CHECKING:
    from conftest import Bring, Judge

DATA = Path(__file__).parent / "data"
ORG = "https://acme-example.okta.com"
CUSTOM = f"{ORG}/oauth2/default"
WELL_KNOWN = "/.well-known/openid-configuration"
CLIENT = {"client_id": "0oa1b2c3d4e5f6g7h8i9", "client_secret": "kept-by-nobody-but-this-test"}


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("acme-example.okta.com", ORG),
        (ORG, ORG),
        (f"{ORG}{WELL_KNOWN}", ORG),
        (
            f"acme-example.okta.com/oauth2/aus1a2b3c4d5e6f7g8h9{WELL_KNOWN}",
            f"{ORG}/oauth2/aus1a2b3c4d5e6f7g8h9",
        ),
        ("login.acme.example", "https://login.acme.example"),
    ],
)
def test_a_domain_or_a_discovery_address_becomes_the_issuer(
    judge: Judge, typed: str, understood: str
) -> None:
    judged = judge("okta-oidc", "issuer", typed)

    assert (judged.value, judged.findings) == (understood, ())


def test_the_admin_host_is_refused_with_the_way_to_the_domain(judge: Judge) -> None:
    (finding,) = judge("okta-oidc", "issuer", "https://acme-example-admin.okta.com").findings

    assert finding.code == "admin_console_url"
    assert "without -admin" in finding.message


def test_groups_are_asked_of_the_organizations_own_server(bring: Bring) -> None:
    serves = {ORG + WELL_KNOWN: (DATA / "org-server.json").read_bytes()}

    settings = bring("okta-oidc", {"issuer": ORG, **CLIENT}, serves=serves).settings

    assert isinstance(settings, OidcSettings)
    assert settings.scopes == ("openid", "profile", "email", "groups")
    assert settings.client_id == CLIENT["client_id"]


def test_a_custom_server_is_asked_only_for_what_every_server_has(bring: Bring) -> None:
    serves = {CUSTOM + WELL_KNOWN: (DATA / "default-server.json").read_bytes()}

    settings = bring("okta-oidc", {"issuer": CUSTOM, **CLIENT}, serves=serves).settings

    assert isinstance(settings, OidcSettings)
    assert settings.scopes == ("openid", "profile", "email")


def test_the_document_of_another_authorization_server_is_refused(bring: Bring) -> None:
    serves = {ORG + WELL_KNOWN: (DATA / "default-server.json").read_bytes()}

    inspection = bring("okta-oidc", {"issuer": "acme-example.okta.com", **CLIENT}, serves=serves)

    (finding,) = inspection.findings
    assert (finding.code, finding.field, finding.found) == ("issuer_mismatch", "issuer", CUSTOM)
    assert "Authorization Servers" in finding.message


def test_SEC_28_the_client_secret_is_kept_apart_from_the_answers(bring: Bring) -> None:
    serves = {ORG + WELL_KNOWN: (DATA / "org-server.json").read_bytes()}

    inspection = bring("okta-oidc", {"issuer": ORG, **CLIENT}, serves=serves)

    assert inspection.secrets == {"client_secret": CLIENT["client_secret"]}
    assert CLIENT["client_secret"] not in repr(inspection)
    assert CLIENT["client_secret"] not in str(inspection.to_json())
