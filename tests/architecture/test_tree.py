"""What no file of the repository may hold."""

from __future__ import annotations

import re

import pytest

from tests.architecture import tree

# A pin is a name, a version and a hash. Where it is fetched from is the machine's business.
REGISTRIES = re.compile(
    r"files\.pythonhosted|\bpypi\.(org|io)|registry\.(npm|yarn)|deb\.debian|npm\.(org|js)", re.I
)

# Shapes of credentials that somebody could use: a private key, our own tokens at their full length, and the
# usual clouds' keys.
SECRETS = {
    "a private key": re.compile(r"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----(\s|\\n)+[A-Za-z0-9+/]{60}"),
    "an API key": re.compile(r"\bsk_[A-Za-z0-9_-]{40,}"),
    "a setup link's token": re.compile(r"\bapl_[A-Za-z0-9_-]{43}"),
    # But for the bytes 0 to 31, which the documented test vector is made with.
    "a signing secret": re.compile(r"\bwhsec_(?!AAECAwQFBgcICQoLDA0ODxAREhMU)[A-Za-z0-9+/]{43}="),
    "a cloud key": re.compile(r"\b(AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abpr]-[A-Za-z0-9-]{20,})"),
}
SIZE_LIMIT = 2 * 1024 * 1024


def test_no_file_names_the_folder_it_was_written_in() -> None:
    here = [path for path, text in tree.texts().items() if str(tree.ROOT) + "/" in text]
    assert not here, "a path of this machine means nothing on another"


def test_no_file_names_somebody_s_home() -> None:
    home = re.compile(r"(?<![\w.])/(root|home/[a-z]\w*|Users/\w+)/(?!\.\.\.)")
    named = [path for path, text in tree.texts().items() if home.search(text)]
    assert not named


def test_no_file_names_a_package_registry() -> None:
    this = "tests/architecture/test_tree.py"
    named = [path for path, text in tree.texts().items() if path != this and REGISTRIES.search(text)]
    assert not named


@pytest.mark.parametrize("kind", SECRETS)
def test_no_file_holds_a_secret(kind: str) -> None:
    """Tests make their keys when they run; what documents show is shortened or plainly made up."""
    found = [path for path, text in tree.texts().items() if SECRETS[kind].search(text)]
    assert not found, f"{kind} in {found}"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("a private key", "-----BEGIN " + "RSA PRIVATE KEY-----\n" + "M" * 64),
        ("an API key", "sk_" + "a" * 43),
        ("a setup link's token", "apl_" + "b" * 43),
        ("a signing secret", "whsec_" + "c" * 43 + "="),
        ("a cloud key", "AKIA" + "D" * 16),
    ],
)
def test_a_secret_would_be_found(kind: str, text: str) -> None:
    assert SECRETS[kind].search(f"key = '{text}'")


def test_no_file_is_out_of_proportion() -> None:
    large = [
        str(path)
        for path in tree.tracked()
        if path.stat().st_size > SIZE_LIMIT and "tests/data" not in str(path)
    ]
    assert not large


def test_nothing_waits_to_be_written() -> None:
    """What is not done is named in docs/, for readers; not in a comment, for whoever stumbles on it."""
    mark = re.compile(r"#\s*(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError\(?\)?\s*#")
    unfinished = [
        f"{path}:{number}"
        for path, text in tree.texts().items()
        if path.endswith((".py", ".toml", ".pt", ".js", ".css"))
        for number, line in enumerate(text.splitlines(), 1)
        if mark.search(line)
    ]
    assert not unfinished


def test_security_never_leans_on_assert() -> None:
    """``python -O`` drops every assert."""
    import ast

    asserting = [
        f"{path}:{node.lineno}"
        for prefix in ("authio/", "plugins/")
        for path, module in tree.python(prefix)
        if "/tests/" not in path and path != "authio/plugin/testing.py"
        for node in ast.walk(module)
        if isinstance(node, ast.Assert)
    ]
    assert not asserting


def test_ci_cannot_pass_where_it_should_fail() -> None:
    script = tree.texts()[".ci/run"]
    assert script.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in script
    assert not re.search(r"\|\|\s*true|exit 0", script)
    commands = [line for line in script.splitlines() if line and not line.startswith("#")]
    assert commands[-2:] == ["make test", "make lint"]
