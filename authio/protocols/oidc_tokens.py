"""The token and the userinfo endpoint: what is sent to them, and what is taken from their answers."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from authio.protocols.oidc import PRIVATE_KEY_JWT, OidcSettings
from authio.protocols.oidc_exchange import Answer, Request
from authio.protocols.oidc_id_token import judge_subject
from authio.protocols.oidc_jose import ASSERTION_TYPE, ClientKey, client_assertion
from authio.protocols.oidc_refused import CHECKS, OidcRefused
from authio.protocols.oidc_request import Flow
from authio.protocols.strict_json import NotJson, read_json

Credential = str | ClientKey | None
"""What we prove ourselves with: a client secret, or a private key."""

MAX_BYTES = 131_072
"""What an answer with tokens or claims may have. Lists of groups make long ones."""

_SENDABLE = re.compile(r"[!-~]{1,16384}")
_ERRORS: Final = CHECKS["oidc_token_request"].keys() & {
    *("invalid_client", "invalid_grant", "invalid_request", "invalid_scope"),
    *("unauthorized_client", "unsupported_grant_type"),
}


@dataclass(frozen=True)
class Tokens:
    """What a code was exchanged for; none of it has been judged."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


def token_request(
    settings: OidcSettings, credential: Credential, *, code: str, flow: Flow, now: datetime
) -> Request:
    """The request that turns a code into tokens, with our proof of who we are where the settings want it.

    The proof is in the Authorization header or in the body, never in the address.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": flow.redirect_uri,
        "code_verifier": flow.verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    method = settings.token_endpoint_auth_method
    if method == "client_secret_basic" and isinstance(credential, str) and credential:
        headers["Authorization"] = _basic(settings.client_id, credential)
    elif method == "client_secret_post" and isinstance(credential, str) and credential:
        form |= {"client_id": settings.client_id, "client_secret": credential}
    elif method == PRIVATE_KEY_JWT and isinstance(credential, ClientKey):
        signed = client_assertion(
            credential, client_id=settings.client_id, audience=settings.token_endpoint, now=now
        )
        form |= {"client_id": settings.client_id}
        form |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
    else:
        raise OidcRefused("oidc_token_request", "no_secret", expected=method)
    return Request(settings.token_endpoint, headers, urlencode(form).encode("ascii"))


def read_token_reply(answer: Answer) -> Tokens:
    """The tokens of an answer, or :class:`OidcRefused` with the provider's error as one of a fixed set."""
    found = _object(answer)
    error = found.get("error") if found is not None else None
    if isinstance(error, str) and error in _ERRORS:
        raise OidcRefused("oidc_token_request", error, found=error, field="error")
    if answer.status == 401:
        raise OidcRefused("oidc_token_request", "invalid_client", found=answer.status)
    if answer.status != 200 or error is not None:
        raise OidcRefused("oidc_token_request", "status", found=error or answer.status)
    if found is None:
        raise OidcRefused("oidc_token_request", "malformed")
    kind = found.get("token_type")
    for name in ("id_token", "access_token"):
        if not found.get(name):
            raise OidcRefused("oidc_token_request", f"no_{name}", field=name)
        # An access token goes into a header: nothing but what a header can carry is one.
        if not isinstance(found[name], str) or not _SENDABLE.fullmatch(found[name]):
            raise OidcRefused("oidc_token_request", "malformed", field=name)
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise OidcRefused("oidc_token_request", "token_type", found=kind, expected="Bearer")
    return Tokens(found["id_token"], found["access_token"])


def userinfo_request(settings: OidcSettings, access_token: str) -> Request:
    """The request for what the provider knows of the person beyond the ID token."""
    headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
    return Request(settings.userinfo_endpoint, headers)


def read_userinfo(answer: Answer, *, subject: str) -> Mapping[str, Any]:
    """The claims of a 200 answer that is about *subject*, or :class:`OidcRefused`."""
    found = _object(answer)
    if found is None:
        raise OidcRefused("oidc_userinfo", "malformed", found=answer.content_type)
    if found.get("sub") != subject:
        raise OidcRefused("oidc_userinfo", "sub", found=found.get("sub"), expected=subject, field="sub")
    judge_subject(found, code="oidc_userinfo")
    return found


def _basic(client_id: str, secret: str) -> str:
    """Both parts are encoded like form fields before they are joined (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")


def _object(answer: Answer) -> Mapping[str, Any] | None:
    if len(answer.body) > MAX_BYTES:
        return None
    try:
        found = read_json(answer.body)
    except NotJson:
        return None
    return found if isinstance(found, dict) else None
