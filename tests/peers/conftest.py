"""A server as ``authio serve`` makes it, a vendor, and the identity providers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from workos import WorkOSClient

from tests.peers.person import CALLBACK, Person
from tests.peers.running import OidcProvider, SimpleSamlPhp, oidc_provider, simplesamlphp
from tests.peers.vendor import Vendor
from tests.support.server import serving


@pytest.fixture(scope="session")
def _simplesamlphp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleSamlPhp]:
    with simplesamlphp(tmp_path_factory.mktemp("peer") / "simplesamlphp") as peer:
        yield peer


@pytest.fixture
def saml(_simplesamlphp: SimpleSamlPhp) -> SimpleSamlPhp:
    """SimpleSAMLphp with its usual settings."""
    _simplesamlphp.behave()
    return _simplesamlphp


@pytest.fixture(scope="session")
def oidc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    """oidc-provider with its usual settings."""
    with oidc_provider(tmp_path_factory.mktemp("peer") / "oidc-provider") as peer:
        yield peer


@pytest.fixture(scope="session")
def oidc_by_post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    """oidc-provider that takes secrets in the body and nowhere else, and tells all in the ID token."""
    folder = tmp_path_factory.mktemp("peer") / "oidc-provider"
    with oidc_provider(folder, clientAuthMethods=["client_secret_post"], conformIdTokenClaims=False) as peer:
        yield peer


@pytest.fixture(scope="session")
def vendor(
    _simplesamlphp: SimpleSamlPhp,
    oidc: OidcProvider,
    oidc_by_post: OidcProvider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Vendor]:
    """A vendor over a running server, whose only setting is that it may reach this machine."""
    reachable = " ".join(
        url.partition("//")[2] for url in (_simplesamlphp.url, oidc.issuer, oidc_by_post.issuer)
    )
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, environment={"AUTHIO_OUTBOUND_ALLOW": reachable}) as server:
        registered = requests.post(
            f"{server.url}/v1/redirect_uris",
            json={"uri": CALLBACK, "default": True},
            headers={"Authorization": f"Bearer {server.demo['api_key']}"},
            timeout=30,
        )
        assert registered.status_code == 201, registered.text
        with WorkOSClient(
            api_key=server.demo["api_key"],
            client_id=server.demo["client_id"],
            base_url=server.url,
            max_retries=0,
        ) as client:
            yield Vendor(server, client)


@pytest.fixture
def person() -> Iterator[Person]:
    """Somebody who works for the customer."""
    with Person() as someone:
        yield someone
