"""The way to the provider and back: the address a browser is sent to, and the parameters it returns with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from authio.crypto import new_token, same
from authio.protocols.oidc import OidcSettings
from authio.protocols.oidc_jose import challenge
from authio.protocols.oidc_refused import CHECKS, OidcRefused

MAX_PARAMETERS = 32
LONGEST_PARAMETER = 8192

_OURS: Final = frozenset(
    {
        *("response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *(
            "code_challenge",
            "code_challenge_method",
            "request",
            "request_uri",
            "registration",
            "client_secret",
        ),
        *("prompt", "login_hint"),
    }
)
"""Parameters that decide what comes back and to whom: nobody but us sets them."""

_ALIKE: Final[Mapping[str, str]] = {
    "interaction_required": "login_required",
    "account_selection_required": "login_required",
    "user_cancelled_login": "access_denied",
    "user_cancelled_authorize": "access_denied",
}


@dataclass(frozen=True)
class Flow:
    """What is remembered while the browser is away. Each of the three secrets has 256 random bits."""

    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @classmethod
    def new(cls, redirect_uri: str) -> Flow:
        """A flow that begins now, with secrets of its own."""
        return cls(redirect_uri, state=new_token(""), nonce=new_token(""), verifier=new_token(""))


def begin(
    settings: OidcSettings,
    flow: Flow,
    *,
    login_hint: str | None = None,
    prompt: str | None = None,
    extra: Mapping[str, str] | None = None,
) -> str:
    """The address to send the browser to: code flow, PKCE with S256, state and nonce.

    ``extra`` holds what a provider takes beyond the standard; names that are ours to set are left out,
    and so are they in the query that an endpoint may have of its own.
    """
    ours = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": flow.redirect_uri,
        "scope": " ".join(settings.scopes),
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": challenge(flow.verifier),
        "code_challenge_method": "S256",
    }
    hints = {name: text for name, text in (("login_hint", login_hint), ("prompt", prompt)) if text}
    endpoint = urlsplit(settings.authorization_endpoint)
    more = {name: text for name, text in (extra or {}).items() if name not in _OURS}
    kept = [
        (name, text)
        for name, text in parse_qsl(endpoint.query, keep_blank_values=True)
        if name not in _OURS and name not in more
    ]
    query = urlencode([*kept, *more.items(), *hints.items(), *ours.items()])
    return urlunsplit((endpoint.scheme, endpoint.netloc, endpoint.path, query, ""))


def judge_callback(parameters: Iterable[tuple[str, str]], settings: OidcSettings, flow: Flow) -> str:
    """The code that the browser brought back, or :class:`OidcRefused`.

    ``parameters`` are all of them as they came, repeated ones included. The answer has to be to this very
    request (``state``) and, where it says so or has to say so, from this very issuer (RFC 9207). What the
    provider gives as its error becomes one of a fixed set; its own words go no further.
    """
    found = _once(parameters)
    state = found.get("state", "")
    if not flow.state or not same(state, flow.state):
        raise OidcRefused("oidc_state_invalid", "state", field="state")
    issuer = found.get("iss")
    if issuer is not None and issuer != settings.issuer:
        raise OidcRefused("oidc_issuer_mismatch", "iss", found=issuer, expected=settings.issuer, field="iss")
    if "error" in found:
        if "code" in found:
            raise OidcRefused("oidc_callback", "contradictory")
        error = _ALIKE.get(found["error"], found["error"])
        known = error in CHECKS["access_denied"]
        raise OidcRefused("access_denied", error if known else "other", found=found["error"], field="error")
    if issuer is None and settings.iss_parameter:
        raise OidcRefused(
            "oidc_issuer_mismatch", "iss_missing", found="none", expected=settings.issuer, field="iss"
        )
    code = found.get("code", "")
    if not code:
        raise OidcRefused("oidc_callback", "incomplete", field="code")
    if not (code.isascii() and code.isprintable()):
        raise OidcRefused("oidc_callback", "malformed", field="code")
    return code


def _once(parameters: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, text in parameters:
        if name in found:
            raise OidcRefused("oidc_callback", "repeated", found=name)
        if len(found) == MAX_PARAMETERS or len(name) > LONGEST_PARAMETER or len(text) > LONGEST_PARAMETER:
            raise OidcRefused("oidc_callback", "malformed", found=name)
        found[name] = text
    return found
