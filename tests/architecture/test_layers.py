"""Who may import whom, where the import linter cannot say it."""

from __future__ import annotations

import ast
import sys

import pytest

from tests.architecture import tree

# Where a library of the outer world may be imported: in the layer that stands between it and everybody else.
HOMES = {
    "pyramid": ("authio/__init__.py", "authio/app.py", "authio/views/", "authio/scripts/"),
    "webob": ("authio/views/",),
    "saml2": ("authio/protocols/saml",),
    "authlib": ("authio/protocols/oidc_jose.py",),
    "joserfc": ("authio/protocols/oidc_jose.py",),
    "huey": ("authio/queue.py",),
    "httpcore": ("authio/outbound.py",),
    "colander": ("authio/plugin/", "authio/wire/", "authio/views/"),
    "deform": ("authio/plugin/", "authio/views/", "authio/app.py"),
    "sqlalchemy": (
        "authio/db.py",
        "authio/models/",
        "authio/services/",
        "authio/migrations/",
        "authio/views/transactions.py",
        "authio/views/portal/errors.py",  # the names of failures, not statements
    ),
    "lxml": ("authio/protocols/", "authio/plugin/", "authio/rehearse/"),
}


@pytest.mark.parametrize("library", HOMES)
def test_a_library_stays_in_its_layer(library: str) -> None:
    strays = [
        f"{path}:{line}: {name}"
        for path, module in tree.python("authio/")
        for name, line in tree.imports(module)
        if name.partition(".")[0] == library and not path.startswith(HOMES[library])
    ]
    assert not strays, f"{library} belongs in {' or '.join(HOMES[library])}"


def test_a_receiver_can_have_its_module_without_the_rest() -> None:
    """Verifying a webhook needs the standard library and nothing else."""
    imported = {
        name.partition(".")[0]
        for path, module in tree.python("authio/webhooks.py")
        for name, _ in tree.imports(module)
    }
    assert imported
    assert imported <= sys.stdlib_module_names


def test_the_environment_is_read_in_one_place() -> None:
    """Settings are handed down as values. The fault points are for tests, and armed before anything loads."""
    readers = {
        path
        for path, text in tree.texts().items()
        if path.startswith("authio/") and ("os.environ" in text or "os.getenv" in text)
    }
    allowed = {"authio/settings.py", "authio/faults.py", "authio/app.py", "authio/__init__.py"}
    assert not {path for path in readers - allowed if not path.startswith("authio/scripts/")}


def test_time_has_one_source() -> None:
    """Time is an argument everywhere else; deadlines count on time.monotonic, which is no time of day."""
    readers = [
        path
        for path, text in tree.texts().items()
        if path.startswith("authio/")
        # A receiver has a clock of its own; windows of rate limits are counted by their library's.
        and path not in {"authio/clock.py", "authio/webhooks.py", "authio/rates.py"}
        and any(call in text for call in ("datetime.now(", "utcnow(", "time.time(", "date.today("))
    ]
    assert not readers, "ask the clock you were handed"


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "core", "misc"])
def test_no_module_is_named_for_nothing(name: str) -> None:
    homeless = [path for path in tree.texts() if name in path.removesuffix(".py").split("/")]
    assert not [path for path in homeless if path.startswith(("authio/", "plugins/"))], (
        "find the missing noun"
    )


def test_every_module_says_what_lives_in_it() -> None:
    silent = [
        path
        for prefix in ("authio/", "plugins/", "tools/", "tests/")
        for path, module in tree.python(prefix)
        if module.body
        and not ast.get_docstring(module)
        and not path.startswith("authio/migrations/versions/")
    ]
    assert not silent
