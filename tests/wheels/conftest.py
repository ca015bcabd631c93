"""Everything built as a release would build it, and an environment that has the wheels and not the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture import tree

PLUGINS = tuple(sorted(path.parent.name for path in tree.ROOT.glob("plugins/*/setup.py")))


def built(name: str, source: Path, folder: Path) -> Path:
    """The wheel of the distribution in *source*, by way of its sdist, from what git would hold."""
    copy = folder / "source" / name
    skipped = {"tests", "plugins"} if source == tree.ROOT else set()
    for path in tree.tracked():
        if path.is_relative_to(source) and path.relative_to(source).parts[0] not in skipped:
            target = copy / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return build(copy, folder / "wheels" / name)


def build(source: Path, target: Path) -> Path:
    """The wheel that `python -m build` makes of *source*, without network."""
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "build",
            "--no-isolation",
            "--outdir",
            str(target),
            str(source),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PIP_NO_INDEX": "1"},
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    (wheel,) = target.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Installed:
    """A virtual environment that has our wheels, and of this environment everything that is not ours."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def authio(self) -> Path:
        return self.folder / "bin" / "authio"

    def install(self, *wheels: Path) -> None:
        """Install our own wheels; everything they require is here already."""
        self._pip("install", "--no-index", "--no-deps", *map(str, wheels))

    def uninstall(self, *names: str) -> None:
        """Remove distributions of ours."""
        self._pip("uninstall", "--yes", *names)

    def run(self, *arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
        """What the environment's Python does, standing in *folder*, with nothing of ours in its way."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AUTHIO_", "PYTHON", "PYTEST"))
        }
        return subprocess.run(
            [self.python, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def _pip(self, *arguments: str) -> None:
        command = [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "-q",
            "--python",
            str(self.python),
        ]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def environment(folder: Path, wheels: Sequence[Path]) -> Installed:
    """A new environment: links to every installed distribution but ours, and *wheels* installed for real.

    Links, because installing the same pinned distributions once more would only cost time. What is ours is
    left out by name, so that no editable install can stand in for a file that a wheel forgot.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    made = Installed(folder)
    here = Path(sysconfig.get_path("purelib"))
    there = Path(
        made.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).stdout.strip()
    )
    for path in here.iterdir():
        if not path.name.startswith(
            ("authio", "__editable__", "__pycache__", "_distutils_hack", "distutils-")
        ):
            (there / path.name).symlink_to(path)
    made.install(*wheels)
    return made


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of the core (``core``) and of each plugin, by the name of its folder."""
    folder = tmp_path_factory.mktemp("built")
    sources = {"core": tree.ROOT, **{name: tree.ROOT / "plugins" / name for name in PLUGINS}}
    with ThreadPoolExecutor(os.cpu_count()) as builders:
        made = builders.map(lambda name: built(name, sources[name], folder), sources)
    return dict(zip(sources, made, strict=True))


@pytest.fixture(scope="session")
def installed(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The core and every plugin, installed as wheels."""
    return environment(tmp_path_factory.mktemp("installed") / "venv", tuple(wheels.values()))
