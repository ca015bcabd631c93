"""Connections for every scenario, put into a server's database through services, past the portal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from authio.app import Runtime
from authio.db import connection_of
from authio.ids import new_id
from authio.models import KeyUse, connections
from authio.protocols.oidc import OidcSettings
from authio.protocols.saml import SamlSettings
from authio.services import Services
from authio.settings import Settings
from benchmarks.metadata import IdentityProvider
from benchmarks.openid_provider import CLIENT_ID, CLIENT_SECRET
from benchmarks.sign_ins import CALLBACK, SCENARIOS, Scenario, Way, oidc_way, saml_way
from tests.support.oidc_provider import PERSON


def connect(
    settings: Settings,
    *,
    project_id: str,
    identity_provider: IdentityProvider,
    issuer: str,
    count: int,
) -> dict[str, list[Way]]:
    """*count* connections for each scenario, each with an organization of its own."""
    runtime = Runtime(settings)
    try:
        with runtime.begin() as services:
            services.redirect_uris.add(project_id, CALLBACK)
            made = _Maker(services, project_id, settings.base_url, identity_provider, issuer)
            return {name: [made.way(one) for _ in range(count)] for name, one in SCENARIOS.items()}
    finally:
        runtime.close()


class _Maker:
    def __init__(
        self,
        services: Services,
        project_id: str,
        base_url: str,
        identity_provider: IdentityProvider,
        issuer: str,
    ) -> None:
        self._services, self._project_id, self._base_url = services, project_id, base_url
        self._identity_provider, self._issuer = identity_provider, issuer

    def way(self, scenario: Scenario) -> Way:
        """One connection as the *scenario* wants it."""
        connection_id = new_id("connection")
        if scenario.protocol == "oidc":
            self._insert(connection_id, scenario, self._oidc())
            return oidc_way(connection_id, self._base_url, issuer=self._issuer, email=PERSON["email"])
        key = connection_id[-26:]
        saml = SamlSettings(
            idp_entity_id=self._identity_provider.entity_id(key),
            sso_redirect_url=self._identity_provider.sso_url(key),
            certificates=(self._identity_provider.signer.pem,),
            want_authn_requests_signed=scenario.signs_requests,
        )
        self._insert(connection_id, scenario, saml)
        keys = dict(self._keys(connection_id, scenario))
        return saml_way(
            connection_id,
            self._base_url,
            idp_entity_id=saml.idp_entity_id,
            encrypt_to=keys.get(KeyUse.ENCRYPTION),
        )

    def _oidc(self) -> OidcSettings:
        return OidcSettings(
            issuer=self._issuer,
            authorization_endpoint=f"{self._issuer}/authorize",
            token_endpoint=f"{self._issuer}/token",
            userinfo_endpoint=f"{self._issuer}/userinfo",
            jwks_uri=f"{self._issuer}/keys",
            client_id=CLIENT_ID,
            iss_parameter=True,
        )

    def _keys(self, connection_id: str, scenario: Scenario) -> Iterator[tuple[KeyUse, rsa.RSAPublicKey]]:
        """Our own keys, made now: the first sign-in would make them, and wait for it."""
        wanted = {KeyUse.ENCRYPTION: scenario.encrypted, KeyUse.SIGNING: scenario.signs_requests}
        row = self._services.connections.any_by_id(connection_id)
        for use in (use for use, is_wanted in wanted.items() if is_wanted):
            pem = self._services.sp_keys.ensure(row, use).certificate
            public = x509.load_pem_x509_certificate(pem.encode()).public_key()
            if not isinstance(public, rsa.RSAPublicKey):
                raise TypeError("keys of a connection are RSA keys")
            yield use, public

    def _insert(self, connection_id: str, scenario: Scenario, settings: SamlSettings | OidcSettings) -> None:
        connector = f"generic-{scenario.protocol}"
        organization = self._services.organizations.create(self._project_id, name="Benchmark")
        now = self._services.parts.clock.now()
        row: dict[str, Any] = {
            "id": connection_id,
            "project_id": self._project_id,
            "organization_id": organization.id,
            "name": "Benchmark",
            "provider": f"generic_{scenario.protocol}",
            "connector": connector,
            "protocol": scenario.protocol,
            "connection_type": "GenericSAML" if scenario.protocol == "saml" else "GenericOIDC",
            "state": "active",
            "version": 1,
            "findings": [],
            "options": {"encryption": True} if scenario.encrypted else {},
            "created_at": now,
            "updated_at": now,
            "sealed_settings": self._sealed(connection_id, "settings", settings.to_json()),
        }
        if scenario.protocol == "oidc":
            answers = {connector: {"client_secret": CLIENT_SECRET}}
            row["sealed_answers"] = self._sealed(connection_id, "answers", answers)
        connection_of(self._services.session).execute(sa.insert(connections), row)

    def _sealed(self, connection_id: str, column: str, value: Mapping[str, Any]) -> bytes:
        return self._services.parts.vault.seal(
            json.dumps(value).encode(), place=("connections", connection_id, column)
        )
