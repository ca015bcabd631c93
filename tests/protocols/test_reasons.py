"""The closed list of codes: each has a sentence, each is used, and nothing else is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from authio.protocols.reasons import REASONS, noticed

ROOT = Path(__file__).parents[2] / "authio"


def literals(node: ast.AST) -> Iterator[str]:
    return (
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def noticed_codes() -> set[str]:
    """Every text in the first argument of ``noticed(...)`` anywhere in the core."""
    codes: set[str] = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "id", getattr(called, "attr", ""))
            if isinstance(node, ast.Call) and name in ("noticed", "error", "warning") and node.args:
                if name != "noticed" and not isinstance(node.args[0], ast.Constant):
                    continue
                if name != "noticed" and "log" in ast.unparse(node.func):
                    continue
                codes |= set(literals(node.args[0]))
    return codes


@pytest.mark.parametrize("code", sorted(REASONS))
def test_each_code_is_a_slug_with_a_sentence_for_the_it_admin(code: str) -> None:
    finding = noticed(code)

    assert re.fullmatch(r"[a-z][a-z0-9_]+", finding.code)
    assert finding.message[0].isupper()
    assert finding.message.endswith(".")
    assert 10 < len(finding.message) < 220


def test_a_code_without_a_sentence_is_an_error() -> None:
    with pytest.raises(KeyError):
        noticed("a_code_nobody_explained")


def test_every_code_that_is_found_has_a_sentence() -> None:
    unexplained = {code for code in noticed_codes() if re.fullmatch(r"[a-z]+(?:_[a-z0-9]+)+", code)} - set(
        REASONS
    )

    # Names of keys and fields that stand in the same expressions.
    assert unexplained <= {"jwks_uri", "insecure_url", "bad_url"}, unexplained


def test_every_sentence_is_used() -> None:
    text = "\n".join(path.read_text("utf-8") for path in ROOT.rglob("*.py") if path.name != "reasons.py")

    # The client's own codes arrive as values, not as literals beside noticed().
    assert [code for code in REASONS if f'"{code}"' not in text] == []
