"""What a release would ship: each distribution built, installed as a wheel, and tested there.

An editable install finds every file of the tree; only a wheel shows what was forgotten.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture import tree
from tests.support.server import Server
from tests.support.visitor import Visitor
from tests.wheels.conftest import PLUGINS, Installed, build

ACME = tree.ROOT / "tests" / "support" / "acme"

CONFIG = """[pytest]
addopts = --import-mode=importlib -p no_skips -p no:cacheprovider
filterwarnings =
    error
    ignore:'cgi' is deprecated:DeprecationWarning
    ignore:pkg_resources is deprecated:UserWarning
    ignore:Deprecated call to `pkg_resources:DeprecationWarning
"""


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def tracked_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder.parent)) for path in tree.tracked() if path.is_relative_to(folder)}


def test_the_core_s_wheel_holds_every_file_of_the_package(wheels: dict[str, Path]) -> None:
    files = files_of(wheels["core"])
    assert files == tracked_under(tree.ROOT / "authio")
    assert any(name.startswith("authio/templates/") and name.endswith(".pt") for name in files)
    assert any(name.startswith("authio/static/") and name.endswith(".css") for name in files)
    assert any(name.startswith("authio/migrations/versions/") for name in files)


@pytest.mark.parametrize("name", PLUGINS)
def test_a_provider_s_wheel_holds_every_file_of_its_package(wheels: dict[str, Path], name: str) -> None:
    files = files_of(wheels[name])
    (package,) = {file.partition("/")[0] for file in files}
    assert files == tracked_under(tree.ROOT / "plugins" / name / package)
    assert {Path(file).suffix for file in files} >= {".py", ".toml", ".svg", ".typed"}


def test_what_is_installed_is_the_wheels_and_not_the_tree(installed: Installed, tmp_path: Path) -> None:
    done = installed.run("-c", "import authio; print(authio.__file__)", folder=tmp_path)
    assert Path(done.stdout.strip()).is_relative_to(installed.folder), done.stdout + done.stderr


def test_the_version_is_the_same_everywhere(installed: Installed, tmp_path: Path) -> None:
    code = "import authio, importlib.metadata as m; print(authio.__version__ == m.version('authio-portal'))"
    done = installed.run("-c", code, folder=tmp_path)
    assert done.stdout.strip() == "True", done.stderr


@pytest.mark.parametrize("name", PLUGINS)
def test_a_provider_passes_its_tests_where_it_is_installed(
    installed: Installed, tmp_path: Path, name: str
) -> None:
    passes_its_tests(installed, tree.ROOT / "plugins" / name / "tests", tmp_path)


def passes_its_tests(installed: Installed, tests: Path, folder: Path) -> None:
    """Run a provider's tests against what is installed, from a folder that holds nothing but the tests."""
    shutil.copytree(tests, folder / "tests")
    shutil.copyfile(tree.ROOT / "tests" / "support" / "no_skips.py", folder / "no_skips.py")
    (folder / "pytest.ini").write_text(CONFIG, encoding="utf-8")
    done = installed.run("-m", "pytest", "-q", "tests", folder=folder)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE), done.stdout


def test_every_provider_of_the_tree_is_listed(installed: Installed, tmp_path: Path) -> None:
    done = installed.run(installed.authio, "providers", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in PLUGINS:
        assert f"authio-provider-{name.replace('_', '-')}" in done.stdout.replace("_", "-")


def test_a_wheel_that_forgets_a_file_would_be_found(wheels: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.whl"
    with zipfile.ZipFile(wheels["core"]) as whole, zipfile.ZipFile(broken, "w") as less:
        for name in whole.namelist():
            if not name.endswith(".mako"):
                less.writestr(name, whole.read(name))
    assert files_of(broken) != tracked_under(tree.ROOT / "authio")


@pytest.fixture
def acme(installed: Installed, tmp_path: Path) -> Iterator[Path]:
    """The wheel of a stranger's provider, built from a folder outside the tree; gone again after the test."""
    source = tmp_path / "a-stranger-s-folder"
    shutil.copytree(
        ACME, source, ignore=shutil.ignore_patterns("tests", "__pycache__", "*.egg-info", "build")
    )
    yield build(source, tmp_path / "dist")
    installed.uninstall("authio-provider-acme")


def test_a_stranger_s_provider_shows_up_after_a_restart(
    installed: Installed, acme: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "running"
    folder.mkdir()
    server = Server(folder, program=installed.authio)
    server.start()
    try:
        assert "acme" not in server.command("providers")
        assert not offers(server, "acme")

        installed.install(acme)
        assert not offers(server, "acme"), "what runs does not change under whoever is using it"

        server.stop()
        server.start()
        assert "authio-provider-acme 1.0.0" in server.command("providers")
        assert offers(server, "acme")
    finally:
        server.stop()
    passes_its_tests(installed, ACME / "tests", tmp_path)


def offers(server: Server, provider: str) -> bool:
    """Whether the chooser that an IT admin sees has a button for *provider*."""
    with Visitor(server.url) as visitor:
        chooser = visitor.submit(visitor.get(server.mint()), "start", it_admin_email="admin@acme.example")
    assert chooser.name == "providers"
    return bool(chooser.html.select(f'button[name="provider"][value="{provider}"]'))
