"""OidcRefused: an answer over OpenID Connect that signs nobody in, with the very check that it failed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from authio.protocols.refusals import SignInRefused

CHECKS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "oidc_state_invalid": {"state": "the state is not the one that was sent"},
        "oidc_issuer_mismatch": {
            "iss": "the answer names another issuer",
            "iss_missing": "the issuer announces that its answers name it, and this one does not",
        },
        "oidc_callback": {
            "repeated": "a parameter occurs twice",
            "malformed": "a parameter is longer than any is, or holds characters that none holds",
            "incomplete": "there is neither a code nor an error",
            "contradictory": "there is both a code and an error",
        },
        # what the provider itself says; RFC 6749, 4.1.2.1 and OpenID Connect Core, 3.1.2.6
        "access_denied": {
            "access_denied": "the person or a policy said no",
            "consent_required": "the person has not consented",
            "login_required": "the person has to sign in at the provider first",
            "invalid_request": "the provider finds the request malformed",
            "unauthorized_client": "the client may not use this flow",
            "unsupported_response_type": "the provider does not do the code flow",
            "invalid_scope": "the provider does not know a scope, or does not grant it",
            "server_error": "the provider has failed",
            "temporarily_unavailable": "the provider is overloaded or being mended",
            "other": "the provider gives a reason of its own",
        },
        "oidc_token_request": {
            "no_secret": "the connection has nothing to prove itself with",
            "unreachable": "the token endpoint gave no answer",
            "status": "the token endpoint answered with a failure and no reason",
            "malformed": "the answer is no JSON object, or a member of it is unusable",
            "no_id_token": "the answer holds no ID token",
            "no_access_token": "the answer holds no access token",
            "token_type": "the access token is not a bearer token",
            "invalid_client": "the client ID or its secret is wrong",
            "invalid_grant": "the code is spent or expired, or belongs to another client or redirect URI",
            "invalid_request": "the provider finds the request malformed",
            "invalid_scope": "the provider does not grant a scope",
            "unauthorized_client": "the client may not use this flow",
            "unsupported_grant_type": "the provider does not do the code flow",
        },
        "oidc_jwks": {
            "unreachable": "the keys cannot be fetched",
            "malformed": "the keys are no JWK set",
            "unknown_key": "no published key fits the one that the token names",
            "ambiguous_key": "several published keys fit, and the token does not say which",
            "weak_key": "the RSA key has fewer than 2048 bits",
            "bad_key": "the published numbers make no usable key",
        },
        "oidc_token_invalid": {
            "size": "the token is too long",
            "format": "the token is no signed JWT in compact form",
            "header": "the header holds what no ID token needs",
            "algorithm": "the algorithm is not one that this issuer announces and we allow",
            "signature": "the signature does not verify by the key that the token names",
            "iss": "another issuer has issued it",
            "aud": "it is meant for another client",
            "azp": "it was issued to another client",
            "exp": "it has expired, or does not say when it does",
            "iat": "it is from the future, too old, or does not say when it was issued",
            "nbf": "it is not valid yet",
            "nonce": "it belongs to another sign-in",
            "sub": "it names no usable subject",
            "at_hash": "it came with another access token",
            "c_hash": "it came with another code",
            "email": "its e-mail address is no text that could be one",
            "required_claim": "a claim that the connection asks for is missing or has another value",
            "missing": "no claim holds an e-mail address",
            "unclear": "a field of the profile has two values where one is allowed, or control characters",
        },
        "oidc_userinfo": {
            "unreachable": "the answer cannot be had, and the ID token alone makes no profile",
            "malformed": "the answer is no JSON object",
            "sub": "it is about another subject",
            "email": "its e-mail address is no text that could be one",
        },
    }
)
"""Every code, and under it every check that can fail, with half a sentence for the log.

A diagnosis is looked up by both.
"""


class OidcRefused(SignInRefused):
    """An OpenID Connect answer signs nobody in: ``code`` says how that is answered, ``check`` why.

    ``field`` names the claim or the parameter, where there is one.
    """

    protocol: ClassVar[str] = "oidc"

    def __init__(
        self, code: str, check: str, *, found: object = "", expected: object = "", field: str = ""
    ) -> None:
        because = CHECKS[code][check]
        super().__init__(code, found=_text(found), expected=_text(expected), because=because)
        self.check = check
        self.field = field


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else repr(value)
