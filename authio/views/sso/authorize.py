"""Where sign-ins begin: the product's redirect to us, and the plain link that leads to one connection."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyramid.httpexceptions import HTTPFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import BadRequest, MethodNotAllowed, NotFound
from authio.ids import with_ulid
from authio.services import Services
from authio.services.leaving import Wanted
from authio.services.redirect_uris import Client
from authio.services.targets import Target
from authio.views.sso.departures import depart
from authio.wire.fields import has_forbidden_characters
from authio.wire.oauth import AuthorizeRefused, error_back

LONGEST_STATE = 1024
"""Bytes of the product's own that are carried to it unchanged."""
_LONGEST_HINT = 320
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SELECTORS: Mapping[str, str] = {
    "connection": "connection",
    "connection_id": "connection",
    "organization": "organization",
    "organization_id": "organization",
    "provider": "provider",
}
"""Each selector by the names that client libraries give it."""
# Lists, in as many spellings as there are libraries. Nothing is read from them, so they may be repeated.
_NOT_READ = ("provider_scopes", "provider_query_params")


@view_config(route_name="sso.authorize", request_method="GET")
@view_config(route_name="sso.authorize.v1", request_method="GET")
def authorize(request: Request) -> Response:
    """Off to the identity provider, or back to the product with an error. Before all: whose product it is."""
    request.registry.runtime.limiter.hit("sso", request.remote_addr)
    given = _Given(request)
    with request.begin(write=False) as services:
        client = _client(services, given)
        try:
            wanted = _wanted(given, client)
            target = _target(services, client, given)
        except AuthorizeRefused as refused:
            return HTTPFound(error_back(given.one("redirect_uri"), refused.error, state=given.state))
    return depart(request, target, wanted)


@view_config(route_name="sso.start", request_method="GET")
def start(request: Request) -> Response:
    """ "Sign in with your company": a link without parameters, which ends at the project's default URI."""
    request.registry.runtime.limiter.hit("sso", request.remote_addr)
    connection_id = with_ulid("connection", request.matchdict["ulid"])
    given = _Given(request)
    with request.begin(write=False) as services:
        row = services.connections.any_by_id(connection_id) if connection_id else None
        if row is None:
            raise NotFound("connection_not_found")
        client = services.redirect_uris.client_of(row.project_id)
        if client is None or client.default_uri is None:
            raise BadRequest("redirect_uri_mismatch")
        try:
            target = services.targets.by_connection(row.project_id, row.id)
        except AuthorizeRefused as refused:
            return HTTPFound(error_back(client.default_uri, refused.error, state=None))
    hint = given.hint("login_hint")
    return depart(request, target, Wanted(redirect_uri=client.default_uri, login_hint=hint))


@view_config(route_name="sso.authorize")
@view_config(route_name="sso.authorize.v1")
@view_config(route_name="sso.start")
def refuse_method(request: Request) -> Response:
    """Sign-ins begin by following a link."""
    raise MethodNotAllowed("method_not_allowed", headers={"Allow": "GET, HEAD"})


class _Given:
    """The query string: every parameter once, or it counts as wrong."""

    def __init__(self, request: Request) -> None:
        self._all = request.GET

    def one(self, name: str) -> str:
        """The value of *name*, empty where there is none; BadRequest if there are several."""
        values = self._all.getall(name)
        if len(values) > 1:
            raise BadRequest("bad_request")
        return values[0] if values else ""

    @property
    def state(self) -> str | None:
        """What the product gets back unchanged, if it gave something."""
        return self.one("state") if "state" in self._all else None

    def hint(self, name: str) -> str | None:
        """A hint for the provider; one that no provider could mean is left out."""
        value = self.one(name).strip()
        return value if 0 < len(value) <= _LONGEST_HINT and not has_forbidden_characters(value) else None

    def selectors(self) -> set[tuple[str, str]]:
        """What selects the connection: the same thing said under two names is said once."""
        return {(kind, value) for name, kind in _SELECTORS.items() if (value := self.one(name))}

    def is_tidy(self) -> bool:
        """Whether nothing that could be read is there twice."""
        names = [name for name in self._all if not name.startswith(_NOT_READ)]
        return len(names) == len(set(names))


def _client(services: Services, given: _Given) -> Client:
    """Whose product sends the browser, and the registered address to come back to. Else there is no back."""
    client = services.redirect_uris.client(given.one("client_id"))
    if client is None:
        raise BadRequest("client_unknown")
    if not client.takes(given.one("redirect_uri")):
        raise BadRequest("redirect_uri_mismatch")
    if len((given.state or "").encode()) > LONGEST_STATE:
        raise BadRequest("state_too_long")
    return client


def _wanted(given: _Given, client: Client) -> Wanted:
    if not given.is_tidy():
        raise AuthorizeRefused("invalid_request")
    if given.one("response_type") != "code":
        raise AuthorizeRefused(
            "unsupported_response_type" if given.one("response_type") else "invalid_request"
        )
    challenge, prompt, nonce = given.one("code_challenge"), given.one("prompt"), given.one("nonce")
    method = given.one("code_challenge_method")
    # Without a method it would be `plain`, which proves nothing to whoever has seen the address.
    if (challenge or method) and (method != "S256" or not _CHALLENGE.fullmatch(challenge)):
        raise AuthorizeRefused("invalid_request")
    # A NUL is text that no database keeps.
    if (
        "\0" in (given.state or "")
        or prompt not in {"", "login"}
        or len(nonce) > LONGEST_STATE
        or has_forbidden_characters(nonce)
    ):
        raise AuthorizeRefused("invalid_request")
    return Wanted(
        redirect_uri=given.one("redirect_uri"),
        state=given.state,
        nonce=nonce or None,
        code_challenge=challenge or None,
        login_hint=given.hint("login_hint"),
        domain_hint=given.hint("domain_hint"),
        force=prompt == "login",
    )


def _target(services: Services, client: Client, given: _Given) -> Target:
    """The connection that exactly one selector names; without any, the one of the login hint's domain."""
    if given.one("domain"):
        raise AuthorizeRefused("domain_connection_selector_not_allowed")
    selectors, targets = given.selectors(), services.targets
    if len(selectors) > 1 or any(has_forbidden_characters(value) for _, value in selectors):
        raise AuthorizeRefused("invalid_connection_selector")
    if not selectors:
        return targets.by_address(client.project_id, given.hint("login_hint") or "")
    by = {
        "connection": targets.by_connection,
        "organization": targets.by_organization,
        "provider": targets.by_type,
    }
    kind, value = selectors.pop()
    return by[kind](client.project_id, value)
