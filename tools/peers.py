"""Brings identity providers that others wrote onto this machine, below ``var/peers``, once.

SimpleSAMLphp is Debian's package, unpacked and not installed: installed, it brings a web server that
starts by itself. oidc-provider is an npm package, in exactly the versions of a lock file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "var" / "peers"
LOCKED = ROOT / "tests" / "peers" / "oidc_provider"
PHP_EXTENSIONS = {"dom", "mbstring", "openssl"}


class UnobtainableError(Exception):
    """This identity provider cannot be had on this machine; the text says why."""


def php_is_here() -> bool:
    """Whether there is a PHP that SimpleSAMLphp runs on."""
    if shutil.which("php") is None:
        return False
    return set(_run(["php", "-m"]).lower().split()) >= PHP_EXTENSIONS


def node_is_here() -> bool:
    """Whether there are Node.js and npm."""
    return shutil.which("node") is not None and shutil.which("npm") is not None


def simplesamlphp() -> Path:
    """The folder into which SimpleSAMLphp is unpacked; UnobtainableError."""
    folder = PEERS / "simplesamlphp"
    if not php_is_here():
        raise UnobtainableError(f"PHP with {', '.join(sorted(PHP_EXTENSIONS))} is not installed")
    if not (folder / "usr" / "share" / "simplesamlphp" / "www").is_dir():
        _need("apt-get", "dpkg-deb")
        print("authio: fetching simplesamlphp", flush=True)
        with _beside(folder) as new:
            _download("simplesamlphp", new)
            (package,) = new.glob("simplesamlphp_*.deb")
            _run(["dpkg-deb", "--extract", package.name, "."], folder=new)
            _replace(folder, new)
    return folder


def oidc_provider() -> Path:
    """The folder in whose ``node_modules`` oidc-provider is; UnobtainableError."""
    folder = PEERS / "oidc-provider"
    if not node_is_here():
        raise UnobtainableError("Node.js or npm is not installed")
    # A folder counts only with the lock file it was made from, so a new lock makes it anew.
    if _digest(folder / "package-lock.json") != _digest(LOCKED / "package-lock.json"):
        print("authio: fetching oidc-provider", flush=True)
        with _beside(folder) as new:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(LOCKED / name, new)
            _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder=new)
            _replace(folder, new)
    return folder


def _download(package: str, folder: Path) -> None:
    """Debian's *package* into *folder*, also where nobody has asked for its lists of packages yet."""
    command = ["apt-get", "-qq", "download", package]
    try:
        _run(command, folder=folder)
    except UnobtainableError:
        if os.geteuid() != 0:
            raise
        _run(["apt-get", "-qq", "update"])
        _run(command, folder=folder)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def _need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            raise UnobtainableError(f"there is no {program} here")


def _beside(folder: Path) -> _Beside:
    folder.parent.mkdir(parents=True, exist_ok=True)
    return _Beside(dir=folder.parent, prefix=f".{folder.name}-", ignore_cleanup_errors=True)


class _Beside(tempfile.TemporaryDirectory[str]):
    """A folder to prepare something in, so that what is cut off halfway leaves nothing that looks whole."""

    def __enter__(self) -> Path:  # type: ignore[override]
        return Path(super().__enter__())


def _replace(folder: Path, new: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    new.rename(folder)


def _run(command: list[str], *, folder: Path | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode:
        ended = (done.stderr.strip() or done.stdout.strip())[-300:]
        raise UnobtainableError(f"{' '.join(command[:2])} failed: {ended}")
    return done.stdout
