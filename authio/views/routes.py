"""Every URL on one page. The management API's are in :mod:`authio.wire.operations`, with their shapes."""

from __future__ import annotations

from pyramid.config import Configurator
from pyramid.static import QueryStringConstantCacheBuster

from authio.views.portal.assets import static_version
from authio.wire.operations import OPERATIONS


def includeme(config: Configurator) -> None:
    """Name every address. None of them redirects: an API call that is redirected turns into another one."""
    _api(config)
    _sso(config)
    _portal(config)
    config.add_route("health", "/health")


def _api(config: Configurator) -> None:
    """The management API: at the root of the host, and under ``/v1``."""
    for path in dict.fromkeys(path for operation in OPERATIONS.values() for path in operation.paths):
        # An external_id is the vendor's own, and may hold a slash.
        config.add_route(api_route(path), path.replace("{external_id}", "{external_id:.+}"))
    config.add_route("api.openapi", "/v1/openapi.json")


def api_route(path: str) -> str:
    """The name of the route at *path*, a path of the operations table."""
    return f"api.{path}"


def _sso(config: Configurator) -> None:
    """The addresses that identity providers are given, those that browsers are sent to, and what follows."""
    config.add_route("sso.saml.metadata", "/sso/saml/{ulid}/metadata")
    config.add_route("sso.saml.acs", "/sso/saml/{ulid}/acs")
    config.add_route("sso.oidc.callback", "/sso/oidc/{ulid}/callback")
    config.add_route("sso.start", "/sso/{ulid}/start")
    for prefix, name in (("", ""), ("/v1", ".v1")):
        config.add_route(f"sso.authorize{name}", f"{prefix}/sso/authorize")
        config.add_route(f"api.sso.token{name}", f"{prefix}/sso/token")
        config.add_route(f"api.sso.profile{name}", f"{prefix}/sso/profile")
        config.add_route(f"api.sso.jwks{name}", f"{prefix}/sso/jwks/{{client_id}}")


def _portal(config: Configurator) -> None:
    """The pages an IT admin sees, and what they are made of."""
    # Before the static files, whose address it shares: those are ours, these come out of providers' packages.
    config.add_route("portal.asset", "/static/providers/{provider}/{path:.+}")
    config.add_static_view("static", "authio:static", cache_max_age=365 * 24 * 3600)
    config.add_cache_buster("authio:static", QueryStringConstantCacheBuster(static_version()))
    config.add_route("portal.providers", "/setup/providers")
    config.add_route("portal.connect", "/setup/connect")
    config.add_route("portal.review", "/setup/review")
    config.add_route("portal.save", "/setup/save")
    config.add_route("portal.done", "/setup/done")
    config.add_route("portal.request", "/setup/request")
    config.add_route("portal.begin_test", "/setup/test")
    config.add_route("portal.test", "/setup/test/{attempt}")
    config.add_route("portal.attributes", "/setup/attributes")
    config.add_route("portal.connection", "/setup/connection")
    config.add_route("portal.edit", "/setup/connection/edit")
    config.add_route("portal.renew", "/setup/connection/renew")
    config.add_route("portal.discard", "/setup/connection/discard")
    config.add_route("portal.return", "/setup/connection/return")
    config.add_route("portal.reset", "/setup/connection/reset")
    config.add_route("portal.options", "/setup/connection/options")
    config.add_route("portal.sign_in", "/setup/connection/sign-ins/{attempt}")
    # Last: a token looks like none of the above.
    config.add_route("portal.enter", "/setup/{token}")
