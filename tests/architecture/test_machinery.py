"""The machinery itself: warnings are errors, pins have hashes, `make` lists its targets, skips fail."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture import tree
from tools import suite

CONFIG = tomllib.loads((tree.ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_warnings_are_errors_and_each_exception_has_a_reason() -> None:
    filters = CONFIG["tool"]["pytest"]["ini_options"]["filterwarnings"]
    assert filters[0] == "error"
    assert len(filters) <= 6
    lines = (tree.ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for text in filters[1:]:
        line = next(number for number, line in enumerate(lines) if text in line)
        assert lines[line - 1].strip().startswith(("#", '"ignore')), f"no reason beside {text}"


@pytest.mark.parametrize("name", ["build", "run", "test", "lock", "audit"])
def test_every_requirement_has_a_version_and_hashes(name: str) -> None:
    text = (tree.ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"(?m)^\s*#.*\n?", "", text).strip())
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+(\[[a-z]+\])?==[^\s;]+", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_the_test_environment_is_the_run_environment_and_more() -> None:
    """A version that the tests saw is the version that runs."""
    pinned: dict[str, set[str]] = {}
    for name in ("run", "test"):
        text = (tree.ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for package, version in re.findall(r"(?m)^([a-z0-9._-]+)==(\S+)", text):
            pinned.setdefault(package, set()).add(f"{name} {version}")
    both = {
        package: pins
        for package, pins in pinned.items()
        if {pin.split()[0] for pin in pins} == {"run", "test"}
    }
    assert both
    for package, pins in both.items():
        versions = {
            name: {pin.split()[1] for pin in pins if pin.startswith(name)} for name in ("run", "test")
        }
        assert versions["test"] <= versions["run"], package


def test_make_lists_its_targets_with_a_line_each() -> None:
    listed = subprocess.run(["make", "-s"], cwd=tree.ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("setup", "run", "test", "lint", "bench", "lock", "verify", "test-fast", "test-browser"):
        assert re.search(rf"^  make {target} +\w.{{10,}}$", listed, re.MULTILINE), target


def test_the_suite_runs_every_folder_of_tests() -> None:
    """Each folder is run by one part, and `make test` runs all parts."""
    by_name = {part.name: part for part in suite.parts()}
    assert set(suite.SELECTIONS["all"]) == set(by_name)
    ignored = {
        argument.removeprefix("--ignore=") for argument in by_name["core"].arguments if "--ignore" in argument
    }
    assert ignored == {path for name in ("wheels", "peers", "browser") for path in by_name[name].arguments}
    assert set(by_name["providers"].arguments) == {
        str(path.relative_to(tree.ROOT)) for path in tree.ROOT.glob("plugins/*/tests")
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("def test_it(): pass", 0),
        ("import pytest\ndef test_it(): pytest.skip('no reason')", 1),
        ("import pytest\n@pytest.mark.xfail\ndef test_it(): assert False", 1),
        ("import warnings\ndef test_it(): warnings.warn('old', DeprecationWarning)", 1),
        ("", 5),
    ],
)
def test_a_skip_or_a_warning_fails_the_run(tmp_path: Path, body: str, status: int) -> None:
    file = tmp_path / "test_sample.py"
    file.write_text(body, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "tests.support.no_skips", "-p", "no:cacheprovider"),
            *("-c", str(tree.ROOT / "pyproject.toml"), "--rootdir", str(tree.ROOT), str(file)),
        ],
        cwd=tree.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout


def test_an_old_python_is_told_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    from tools import check_python

    assert check_python.problem() is None
    monkeypatch.setattr(check_python, "NEEDED", (9, 0))
    assert "Name another: make PYTHON=" in check_python.problem()
