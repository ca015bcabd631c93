"""Finds or starts what the tests lean on: PostgreSQL, Redis, Chromium, and identity providers of others.

What is reachable is used and left as it was found. What is not is started for the length of the run, on a
free port, with its data in a temporary folder. What is not installed is installed where that can be done
without asking anybody: on Debian and its kin, as root.

``python -m tools.services -- COMMAND`` runs a command with the services' addresses in its environment.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import redis

from tools import peers

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = {
    "chromium": ("chromium", "fonts-liberation", "fonts-dejavu-core"),
    "postgresql": ("postgresql",),
    "redis": ("redis-server",),
    "simplesamlphp": ("php-cli", "php-mbstring", "php-xml"),
    "oidc_provider": ("nodejs", "npm"),
}
PATIENCE = 30.0


@dataclass
class Services:
    """What there is: the environment that tells the tests, and a reason for each thing that is missing."""

    environment: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


@contextmanager
def provided(wanted: tuple[str, ...]) -> Iterator[Services]:
    """Those services that are *wanted*, for the length of the block."""
    found = Services()
    with ExitStack() as running:
        provide: Mapping[str, Callable[[ExitStack], tuple[str, str]]] = {
            "postgresql": _postgresql,
            "redis": _redis,
            "chromium": _chromium,
            "simplesamlphp": _simplesamlphp,
            "oidc_provider": _oidc_provider,
        }
        _install([name for name in wanted if not _is_here(name)])
        for name in wanted:
            try:
                variable, value = provide[name](running)
            except (NotHereError, peers.UnobtainableError) as problem:
                found.missing[name] = str(problem)
            else:
                found.environment[variable] = value
        yield found


class NotHereError(Exception):
    """This service cannot be had on this machine; the text says why."""


# -- installing ---------------------------------------------------------------------------------------


def _is_here(name: str) -> bool:
    if name == "chromium":
        return chromium() is not None
    if name == "simplesamlphp":
        return peers.php_is_here()
    if name == "oidc_provider":
        return peers.node_is_here()
    if name == "postgresql":
        return _postgresql_answers(_postgresql_address()) or _postgresql_program("initdb") is not None
    return _redis_answers(_redis_address()) or shutil.which("redis-server") is not None


def _install(names: list[str]) -> None:
    """apt-get what is missing, where that is ours to do; elsewhere do nothing."""
    if (
        not names
        or os.geteuid() != 0
        or not Path("/etc/debian_version").exists()
        or not shutil.which("apt-get")
    ):
        return
    packages = [package for name in names for package in PACKAGES[name]]
    print(f"authio: installing {' '.join(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "-qq", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(f"authio: apt-get {command[0]} failed:\n{done.stderr.strip()}", flush=True)
            return


# -- Chromium -----------------------------------------------------------------------------------------


def chromium() -> str | None:
    """The path of the browser the tests drive, or None."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def _chromium(_: ExitStack) -> tuple[str, str]:
    path = chromium()
    if path is None:
        raise NotHereError("Chromium is not installed")
    return "AUTHIO_TEST_CHROMIUM", path


# -- identity providers that others wrote ---------------------------------------------------------------


def _simplesamlphp(_: ExitStack) -> tuple[str, str]:
    return "AUTHIO_TEST_SIMPLESAMLPHP", str(peers.simplesamlphp())


def _oidc_provider(_: ExitStack) -> tuple[str, str]:
    return "AUTHIO_TEST_OIDC_PROVIDER", str(peers.oidc_provider())


# -- PostgreSQL ---------------------------------------------------------------------------------------


def _postgresql_address() -> str:
    return os.environ.get("AUTHIO_TEST_DATABASE", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


def _postgresql_answers(address: str) -> bool:
    """Whether somebody answers there who lets us make databases."""
    try:
        with psycopg.connect(address.replace("+psycopg", ""), connect_timeout=3) as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
            )
            return bool((row.fetchone() or (False,))[0])
    except psycopg.Error:
        return False


def _postgresql_program(name: str) -> str | None:
    """Debian keeps the server's programs out of PATH, in a folder for each major version."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True
    )
    here = [str(folder / name) for folder in folders if (folder / name).exists()]
    return here[0] if here else shutil.which(name)


def _postgresql(running: ExitStack) -> tuple[str, str]:
    variable = "AUTHIO_TEST_DATABASE"
    address = _postgresql_address()
    if _postgresql_answers(address):
        return variable, address
    initdb, postgres = _postgresql_program("initdb"), _postgresql_program("postgres")
    if initdb is None or postgres is None:
        raise NotHereError("PostgreSQL is neither reachable on 127.0.0.1:5432 nor installed")
    folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="authio-postgresql-")))
    # PostgreSQL refuses to run as root.
    owner = _account("postgres", "nobody") if os.geteuid() == 0 else None
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    made = subprocess.run(
        [
            initdb,
            "-D",
            str(data),
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **_as(owner),
    )
    if made.returncode:
        raise NotHereError(f"initdb failed: {made.stderr.strip().splitlines()[-1:]}")
    port = free_port()
    arguments = [
        "-D",
        str(data),
        "-k",
        str(folder),
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-c",
        "max_connections=300",
    ]
    _start(running, [postgres, *arguments], folder, owner)
    address = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    _wait(lambda: _postgresql_answers(address), "PostgreSQL was started but does not answer")
    return variable, address


def _account(*names: str) -> pwd.struct_passwd:
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NotHereError("there is no unprivileged account to run PostgreSQL as")


def _as(owner: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments for subprocess that give the child to *owner*."""
    return {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


# -- Redis --------------------------------------------------------------------------------------------


def _redis_address() -> str:
    return os.environ.get("AUTHIO_TEST_QUEUE", "redis://127.0.0.1:6379/0")


def _redis_answers(address: str) -> bool:
    try:
        with redis.Redis.from_url(address, socket_connect_timeout=3, socket_timeout=3) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _redis(running: ExitStack) -> tuple[str, str]:
    variable = "AUTHIO_TEST_QUEUE"
    address = _redis_address()
    if _redis_answers(address):
        return variable, address
    program = shutil.which("redis-server")
    if program is None:
        raise NotHereError("Redis is neither reachable on 127.0.0.1:6379 nor installed")
    folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="authio-redis-")))
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    _start(running, [*command, "--dir", str(folder)], folder)
    address = f"redis://127.0.0.1:{port}/0"
    _wait(lambda: _redis_answers(address), "Redis was started but does not answer")
    return variable, address


# -- processes ----------------------------------------------------------------------------------------


def free_port() -> int:
    """A port of the loopback address that nobody listens on right now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _start(
    running: ExitStack, command: list[str], folder: Path, owner: pwd.struct_passwd | None = None
) -> None:
    log = running.enter_context((folder / "log").open("wb"))
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a Ctrl-C at the terminal is for the tests; this one is ended after them
        **_as(owner),
    )
    running.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(2)  # to PostgreSQL: disconnect everybody and shut down
    try:
        process.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(ready: Callable[[], bool], problem: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > deadline:
            raise NotHereError(problem)
        time.sleep(0.1)


def main(arguments: list[str]) -> int:
    """Run a command with PostgreSQL and Redis at hand."""
    if arguments[:1] != ["--"] or len(arguments) < 2:
        print("usage: python -m tools.services -- COMMAND [ARGUMENT ...]", file=sys.stderr)
        return 2
    with provided(("postgresql", "redis")) as services:
        for name, reason in services.missing.items():
            print(f"authio: without {name}: {reason}", flush=True)
        environment = {**os.environ, **services.environment}
        return subprocess.run(arguments[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
