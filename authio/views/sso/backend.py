"""What a product's backend asks for: the profile behind a code, the same again, and the keys of ID tokens."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import AuthioError, MethodNotAllowed, NotFound, Unauthorized
from authio.protocols.key_pairs import new_key_pair
from authio.services import Services
from authio.services.grants import TOKEN_LIVES, TOKEN_PREFIX, Granted
from authio.services.redirect_uris import Client
from authio.views.api.bodies import read_body
from authio.views.api.operations import idempotency_key, to_bytes
from authio.wire.oauth import TokenRefused, token_error_out, token_out

_FORM = "application/x-www-form-urlencoded"
_LARGEST_FORM = 64 * 1024
_READ = ("grant_type", "client_id", "client_secret", "code", "code_verifier", "redirect_uri")


@dataclass(frozen=True)
class _Asked:
    """A request for a token, read strictly: texts, each once."""

    grant_type: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    code_verifier: str = field(default="", repr=False)
    redirect_uri: str = ""


@view_config(route_name="api.sso.token", request_method="POST")
@view_config(route_name="api.sso.token.v1", request_method="POST")
def exchange_code(request: Request) -> Response:
    """The profile of whoever signed in, and an access token, for a code. Once."""
    try:
        asked = _asked(request)
        if asked.grant_type != "authorization_code":
            raise TokenRefused("unsupported_grant_type" if asked.grant_type else "invalid_request")
        client, is_proved = _client(request, asked)
        if not asked.code:
            raise TokenRefused("invalid_request")
        with request.begin(write=True) as services:
            # What a key was claimed for is the project's to say: whoever only names the client claims none.
            repeat = idempotency_key(request) if is_proved else None
            return _exchanged(services, client, asked, request_id=request.id, repeat=repeat)
    except TokenRefused as refused:
        return _json(400, to_bytes(token_error_out(refused.error, request.id)))


@view_config(route_name="api.sso.profile", request_method="GET")
@view_config(route_name="api.sso.profile.v1", request_method="GET")
def show_profile(request: Request) -> Response:
    """The profile that the access token stands for."""
    with request.begin(write=False) as services:
        found = (services.grants.profile_of(token) for token in _access_tokens(request))
        profile = next((profile for profile in found if profile is not None), None)
    if profile is not None:
        return _json(200, to_bytes(dict(profile)))
    body = {
        "error": "Unauthorized",
        "message": "The access token is missing, unknown, expired or revoked.",
        "request_id": request.id,
    }
    response = _json(401, to_bytes(body))
    response.headers["WWW-Authenticate"] = 'Bearer realm="authio", error="invalid_token"'
    return response


@view_config(route_name="api.sso.jwks", request_method="GET")
@view_config(route_name="api.sso.jwks.v1", request_method="GET")
def show_key_set(request: Request) -> Response:
    """The public keys that a project's ID tokens are signed with."""
    request.registry.runtime.limiter.hit("sso", request.remote_addr)
    with request.begin(write=False) as services:
        client = services.redirect_uris.client(request.matchdict["client_id"])
        if client is None:
            raise NotFound("project_not_found")
        keys = services.signing_keys.key_set(client.project_id)
    if not keys:
        # A product reads the keys before the first sign-in, and may keep what it read.
        spare = new_key_pair(client.project_id, now=request.registry.runtime.parts.clock.now())
        with request.begin(write=True) as services:
            services.signing_keys.ensure(client.project_id, spare=spare)
            keys = services.signing_keys.key_set(client.project_id)
    response = _json(200, to_bytes({"keys": keys}))
    response.cache_control = "public, max-age=300"
    return response


@view_config(route_name="api.sso.token")
@view_config(route_name="api.sso.token.v1")
def refuse_token_method(request: Request) -> Response:
    """Codes never travel in addresses."""
    raise MethodNotAllowed("method_not_allowed", headers={"Allow": "POST"})


@view_config(route_name="api.sso.profile")
@view_config(route_name="api.sso.profile.v1")
@view_config(route_name="api.sso.jwks")
@view_config(route_name="api.sso.jwks.v1")
def refuse_method(request: Request) -> Response:
    """These are read."""
    raise MethodNotAllowed("method_not_allowed", headers={"Allow": "GET, HEAD"})


def _asked(request: Request) -> _Asked:
    given = _form(request) if request.content_type.lower() == _FORM else _body(request)
    values = {name: given[name] for name in _READ if given.get(name) is not None}
    if not all(isinstance(value, str) for value in values.values()):
        raise TokenRefused("invalid_request")
    return _Asked(**(_basic(request) | values))


def _form(request: Request) -> Mapping[str, Any]:
    raw = request.body_file.read(_LARGEST_FORM + 1)
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=64)
    except ValueError:
        raise TokenRefused("invalid_request") from None
    found = dict(pairs)
    if len(raw) > _LARGEST_FORM or any(
        [name for name, _ in pairs].count(name) > 1 for name in _READ if name in found
    ):
        raise TokenRefused("invalid_request")
    return found


def _body(request: Request) -> Mapping[str, Any]:
    try:
        return read_body(request)
    except AuthioError:
        raise TokenRefused("invalid_request") from None


def _basic(request: Request) -> dict[str, str]:
    """The client's id and secret from the Authorization header, where they are there (RFC 6749, 2.3.1)."""
    scheme, _, encoded = request.environ.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        name, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("ascii").partition(":")
    except ValueError:
        raise TokenRefused("invalid_client") from None
    if not colon:
        raise TokenRefused("invalid_client")
    return {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret)}


def _client(request: Request, asked: _Asked) -> tuple[Client, bool]:
    """The client that asks, and whether its API key has proved that; without one PKCE has to do."""
    limiter = request.registry.runtime.limiter
    with request.begin(write=False) as services:
        client = services.redirect_uris.client(asked.client_id)
        key = None
        if asked.client_secret:
            try:
                key = services.projects.key_of(asked.client_secret)
            except Unauthorized:
                client = None
        if client is None or (key is not None and key.project_id != client.project_id):
            limiter.hit("sso", request.remote_addr)
            raise TokenRefused("invalid_client")
        if key is None and not asked.code_verifier:
            raise TokenRefused("invalid_client")
    limiter.hit(*(("sso", request.remote_addr) if key is None else ("api", key.id)))
    return client, key is not None


def _exchanged(
    services: Services, client: Client, asked: _Asked, *, request_id: str, repeat: str | None
) -> Response:
    """The answer, which a request that comes again under the Idempotency-Key *repeat* gets, for a while."""
    store = services.idempotency
    if repeat is not None:
        wanted = json.dumps(["exchange_code", asked.code, asked.code_verifier, asked.redirect_uri])
        given = store.claim(client.project_id, repeat, hashlib.sha256(wanted.encode()).digest())
        if given is not None:
            return _json(given.status, given.body)
    granted = services.grants.spend(
        asked.code,
        project_id=client.project_id,
        verifier=asked.code_verifier or None,
        redirect_uri=asked.redirect_uri or None,
    )
    if granted is None:
        # Returned, not raised: the code is spent by this, too.
        status, body = 400, to_bytes(token_error_out("invalid_grant", request_id))
    else:
        status, body = 200, to_bytes(_granted(services, client, granted, asked))
    if repeat is not None:
        store.finish(
            client.project_id, repeat, status=status, body=body, once=frozenset({"access_token", "id_token"})
        )
    return _json(status, body)


def _granted(services: Services, client: Client, granted: Granted, asked: _Asked) -> dict[str, Any]:
    token = services.grants.new_token(granted, code=asked.code, project_id=client.project_id)
    lives = int(TOKEN_LIVES.total_seconds())
    answer = token_out(token, expires_in=lives, profile=granted.profile)
    if granted.nonce is not None:
        answer["id_token"] = services.signing_keys.id_token(
            client.project_id, client_id=client.client_id, profile=granted.profile, nonce=granted.nonce
        )
    return answer


def _access_tokens(request: Request) -> list[str]:
    """Every access token that the request carries, the last one first.

    One client library adds its own header to the one it was given, and a server joins the two with a comma.
    """
    values = request.environ.get("HTTP_AUTHORIZATION", "").split(",")
    found = [value.strip().partition(" ")[::2] for value in reversed(values)]
    return [
        token.strip()
        for scheme, token in found
        if scheme.lower() == "bearer" and token.strip().startswith(TOKEN_PREFIX)
    ][:2]


def _json(status: int, body: bytes) -> Response:
    response = Response(body, status=status, content_type="application/json", charset=None)
    response.headers["Pragma"] = "no-cache"
    return response
