"""An OpenID provider on the loopback address: real keys, real HTTP, and a switch for each mistake.

It is strict where a good provider is: redirect URI, PKCE, client authentication, codes used once. What it
says can be bent: discovery, keys, the ID token's header and claims, userinfo, errors at every step.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

import joserfc.jwk
import joserfc.jwt

from tests.support.oidc_keys import SigningKey, half_hash, signing_key

PERSON: Mapping[str, Any] = {
    "sub": "00u1abcd",
    "email": "ada@acme.example",
    "email_verified": True,
    "given_name": "Ada",
    "family_name": "Lovelace",
    "groups": ["Engineering", "Analysts"],
}


@dataclass
class Bent:
    """What the provider does wrong: nothing, unless a test says so. ``None`` in a mapping leaves it out."""

    discovery: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    callback: dict[str, str | None] = field(default_factory=dict)
    token_reply: dict[str, Any] = field(default_factory=dict)
    denies: str = ""
    """The error that the authorization endpoint answers with."""
    token_error: str = ""
    """The error that the token endpoint answers with, whatever it was asked."""
    statuses: dict[str, int] = field(default_factory=dict)
    """Path to a status that is answered there, with a page of HTML."""
    id_token: Callable[[dict[str, Any]], str] | None = None
    """Makes the whole token from the claims that would have been right."""
    signs_with: SigningKey | None = None
    """A key that is not published."""


@dataclass
class Client:
    """Who may ask for tokens, and how."""

    client_id: str = "client-1"
    secret: str = "s3cr:t/with+odd ~characters%"
    method: str = "client_secret_basic"
    public_jwk: dict[str, Any] | None = None
    redirect_uris: tuple[str, ...] = ("https://authio.example/sso/oidc/01J0/callback",)


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    form: Mapping[str, list[str]]
    authorization: str


class OidcProvider:
    """Listens from construction until :meth:`close`."""

    def __init__(
        self,
        *,
        keys: tuple[SigningKey, ...] = (),
        client: Client | None = None,
        person: Mapping[str, Any] = PERSON,
        thin: bool = False,
        port: int = 0,
    ) -> None:
        """A *port* of 0 is any that is free."""
        self.keys = list(keys or (signing_key("ES256", kid="es-1"),))
        """The first one signs; all are published."""
        self.client = client or Client()
        self.person = dict(person)
        self.thin = thin
        """Whether only userinfo, and not the ID token, tells more of a person than ``sub``."""
        self.bent = Bent()
        self.asked: list[Asked] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._access_tokens: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def __enter__(self) -> OidcProvider:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def authority(self) -> str:
        """``host:port``, as `authio.outbound_allow` wants it."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def issuer(self) -> str:
        """What its documents and tokens name, unless bent."""
        return f"http://{self.authority}"

    def times_asked(self, path: str) -> int:
        """How often *path* was requested."""
        return sum(asked.path == path for asked in self.asked)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def discovery(self) -> dict[str, Any]:
        """The discovery document, bent as it may be."""
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "scopes_supported": ["openid", "profile", "email"],
            "id_token_signing_alg_values_supported": sorted({key.algorithm for key in self.keys}),
            "token_endpoint_auth_methods_supported": [self.client.method],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return _bend(document, self.bent.discovery)

    def authorize(self, asked: Asked) -> tuple[int, str]:
        """Where the browser is sent next; a status other than 302 is a page that leads nowhere."""
        query = {name: values[0] for name, values in asked.query.items()}
        good = (
            all(len(values) == 1 for values in asked.query.values())
            and query.get("client_id") == self.client.client_id
            and query.get("redirect_uri") in self.client.redirect_uris
            and query.get("response_type") == "code"
            and query.get("code_challenge_method") == "S256"
            and "openid" in query.get("scope", "").split()
        )
        if not good:
            return 400, ""
        code = secrets.token_urlsafe(24)
        self._codes[code] = query
        answer: dict[str, Any] = {"state": query.get("state"), "iss": self.issuer}
        answer |= {"error": self.bent.denies} if self.bent.denies else {"code": code}
        return 302, f"{query['redirect_uri']}?{urlencode(_bend(answer, self.bent.callback))}"

    def token(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        """Status and body of the token endpoint."""
        form = {name: values[0] for name, values in asked.form.items()}
        if self.bent.token_error:
            return 400, {"error": self.bent.token_error, "error_description": "<b>its own words</b>"}
        if asked.query or not self._is_client(asked, form):
            return 401, {"error": "invalid_client"}
        begun = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            begun is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != begun["redirect_uri"]
            or challenge != begun["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        access_token = secrets.token_urlsafe(32)
        self._access_tokens.add(access_token)
        reply = {
            "token_type": "Bearer",
            "expires_in": 3600,
            "access_token": access_token,
            "id_token": self.id_token(nonce=begun.get("nonce", ""), access_token=access_token),
        }
        return 200, _bend(reply, self.bent.token_reply)

    def id_token(self, *, nonce: str, access_token: str) -> str:
        """A token for the person, bent as it may be."""
        now = int(time.time())
        key = self.bent.signs_with or self.keys[0]
        claims = {
            "iss": self.issuer,
            "aud": self.client.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "at_hash": half_hash(access_token, 512 if key.algorithm[:2] == "Ed" else int(key.algorithm[2:])),
            **({"sub": self.person["sub"]} if self.thin else self.person),
        }
        claims = _bend(claims, self.bent.claims)
        return self.bent.id_token(claims) if self.bent.id_token else key.token(claims, **self.bent.header)

    def userinfo(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        """Status and body of the userinfo endpoint."""
        if asked.authorization.removeprefix("Bearer ") not in self._access_tokens:
            return 401, {"error": "invalid_token"}
        return 200, _bend(self.person, self.bent.userinfo)

    def _is_client(self, asked: Asked, form: Mapping[str, str]) -> bool:
        client, scheme, _ = self.client, *asked.authorization.partition(" ")[::2]
        if client.method == "client_secret_basic":
            pair = base64.b64decode(asked.authorization.partition(" ")[2]).decode()
            name, _, secret = pair.partition(":")
            found = (unquote_plus(name), unquote_plus(secret))
            return (
                scheme == "Basic"
                and found == (client.client_id, client.secret)
                and "client_secret" not in form
            )
        if asked.authorization or form.get("client_id") != client.client_id:
            return False
        if client.method == "client_secret_post":
            return form.get("client_secret") == client.secret
        key = joserfc.jwk.import_key(client.public_jwk or {})
        token = joserfc.jwt.decode(form["client_assertion"], key, algorithms=["RS256", "ES256"])
        claims, now = token.claims, time.time()
        return (
            claims["iss"] == claims["sub"] == client.client_id
            and claims["aud"] == f"{self.issuer}/token"
            and now - 5 < claims["exp"] < now + 120
            and len(claims["jti"]) > 20
        )

    def _answer(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(asked)
        if asked.path in self.bent.statuses:
            status = self.bent.statuses[asked.path]
            return status, {"Content-Type": "text/html", "Location": self.issuer}, b"<html>sorry</html>"
        if asked.path == "/authorize":
            status, location = self.authorize(asked)
            return status, {"Location": location} if location else {}, b""
        body: Mapping[str, Any]
        match asked.path, asked.method:
            case "/.well-known/openid-configuration", "GET":
                status, body = 200, self.discovery()
            case "/keys", "GET":
                status, body = 200, {"keys": [key.jwk() for key in self.keys]}
            case "/token", "POST":
                status, body = self.token(asked)
            case "/userinfo", "GET":
                status, body = self.userinfo(asked)
            case _:
                status, body = 404, {}
        return status, {"Content-Type": "application/json"}, json.dumps(body).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._reply(b"")

            def do_POST(self) -> None:
                self._reply(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

            def _reply(self, body: bytes) -> None:
                address = urlsplit(self.path)
                asked = Asked(
                    method=self.command,
                    path=address.path,
                    query=parse_qs(address.query, keep_blank_values=True),
                    form=parse_qs(body.decode("ascii"), keep_blank_values=True),
                    authorization=self.headers.get("Authorization", ""),
                )
                status, headers, content = provider._answer(asked)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Silence: a log would hold codes and secrets."""

        return Handler


def returned(location: str) -> list[tuple[str, str]]:
    """The parameters that a redirect to a redirect URI carries."""
    return parse_qsl(urlsplit(location).query, keep_blank_values=True)


def _bend(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**document, **changes}.items() if value is not None}
