"""Commands about projects and their API keys."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager

from authio.app import Runtime
from authio.clock import wire_time
from authio.scripts import ini
from authio.services import Services
from authio.services.actor import Actor, ActorType


@contextmanager
def services_of(arguments: argparse.Namespace, *, write: bool = True) -> Iterator[Services]:
    """Services over one transaction of the installation that the command names."""
    runtime = Runtime(ini.load(arguments.ini))
    try:
        with runtime.begin(write=write, actor=Actor(ActorType.OPERATOR, name="command line")) as services:
            yield services
    finally:
        runtime.close()


def create(arguments: argparse.Namespace) -> None:
    """Make a project with its first API key, and print what the vendor's backend needs."""
    with services_of(arguments) as services:
        project = services.projects.create(arguments.name)
        _, key = services.projects.add_key(project.id)
    print_one(arguments, {"project_id": project.id, "client_id": project.client_id, "api_key": key})


def list_projects(arguments: argparse.Namespace) -> None:
    """Print every project."""
    with services_of(arguments, write=False) as services:
        rows = services.projects.all()
    print_all(
        arguments, [{"project_id": row.id, "client_id": row.client_id, "name": row.name} for row in rows]
    )


def create_key(arguments: argparse.Namespace) -> None:
    """Make another API key for a project, and print it this once."""
    with services_of(arguments) as services:
        project = services.projects.get(arguments.project)
        row, key = services.projects.add_key(project.id, name=arguments.name)
    print_one(arguments, {"id": row.id, "api_key": key})


def list_keys(arguments: argparse.Namespace) -> None:
    """Print a project's API keys, by their last four characters."""
    with services_of(arguments, write=False) as services:
        rows = services.projects.keys(services.projects.get(arguments.project).id)
    print_all(
        arguments,
        [
            {
                "id": row.id,
                "name": row.name,
                "ending": row.ending,
                "created_at": wire_time(row.created_at),
                "last_used_at": row.last_used_at and wire_time(row.last_used_at),
                "revoked_at": row.revoked_at and wire_time(row.revoked_at),
            }
            for row in rows
        ],
    )


def revoke_key(arguments: argparse.Namespace) -> None:
    """Make an API key worthless at once."""
    with services_of(arguments) as services:
        services.projects.revoke_key(services.projects.get(arguments.project).id, arguments.key)
    print_one(arguments, {"id": arguments.key, "revoked": True})


def print_one(arguments: argparse.Namespace, values: dict[str, object]) -> None:
    """Print one thing, for people or as JSON."""
    if arguments.json:
        print(json.dumps(values))
    else:
        width = max(map(len, values))
        for name, value in values.items():
            print(f"{name:<{width}}  {'' if value is None else value}")


def print_all(arguments: argparse.Namespace, rows: list[dict[str, object]]) -> None:
    """Print several alike, a line each or as JSON."""
    if arguments.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            print("  ".join("-" if value in {None, ""} else str(value) for value in row.values()))
