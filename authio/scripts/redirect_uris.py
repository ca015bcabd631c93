"""Commands about a project's redirect URIs."""

from __future__ import annotations

import argparse

from authio.scripts.projects import print_all, print_one, services_of
from authio.services.pages import Cursor
from authio.services.redirect_uris import MOST
from authio.wire.redirect_uri import redirect_uri_out


def add(arguments: argparse.Namespace) -> None:
    """Register an address that people may be sent back to."""
    with services_of(arguments) as services:
        project = services.projects.get(arguments.project)
        row = services.redirect_uris.add(project.id, arguments.uri, is_default=arguments.default)
    print_one(arguments, redirect_uri_out(row))


def list_all(arguments: argparse.Namespace) -> None:
    """Print every registered address."""
    with services_of(arguments, write=False) as services:
        project = services.projects.get(arguments.project)
        rows = services.redirect_uris.page(project.id, Cursor(limit=MOST, order="asc")).rows
    print_all(
        arguments, [{name: redirect_uri_out(row)[name] for name in ("id", "uri", "default")} for row in rows]
    )


def remove(arguments: argparse.Namespace) -> None:
    """Send nobody there any more."""
    with services_of(arguments) as services:
        services.redirect_uris.remove_uri(services.projects.get(arguments.project).id, arguments.uri)
    print_one(arguments, {"uri": arguments.uri, "removed": True})
