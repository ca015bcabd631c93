"""What can be typed or called is in docs/: every address and every command."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from tests.architecture import tree

if TYPE_CHECKING:
    from authio.app import Runtime

# Addresses of files and of pages that only other pages lead to. A link's own address is documented.
NOT_FOR_DOCS = ("/static/", "/setup/")


@cache
def prose() -> str:
    return "\n".join(
        text for path, text in tree.texts().items() if path.startswith("docs/") or path == "README.md"
    )


def shape(pattern: str) -> str:
    """An address without the names of its variable parts, and without the prefix it may have."""
    return re.sub(r"\{[^}]*\}", "{}", pattern).removeprefix("/v1").rstrip("/") or "/"


def test_every_address_is_documented(runtime: Runtime) -> None:
    from pyramid.interfaces import IRoutesMapper

    routes = runtime.wsgi().registry.queryUtility(IRoutesMapper).get_routes()
    described = {shape(path) for path in json.loads(tree.texts()["docs/openapi.json"])["paths"]}
    described |= {shape(path) for path in re.findall(r"`(?:[A-Z]+ )?(?:\{base_url\})?(/[^\s`?]*)", prose())}
    patterns = {"/" + route.pattern.lstrip("/") for route in routes}
    missing = {one for one in patterns if not one.startswith(NOT_FOR_DOCS) and shape(one) not in described}
    assert len(routes) > 10
    assert not missing


def test_every_command_is_documented() -> None:
    from authio.scripts.cli import _parser

    commands = set(_commands(_parser(), "authio"))
    assert "authio serve" in commands
    said = re.sub(r"(authio [a-z-]+) ((?:[a-z-]+\|)+[a-z-]+)", _spelt_out, prose())
    assert not {command for command in commands if command not in said}


def _spelt_out(match: re.Match[str]) -> str:
    """``authio api-key create|list`` as its two commands."""
    return ", ".join(f"{match[1]} {act}" for act in match[2].split("|"))


def _commands(parser: argparse.ArgumentParser, so_far: str) -> Iterator[str]:
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield so_far
    for action in inner:
        for name, sub in action.choices.items():
            yield from _commands(sub, f"{so_far} {name}")
