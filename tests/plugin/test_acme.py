"""The made-up provider passes the conformance kit, installed and away from this repository's tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.plugin.conftest import ACME


def test_the_kit_passes_for_a_provider_from_outside_the_tree(acme_site: Path, tmp_path: Path) -> None:
    shutil.copytree(ACME / "tests", tmp_path / "tests")
    paths = os.pathsep.join([str(acme_site), str(Path.cwd())])

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) >= 20
    assert "skipped" not in done.stdout
