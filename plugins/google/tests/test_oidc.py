"""What is special about Google over OpenID Connect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from authio.plugin import OidcSettings

if TYPE_CHECKING:
    from conftest import Bring, Judge

DATA = Path(__file__).parent / "data"
SERVES = {
    "https://accounts.google.com/.well-known/openid-configuration": (DATA / "discovery.json").read_bytes()
}
CLIENT_ID = "123456789012-k6tqzrduamfc3bxivpwbwdhviyme8ys9.apps.googleusercontent.com"
CLIENT = {"client_id": CLIENT_ID, "client_secret": "kept-by-nobody-but-this-test"}


def test_the_issuer_is_known_without_asking(bring: Bring) -> None:
    settings = bring("google-oidc", CLIENT, serves=SERVES).settings

    assert isinstance(settings, OidcSettings)
    assert settings.issuer == "https://accounts.google.com"
    assert settings.token_endpoint == "https://oauth2.googleapis.com/token"
    assert settings.required_claims == {}


def test_hosted_domains_become_what_a_token_has_to_say(bring: Bring) -> None:
    answers = {**CLIENT, "hosted_domains": " Acme.example; acme-labs.example,acme.example "}

    inspection = bring("google-oidc", answers, serves=SERVES)

    assert isinstance(inspection.settings, OidcSettings)
    assert inspection.settings.required_claims == {"hd": ("acme.example", "acme-labs.example")}
    assert inspection.answers["hosted_domains"] == "acme.example, acme-labs.example"


@pytest.mark.parametrize(
    "domain", ["acme", "https://acme.example", "sam@acme.example", "-acme.example", "*.acme.example"]
)
def test_a_hosted_domain_is_a_domain(judge: Judge, domain: str) -> None:
    (finding,) = judge("google-oidc", "hosted_domains", f"acme.example, {domain}").findings

    assert (finding.code, finding.found) == ("not_a_domain", domain)


@pytest.mark.parametrize(
    "value", ["acme-sso-project", "123456789012", CLIENT_ID + ".attacker.example", "kept"]
)
def test_a_client_id_is_one_of_googles(judge: Judge, value: str) -> None:
    (finding,) = judge("google-oidc", "client_id", value).findings

    assert (finding.code, finding.is_error) == ("not_a_google_client_id", True)
    assert "Clients" in finding.message


def test_groups_are_not_promised(bring: Bring) -> None:
    assert "groups" not in bring("google-oidc", CLIENT, serves=SERVES).connector.attributes
