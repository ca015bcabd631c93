"""The repository as text: what is tracked, what is Python, which providers there are."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git tracks or would track, as it stands in the work tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@cache
def texts() -> dict[str, str]:
    """The text of every tracked file that is text, by its path from the root."""
    found = {}
    for path in tracked():
        try:
            found[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def python(prefix: str) -> Iterator[tuple[str, ast.Module]]:
    """Path and syntax tree of each Python file below *prefix*, a path from the root."""
    for name, text in texts().items():
        if name.startswith(prefix) and name.endswith(".py"):
            yield name, ast.parse(text, filename=name)


def plugin_packages() -> tuple[Path, ...]:
    """The package folder of each provider below plugins/."""
    return tuple(sorted(path.parent for path in ROOT.glob("plugins/*/authio_*/__init__.py")))


@cache
def provider_keys() -> frozenset[str]:
    """The keys of every provider and connector below plugins/, read from their source."""
    keys = set()
    for package in plugin_packages():
        for _, tree in python(str(package.relative_to(ROOT))):
            keys |= set(_declared_keys(tree))
    return frozenset(keys)


def _declared_keys(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):  # Provider(key="...")
            named = [keyword.value for keyword in node.keywords if keyword.arg == "key"]
            yield from (value.value for value in named if _is_text(value))
        elif isinstance(node, ast.ClassDef):  # class ...: key = "..."
            for line in node.body:
                targets = line.targets if isinstance(line, ast.Assign) else []
                if any(
                    isinstance(target, ast.Name) and target.id == "key" for target in targets
                ) and _is_text(line.value):
                    yield line.value.value


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def literals(tree: ast.Module) -> Iterator[ast.Constant]:
    """Every string literal that is code: docstrings left out, parts of f-strings taken along."""
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    prose |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node


def words(text: str) -> frozenset[str]:
    """The words of a literal: what stands between characters that no key contains."""
    return frozenset(re.split(r"[^a-z0-9_-]+", text.lower()))


def imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Each module that is imported anywhere in a file, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
