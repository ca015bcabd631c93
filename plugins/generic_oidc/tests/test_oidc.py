"""What is special about the provider that takes any OpenID Connect: the scopes are the customer's."""

from pathlib import Path

from authio_generic_oidc import PROVIDER

from authio.plugin import OidcSettings
from authio.plugin.testing import ProviderContract, Sample

DISCOVERY = (Path(__file__).parent / "data" / "discovery.json").read_bytes()
SERVES = {"https://op.acme.example/.well-known/openid-configuration": DISCOVERY}
ANSWERS = {"issuer": "https://op.acme.example", "client_id": "portal", "client_secret": "kept-to-ourselves"}


class Suite(ProviderContract):
    provider = PROVIDER


def test_scopes_always_ask_for_openid() -> None:
    inspection = Suite().inspect(
        Sample("generic-oidc", {**ANSWERS, "scopes": "email, groups"}, serves=SERVES)
    )

    assert isinstance(inspection.settings, OidcSettings)
    assert inspection.settings.scopes == ("openid", "email", "groups")


def test_SEC_28_the_client_secret_is_apart_from_answers_and_settings() -> None:
    inspection = Suite().inspect(Sample("generic-oidc", ANSWERS, serves=SERVES))

    assert inspection.secrets == {"client_secret": "kept-to-ourselves"}
    assert "kept-to-ourselves" not in repr(inspection)
    assert "kept-to-ourselves" not in str(inspection.to_json())
