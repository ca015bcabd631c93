"""The servers that are measured, each a process of its own on one core: ours, the floor and the peer."""

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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from authio.scripts import ini
from authio.settings import Settings
from tools.services import free_port

ROOT = Path(__file__).resolve().parent.parent
PEER = Path(__file__).resolve().parent / "peer"
SERVER_CORE, DRIVER_CORE = 0, 1
THREADS = 4
_PATIENCE = 60.0
_UNLIMITED = "1000000000"


class Process:
    """One server process, tied to *core* from before its first thread on; None leaves it with its starter."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        folder: Path,
        port: int,
        health: str,
        environment: Mapping[str, str],
        core: int | None = SERVER_CORE,
    ) -> None:
        self.name, self.port, self._core = name, port, core
        self._command, self._folder, self._health = command, folder, health
        # Settings of the shell that started us are not to reach what is measured.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUTHIO_")}
        self.environment = {**inherited, **environment}
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; the seconds until its first answer."""
        began = time.perf_counter()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if self._core is not None:
            # Before it has a second thread; those that follow stay with the first.
            os.sched_setaffinity(self._process.pid, {self._core})
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() - began > _PATIENCE:
                self.stop()
                end = self._log.read_text(encoding="utf-8", errors="replace")[-3000:]
                raise RuntimeError(f"{self.name} did not start; its log ends:\n{end}")
            time.sleep(0.01)
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.name} has ended, and somebody else answers on its port")
        return time.perf_counter() - began

    def stop(self) -> None:
        """Ask it to end, and end it if it does not."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def resident_mb(self) -> float:
        """The memory that the process holds, in MB."""
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"{self.name} has ended")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", self._health)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Authio(Process):
    """``authio serve``: web and worker in one process, over a migrated database with one project."""

    def __init__(self, name: str, folder: Path, *, database: str, queue: str, reaches: str = "") -> None:
        """*reaches* is the authority of a loopback address that it may call, if any."""
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        copied = folder / "bench.ini"
        shutil.copyfile(ROOT / "development.ini", copied)
        (folder / "var").mkdir(exist_ok=True)
        program = str(Path(sys.executable).with_name("authio"))
        limits = ("UNKNOWN_TOKENS", "PORTAL", "API", "SSO", "LINK_REQUESTS")
        super().__init__(
            name,
            [program, "serve", copied.name],
            folder=folder,
            port=port,
            health="/health",
            environment={
                "AUTHIO_INI": copied.name,
                "AUTHIO_DATABASE_URL": database,
                "AUTHIO_QUEUE_URL": queue,
                "AUTHIO_BASE_URL": f"http://127.0.0.1:{port}",
                "AUTHIO_LISTEN": f"127.0.0.1:{port}",
                "AUTHIO_THREADS": str(THREADS),
                "AUTHIO_DEMO": "false",
                "AUTHIO_OUTBOUND_ALLOW": reaches,
                "AUTHIO_MASTER_KEYS": self._command_output(program, "new-master-key"),
                **{f"AUTHIO_RATE_LIMIT_{limit}": _UNLIMITED for limit in limits},
            },
        )
        self.database = database
        self._program = program
        self.command("migrate")
        project = json.loads(self.command("project", "create", "Benchmark", "--json"))
        self.project_id: str = project["project_id"]
        self.client_id: str = project["client_id"]
        self.api_key: str = project["api_key"]

    def settings(self) -> Settings:
        """The settings it runs under, for services in this process over the same database."""
        return Settings.load(ini.read(str(self._folder / self.environment["AUTHIO_INI"])), self.environment)

    def command(self, *arguments: str) -> str:
        """What an ``authio`` command prints, over the same settings."""
        return self._command_output(
            self._program, *arguments, folder=self._folder, environment=self.environment
        )

    @staticmethod
    def _command_output(program: str, *arguments: str, **context: Any) -> str:
        done = subprocess.run(
            [program, *arguments],
            cwd=context.get("folder"),
            env=context.get("environment"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"authio {arguments[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout.strip()


class Floor(Process):
    """Our server class with an application that does nothing."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        super().__init__(
            "floor",
            [sys.executable, "-m", "benchmarks.floor", str(port), str(THREADS)],
            folder=folder,
            port=port,
            health="/",
            environment={"PYTHONPATH": str(ROOT)},
        )


class OpenIdProvider(Process):
    """The OpenID provider of the tests, which signs everybody in at once.

    It is another party's, so it runs where its starter does: on the driver's core.
    """

    def __init__(self, folder: Path, *, port: int, redirect_uris: Sequence[str]) -> None:
        super().__init__(
            "openid-provider",
            [sys.executable, "-m", "benchmarks.openid_provider", str(port), *redirect_uris],
            folder=folder,
            port=port,
            health="/.well-known/openid-configuration",
            environment={"PYTHONPATH": str(ROOT)},
            core=None,
        )


class Peer(Process):
    """The peer's library behind benchmarks/peer/front.mjs."""

    def __init__(self, folder: Path, *, database: str) -> None:
        port = free_port()
        self.api_key = uuid4().hex
        address = make_url(database)
        kind = "sqlite" if address.drivername == "sqlite" else "postgres"
        url = (
            address.database or ""
            if kind == "sqlite"
            else address.set(drivername="postgresql").render_as_string(hide_password=False)
        )
        super().__init__(
            f"peer-{kind}",
            ["node", str(PEER / "front.mjs")],
            folder=folder,
            port=port,
            health="/health",
            environment={
                "PEER_PORT": str(port),
                "PEER_KEY": self.api_key,
                "PEER_TYPE": kind,
                "PEER_DATABASE": url,
                "NODE_ENV": "production",
                "DO_NOT_TRACK": "1",
            },
        )


def install_peer() -> str:
    """Install the pinned peer if it is not there yet; its name and version."""
    if not (PEER / "node_modules" / "@boxyhq" / "saml-jackson" / "package.json").exists():
        print("installing the peer", flush=True)
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=PEER, check=True, stdin=subprocess.DEVNULL
        )
    installed = json.loads((PEER / "node_modules" / "@boxyhq" / "saml-jackson" / "package.json").read_text())
    return f"{installed['name']} {installed['version']}"


@contextmanager
def running(*processes: Process) -> Iterator[None]:
    """The processes, started when the block begins and stopped when it ends."""
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in processes:
            process.stop()


@contextmanager
def postgresql_database(server: str) -> Iterator[str]:
    """The URL of an empty database of our own on *server*, dropped when the block ends."""
    address = make_url(server)
    name = sql.Identifier(f"authio_bench_{uuid4().hex[:10]}")
    admin_url = address.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
        try:
            own = address.set(drivername="postgresql+psycopg", database=name._obj[0])
            yield own.render_as_string(hide_password=False)
        finally:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
