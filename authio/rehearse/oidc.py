"""The OpenID provider: discovery, authorization code flow with PKCE, userinfo, keys, sign-out."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from authio.clock import Clock
from authio.rehearse import switches
from authio.rehearse.client_auth import METHODS, is_client
from authio.rehearse.credentials import ALGORITHMS, Credentials
from authio.rehearse.id_token import write_id_token, write_userinfo
from authio.rehearse.jwt import SigningKey, b64
from authio.rehearse.people import Person, typed_in
from authio.rehearse.provider import Provider, Value, Waiting
from authio.rehearse.switches import Positions
from authio.rehearse.web import Answer, Asked, Bad, redirect, to_json

ELSEWHERE: Final = "https://elsewhere.example"
_CODE_LIVES: Final = timedelta(seconds=60)
_TOKEN_LIVES: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class _Request:
    """An authorization request that has been looked at."""

    redirect_uri: str
    state: str | None = field(repr=False)
    nonce: str = field(repr=False)
    challenge: str = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)
    """All of them, for the switches that may be among them."""


@dataclass(frozen=True)
class _Grant:
    """What a code stands for."""

    request: _Request
    person: Person
    positions: Positions


class OidcProvider(Provider):
    """The OpenID Connect half of the rehearsal."""

    protocol = "OpenID Connect"
    table = switches.OIDC
    open_to_other_sites = frozenset({"/authorize", "/token", "/userinfo"})

    def __init__(self, credentials: Credentials, *, url: str, clock: Clock) -> None:
        super().__init__(credentials, url=url, clock=clock)
        self._waiting: Waiting[_Request] = Waiting(clock)
        self._codes: Waiting[_Grant] = Waiting(clock, lives=_CODE_LIVES)
        self._tokens: Waiting[_Grant] = Waiting(clock, lives=_TOKEN_LIVES)

    def routes(self) -> Mapping[tuple[str, str], Callable[[Asked], Answer]]:
        return {
            ("GET", "/.well-known/openid-configuration"): self._discovery,
            ("GET", "/authorize"): lambda asked: self._authorize(asked.query),
            ("POST", "/authorize"): lambda asked: self._authorize(asked.form),
            ("POST", "/login"): self._login,
            ("POST", "/token"): self._token,
            ("GET", "/userinfo"): self._userinfo,
            ("POST", "/userinfo"): self._userinfo,
            ("GET", "/jwks"): self._jwks,
            ("GET", "/logout"): self._logout,
            ("POST", "/client-keys"): self._client_keys,
        }

    @property
    def issuer(self) -> str:
        """What the provider is called."""
        return self.url

    def values(self) -> Sequence[Value]:
        return (
            Value("issuer", "Issuer", self.issuer),
            Value("client_id", "Client ID", self.credentials.client_id),
            Value("client_secret", "Client secret", self.credentials.client_secret),
        )

    def renew(self, *, overlap: bool, lives: timedelta | None) -> None:
        self.credentials.rotate(overlap=overlap)

    def _discovery(self, asked: Asked) -> Answer:
        positions = self.positions(asked.query)
        methods = METHODS if positions["client_auth"] == "any" else (positions["client_auth"],)
        return to_json(
            {
                "issuer": f"{ELSEWHERE}/op" if positions["discovery_issuer"] == "wrong" else self.issuer,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/jwks",
                "end_session_endpoint": f"{self.url}/logout",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "scopes_supported": ["openid", "email", "profile", "groups"],
                "claims_supported": ["sub", "email", "email_verified", "given_name", "family_name", "groups"],
                "id_token_signing_alg_values_supported": list(ALGORITHMS),
                "token_endpoint_auth_methods_supported": list(methods),
                "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    def _jwks(self, _: Asked) -> Answer:
        return to_json({"keys": [key.jwk() for held in self.credentials.oidc.values() for key in held]})

    # -- in the browser -----------------------------------------------------------------------------

    def _authorize(self, given: Mapping[str, str]) -> Answer:
        positions = self.positions(given)
        redirect_uri = given.get("redirect_uri", "")
        if given.get("client_id") != self.credentials.client_id:
            raise Bad("There is no client with this client ID.")
        if positions["redirect_uri"] == "unregistered" or not _is_redirect_uri(redirect_uri):
            raise Bad("The redirect URI in this request is not registered for the client.")
        request = _Request(
            redirect_uri, given.get("state"), given.get("nonce", ""), given.get("code_challenge", ""), given
        )
        wrong = _wrong_with(given)
        if wrong:
            return self._back(request, positions, error=wrong)
        return self.sign_in_page(
            self._waiting.put(request),
            audience=redirect_uri,
            positions=positions,
            email=given.get("login_hint", ""),
        )

    def _login(self, asked: Asked) -> Answer:
        form = asked.form
        request = self._waiting.take(form.get("sign_in", ""))
        if request is None:
            raise Bad("This sign-in is over. Begin again where you came from.", 410)
        positions = self.positions(request.parameters, form)
        if form.get("cancel") or positions["user"] == "unassigned":
            return self._back(request, positions, error="access_denied")
        person = typed_in(form)
        code = self._codes.put(_Grant(request, person, positions))
        return self._back(request, positions, code=code, person=person.email)

    def _back(
        self, request: _Request, positions: Positions, *, code: str = "", error: str = "", person: str = ""
    ) -> Answer:
        parameters = {"code": code} if code else {"error": error, "error_description": "As rehearsed."}
        if request.state is not None:
            parameters["state"] = request.state
        if positions["callback_issuer"] != "none":
            wrong = positions["callback_issuer"] == "wrong"
            parameters["iss"] = f"{ELSEWHERE}/op" if wrong else self.issuer
        self.remember(
            "sent back with a code" if code else error, person, positions, redirect_uri=request.redirect_uri
        )
        address = urlsplit(request.redirect_uri)
        query = urlencode([*parse_qsl(address.query, keep_blank_values=True), *parameters.items()])
        return redirect(urlunsplit(address._replace(query=query)))

    def _logout(self, asked: Asked) -> Answer:
        given = asked.query
        target = given.get("post_logout_redirect_uri", "")
        if not target:
            return self.pages.show("notice", title="Signed out", sentence="You are signed out here.")
        if not _is_redirect_uri(target):
            raise Bad("The address to go to after signing out is not registered for the client.")
        state = f"{'&' if urlsplit(target).query else '?'}{urlencode({'state': given['state']})}"
        return redirect(target + (state if "state" in given else ""))

    # -- from server to server ----------------------------------------------------------------------

    def _token(self, asked: Asked) -> Answer:
        form = asked.form
        held = self._codes.look(form.get("code", ""))
        positions = self.switches.read() if held is None else held.positions
        if positions["client"] == "refused" or not is_client(
            asked.headers.get("authorization", ""),
            form,
            self.credentials,
            method=positions["client_auth"],
            audiences=(self.issuer, f"{self.url}/token"),
            now=self.clock.now(),
        ):
            return self._refused("invalid_client", 401)
        if form.get("grant_type") != "authorization_code":
            return self._refused("unsupported_grant_type", 400)
        grant = self._codes.take(form.get("code", ""))
        if grant is None or not _is_redeemed_rightly(grant.request, form):
            return self._refused("invalid_grant", 400)
        access_token = self._tokens.put(grant)
        id_token = write_id_token(
            grant.person,
            grant.positions,
            issuer=self.issuer,
            credentials=self.credentials,
            stranger=lambda: self._stranger,
            nonce=grant.request.nonce,
            access_token=access_token,
            now=self.clock.now(),
        )
        self.remember("code redeemed", grant.person.email, grant.positions)
        return to_json(
            {
                "token_type": "Bearer",
                "access_token": access_token,
                "expires_in": int(_TOKEN_LIVES.total_seconds()),
                "id_token": id_token,
            }
        )

    def _refused(self, error: str, status: int) -> Answer:
        self.remember(f"code refused: {error}", "", self.switches.read())
        return to_json({"error": error}, status)

    def _userinfo(self, asked: Asked) -> Answer:
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        grant = self._tokens.look(token) if scheme.lower() == "bearer" else None
        if grant is None:
            return to_json({"error": "invalid_token"}, 401)
        return to_json(write_userinfo(grant.person, grant.positions))

    def _client_keys(self, asked: Asked) -> Answer:
        keys: Any = asked.json.get("keys")
        if not isinstance(keys, list) or not all(isinstance(key, dict) and "d" not in key for key in keys):
            raise Bad("The body is not a set of public keys.", 422)
        self.credentials.client_keys = keys
        self.credentials.save()
        return to_json({"keys": len(keys)})

    @cached_property
    def _stranger(self) -> SigningKey:
        """A key that has never been published."""
        return SigningKey.fresh("RS256", kid="nobody-knows-me")


def _is_redirect_uri(text: str) -> bool:
    try:
        address = urlsplit(text)
        return address.scheme in ("http", "https") and bool(address.hostname) and not address.fragment
    except ValueError:
        return False


def _wrong_with(given: Mapping[str, str]) -> str:
    """The error that an authorization request is answered with; empty if it is fine."""
    if given.get("response_type") != "code":
        return "unsupported_response_type"
    if "openid" not in given.get("scope", "").split():
        return "invalid_scope"
    if not given.get("code_challenge") or given.get("code_challenge_method") != "S256":
        return "invalid_request"
    return "login_required" if given.get("prompt") == "none" else ""


def _is_redeemed_rightly(request: _Request, form: Mapping[str, str]) -> bool:
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    same_verifier = hmac.compare_digest(b64(digest).encode(), request.challenge.encode())
    return same_verifier and form.get("redirect_uri") == request.redirect_uri
