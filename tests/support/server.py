"""A real ``authio serve``: a process of its own, on a free port, with its own folder and database.

For whatever looks at the product from outside: browsers, other people's SDKs, and tests that kill it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tools.services import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 30.0


class Server:
    """One server process at a time, over a folder that outlives it: stop, kill and start as you like.

    *environment* is added to the process's (``AUTHIO_…`` of our own environment does not reach it).
    *program* is what stands before ``serve``: the ``authio`` beside the running Python unless given.
    """

    def __init__(
        self,
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        program: Path | None = None,
        ini: Path = ROOT / "development.ini",
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self._program = program or Path(sys.executable).with_name("authio")
        self._ini = folder / ini.name
        shutil.copyfile(ini, self._ini)
        # Paths in the ini are relative to it, so a copy has its own var/.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUTHIO_")}
        self.environment = {
            **inherited,
            "AUTHIO_BASE_URL": self.url,
            "AUTHIO_LISTEN": f"127.0.0.1:{self.port}",
            "PYTHONUNBUFFERED": "1",
            **(environment or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def demo(self) -> dict[str, Any]:
        """What the first start wrote down about the demo project: its id, client id and API key."""
        found: dict[str, Any] = json.loads((self.folder / "var" / "demo.json").read_text(encoding="utf-8"))
        return found

    @property
    def pid(self) -> int:
        """The process id of the server that is running."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def start(self, **environment: str) -> None:
        """Start it and return once it answers; RuntimeError with the end of its log if it does not."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "serve", self._ini.name],
                cwd=self.folder,
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the server did not start; its log ends:\n{self.tail()}")
            time.sleep(0.05)

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and return its exit status; killed if it does not within seconds."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End it and every process it started, at once and without a chance to tidy up."""
        return self._end(signal.SIGKILL)

    def wait(self, *, timeout: float = PATIENCE) -> int:
        """Its exit status, once it has ended by itself."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        status = self._process.wait(timeout)
        self._process = None
        return status

    def mint(self, **wanted: Any) -> str:
        """The address of a fresh setup link for the demo organization."""
        demo = self.demo
        answer = requests.post(
            f"{self.url}/v1/sso/admin-portal/tokens",
            json={"organization_id": demo["organization_id"], **wanted},
            headers={"Authorization": f"Bearer {demo['api_key']}"},
            timeout=30,
        )
        answer.raise_for_status()
        return str(answer.json()["url"])

    def command(self, *arguments: str) -> str:
        """What ``authio ARGUMENTS`` prints, run over the same ini, folder and environment."""
        done = subprocess.run(
            [self._program, *arguments],
            cwd=self.folder,
            env={**self.environment, "AUTHIO_INI": str(self._ini)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"authio {arguments[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def tail(self, lines: int = 40) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True

    def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            # The server leads its own group: killing it hard takes everything it started with it.
            os.killpg(process.pid, how) if how == signal.SIGKILL else process.send_signal(how)
        try:
            return process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait()


@contextmanager
def serving(
    folder: Path, *, environment: Mapping[str, str] | None = None, program: Path | None = None
) -> Iterator[Server]:
    """A server that has started, and is stopped when the block ends."""
    server = Server(folder, environment=environment, program=program)
    server.start()
    try:
        yield server
    finally:
        server.stop()
