"""The made-up provider, installed as a stranger's would be, and distributions written on the spot."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from authio.plugin import Context
from authio.plugin.loader import Plugins
from authio.plugin.testing import SP, ServedOnly, plugins_of

ACME = Path(__file__).parents[1] / "support" / "acme"
METADATA = (ACME / "tests" / "data" / "metadata.xml").read_bytes()
DISCOVERY = (ACME / "tests" / "data" / "discovery.json").read_bytes()
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="session")
def acme_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip installed the made-up provider."""
    source = tmp_path_factory.mktemp("source") / "acme"
    shutil.copytree(ACME, source)
    site = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*command, "--target", str(site), str(source)], check=True, capture_output=True)
    return site


@pytest.fixture
def acme(acme_site: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The made-up provider's package."""
    monkeypatch.syspath_prepend(str(acme_site))
    return importlib.import_module("authio_acme")


@pytest.fixture
def plugins(acme: ModuleType) -> Plugins:
    """The made-up provider alone."""
    return plugins_of(acme)


@pytest.fixture
def context() -> Context:
    """A moment, our own side, and no network."""
    return Context(now=NOW, fetch=ServedOnly({}), sp=SP)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType | None]:
    """Write a distribution with one module and its entry point, as pip would leave it."""

    def write(name: str, source: str, *, version: str = "1.0", load: bool = False) -> ModuleType | None:
        module = f"strange_{name}"
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"provider_{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: provider-{name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[authio.providers]\n{name} = {module}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, module, raising=False)
        return importlib.import_module(module) if load else None

    return write
