"""The faces of authio: the only place that knows Pyramid's requests."""

from __future__ import annotations

from pyramid.config import Configurator


def includeme(config: Configurator) -> None:
    """Put the faces together. Order matters only where a line says so."""
    config.include("authio.views.requests")
    config.include("authio.views.transactions")
    config.include("authio.views.security")
    config.include("authio.views.routes")
    config.include("authio.views.api.operations")
    config.include("authio.views.errors")
    config.scan("authio.views")
