"""The three hooks. An implementation names only the arguments it needs, so a hook can gain more later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pluggy

from authio.plugin.contract import Connector, Fetch, Finding, Provider, Settings

PROJECT = "authio"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def authio_providers() -> Iterable[Provider]:
    """Give the providers that this distribution adds.

    Called once for each distribution, at the start of every process that knows providers: web, worker
    and command line. No transaction is open and no request exists. An exception, or anything but an
    iterable of :class:`Provider`, stops the start with a message that names the distribution. ::

        @hookimpl
        def authio_providers():
            return [PROVIDER]
    """
    raise NotImplementedError


@hookspec
def authio_inspect(
    organization: str | None, connector: Connector, settings: Settings, fetch: Fetch
) -> Iterable[Finding]:
    """Give more findings about settings that are about to be saved or tested, of any provider.

    Called on every save and every test, in the web process and by ``authio inspect``, after the
    connector's own inspection and before anything is written; never inside a write transaction, so
    *fetch* may be used. ``organization`` is the organization's id, or ``None`` when there is none.
    An exception becomes the finding ``provider_failed`` and a log line that names the distribution:
    the save stops, nothing else does. ::

        @hookimpl
        def authio_inspect(connector, settings):
            if connector.protocol == "saml" and "test" in settings.idp_entity_id:
                yield Finding.warning("looks_like_a_test", "Is this your test system?")
    """
    raise NotImplementedError


@hookspec
def authio_configure(config: Any) -> None:
    """Take part in composing the web application.

    Called once in each web process, after every part of the core has been included and before the
    application is made; not by the worker or the command line. ``config`` is a Pyramid
    ``Configurator``; views may be added under ``/providers/<key>/``. Return nothing. An exception
    stops the start. ::

        @hookimpl
        def authio_configure(config):
            config.add_route("acme", "/providers/acme/help")
            config.add_view(help_page, route_name="acme")
    """
