"""The core knows no provider by name, and a provider knows nothing of the core but the door."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.architecture import tree

# Words of the language of single sign-on that a key is made of, too: "generic" is a kind, not a vendor.
PROTOCOL_WORDS = frozenset({"saml", "oidc"})
FOREIGN_TO_PLUGINS = ("authio_", "pyramid", "sqlalchemy", "huey", "requests", "httpx", "httpcore", "urllib3")


def test_the_keys_are_found() -> None:
    """Else the test below would pass whatever the core says."""
    assert len(tree.plugin_packages()) >= 5
    assert len(tree.provider_keys()) >= 2 * len(tree.plugin_packages()) - 2


def test_no_provider_is_named_in_the_core() -> None:
    keys = tree.provider_keys() - PROTOCOL_WORDS
    named = [
        f"{path}:{literal.lineno}: {literal.value!r}"
        for path, module in tree.python("authio/")
        for literal in tree.literals(module)
        if tree.words(str(literal.value)) & keys
    ]
    assert not named, "the core treats all providers alike; put what is special about one into its plugin"


def test_a_named_provider_would_be_found() -> None:
    key = min(tree.provider_keys())
    module = ast.parse(
        f'"""A docstring may say {key}."""\nif provider == "{key}" or f"{{x}} {key}":\n    pass'
    )
    found = [literal for literal in tree.literals(module) if tree.words(str(literal.value)) & {key}]
    assert len(found) == 2


@pytest.mark.parametrize("package", tree.plugin_packages(), ids=lambda path: path.name)
def test_a_provider_imports_only_the_door(package) -> None:
    beyond = []
    for path, module in tree.python(str(package.relative_to(tree.ROOT))):
        for name, line in tree.imports(module):
            ours = name == "authio" or name.startswith("authio.")
            past_the_door = ours and not (name == "authio.plugin" or _is_name_of_the_door(name))
            foreign = name.startswith(FOREIGN_TO_PLUGINS) and not name.startswith(package.name)
            if past_the_door or foreign:
                beyond.append(f"{path}:{line}: {name}")
    assert not beyond, "a provider imports authio.plugin and nothing else of ours"


def _is_name_of_the_door(name: str) -> bool:
    """``from authio.plugin import X``, where X is a name and not a module behind the door."""
    parent, _, last = name.rpartition(".")
    folder = tree.ROOT / "authio" / "plugin"
    return parent == "authio.plugin" and not ((folder / f"{last}.py").exists() or (folder / last).is_dir())


def test_the_core_imports_no_provider() -> None:
    imported = [
        f"{path}:{line}: {name}"
        for path, module in tree.python("authio/")
        for name, line in tree.imports(module)
        if name.startswith("authio_")
    ]
    assert not imported


def test_the_core_s_tests_use_the_made_up_provider() -> None:
    """Tests of the core that lean on a shipped provider would break with that vendor's console."""
    packages = {package.name for package in tree.plugin_packages()}
    imported = [
        f"{path}:{line}: {name}"
        for path, module in tree.python("tests/")
        for name, line in tree.imports(module)
        if name.partition(".")[0] in packages
    ]
    assert not imported


@pytest.mark.parametrize("heavy", ["saml2", "authlib", "sqlalchemy", "pyramid"])
def test_the_door_is_light(heavy: str) -> None:
    code = f"import sys, authio.plugin; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0, (
        f"the door imports {heavy}"
    )
