"""Signing in over OpenID Connect: the way there, and who comes back. Reads and writes no table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from authio.protocols import oidc_flow, oidc_request
from authio.protocols.oidc import OidcSettings
from authio.protocols.oidc_exchange import Send
from authio.protocols.oidc_tokens import Credential
from authio.protocols.saml_request import Redirect
from authio.services.known import Known
from authio.services.leaving import Identified, Leaving, Wanted
from authio.services.targets import Target


def leave(target: Target, wanted: Wanted) -> Leaving:
    """The redirect to the provider. State, nonce and verifier are new, of 256 random bits each."""
    flow = oidc_request.Flow.new(target.sp.redirect_uri)
    url = oidc_request.begin(
        _settings(target),
        flow,
        login_hint=wanted.login_hint,
        prompt="login" if wanted.force else None,
        extra={"domain_hint": wanted.domain_hint} if wanted.domain_hint else None,
    )
    secrets = {"state": flow.state, "nonce": flow.nonce, "verifier": flow.verifier}
    return Leaving(
        Redirect(url),
        flow.state,
        secrets,
        {"binding": "redirect", "to": _settings(target).authorization_endpoint},
    )


def identify(
    target: Target,
    secrets: Mapping[str, str],
    parameters: Iterable[tuple[str, str]],
    *,
    credential: Credential,
    known: Known,
    send: Send,
    now: datetime,
) -> Identified:
    """Who comes back with *parameters*; OidcRefused. Asks the provider's own endpoints over *send*."""
    flow = oidc_request.Flow(
        redirect_uri=target.sp.redirect_uri,
        state=secrets["state"],
        nonce=secrets["nonce"],
        verifier=secrets["verifier"],
    )
    signed_in = oidc_flow.finish(
        _settings(target),
        flow,
        parameters,
        credential=credential,
        table=target.table,
        keys=known.key_sets(target.id),
        send=send,
        now=now,
    )
    told: dict[str, Any] = {"claims": signed_in.claims, "userinfo": signed_in.userinfo}
    return Identified(
        signed_in.profile,
        json.dumps(told, default=dict).encode(),
        {
            "key": signed_in.kid,
            "algorithm": signed_in.algorithm,
            "userinfo": signed_in.userinfo is not None,
        },
    )


def _settings(target: Target) -> OidcSettings:
    if not isinstance(target.settings, OidcSettings):
        raise TypeError("not a connection over OpenID Connect")
    return target.settings
