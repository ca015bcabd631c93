"""The two processes of a production installation, as ``docs/self-hosting.md`` starts them."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from authio import crypto, migrations
from authio.db import Database
from tests.support.server import PATIENCE, ROOT
from tools.services import free_port


class Installation:
    """A folder with a copy of ``production.ini`` and what an administrator fills in."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.database = f"sqlite:///{folder / 'authio.sqlite'}"
        shutil.copyfile(ROOT / "production.ini", folder / "production.ini")
        self.environment = {
            "PATH": os.environ["PATH"],
            "AUTHIO_DATABASE_URL": self.database,
            "AUTHIO_QUEUE_URL": f"sqlite:///{folder / 'queue.sqlite'}",
            "AUTHIO_MASTER_KEYS": crypto.new_master_keys(),
            "AUTHIO_LISTEN": f"127.0.0.1:{self.port}",
        }
        self._running: list[subprocess.Popen[str]] = []

    def start(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        """That program beside the running Python, over ``production.ini``, in the background."""
        process = subprocess.Popen(
            [Path(sys.executable).with_name(program), *arguments, "production.ini"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._running.append(process)
        return process

    def migrate(self) -> None:
        """Bring the database to the newest schema."""
        assert self.start("authio", "migrate").wait(PATIENCE) == 0

    def stamp(self, revision: str) -> None:
        """Say that the database is at *revision*."""
        database = Database(self.database)
        with database.engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = :at"), {"at": revision})
        database.dispose()

    def health(self) -> int:
        """The status of ``/health``, once the web process answers."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return requests.get(f"http://127.0.0.1:{self.port}/health", timeout=10).status_code
            except requests.ConnectionError:
                if time.monotonic() > deadline or any(one.poll() for one in self._running):
                    raise
                time.sleep(0.05)

    def close(self) -> None:
        """End whatever still runs."""
        for process in self._running:
            process.kill()
            process.communicate()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    yield made
    made.close()


def ended(process: subprocess.Popen[str], *, asked: bool = True) -> tuple[int, str]:
    """Exit status and log of a process that was asked to stop, or stops by itself."""
    if asked:
        process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=PATIENCE)
    return process.returncode, log


def test_web_logs_where_it_listens_and_each_request_and_stops_when_asked(installation: Installation) -> None:
    installation.migrate()
    web = installation.start("pserve")
    assert installation.health() == 200
    requests.get(f"http://127.0.0.1:{installation.port}/organizations", timeout=10)
    status, log = ended(web)

    assert status == 0
    assert f"INFO    authio.server: listening at http://127.0.0.1:{installation.port}\n" in log
    assert '"path": "/organizations", "status": 401' in log
    assert "authio.base_url = https://sso.example.com" in log
    assert installation.environment["AUTHIO_MASTER_KEYS"].partition(":")[2] not in log


def test_the_worker_says_when_it_is_at_work_and_stops_when_asked(installation: Installation) -> None:
    installation.migrate()
    worker = installation.start("authio", "worker")
    assert worker.stderr is not None
    # Whoever says nothing fails here, instead of being waited for.
    assert select.select([worker.stderr], [], [], PATIENCE)[0]
    assert "the worker is at work, with 8 threads" in worker.stderr.readline()
    status, log = ended(worker)
    assert (status, "the worker has stopped" in log) == (0, True)


@pytest.mark.parametrize("program", [("pserve",), ("authio", "worker"), ("authio", "serve")])
def test_nothing_starts_over_a_schema_that_is_too_old(
    installation: Installation, program: tuple[str, ...]
) -> None:
    status, log = ended(installation.start(*program), asked=False)
    assert status != 0
    assert "The database is not at the newest schema. Run `authio migrate` first." in log


def test_a_release_restarts_over_the_schema_of_the_next_one(installation: Installation) -> None:
    installation.migrate()
    installation.stamp("9999")
    web = installation.start("pserve")
    assert installation.health() == 200
    assert ended(web)[0] == 0

    installation.migrate()
    database = Database(installation.database)
    assert migrations.current(database.engine) == "9999"
    database.dispose()


def test_pserve_tells_all_that_is_wrong_with_the_settings_and_no_traceback(
    installation: Installation,
) -> None:
    installation.environment |= {"AUTHIO_BASE_URL": "ftp://example.com", "AUTHIO_THREADS": "many"}
    status, log = ended(installation.start("pserve"), asked=False)
    assert status == 1
    assert "authio: authio.base_url (AUTHIO_BASE_URL): must be an address" in log
    assert "authio: authio.threads (AUTHIO_THREADS): must be" in log
    assert "Traceback" not in log
