"""``authio rehearse`` as a process: what it prints, what outlives it, and what it says when it cannot."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tools.services import free_port

PROGRAM = Path(sys.executable).with_name("authio")


@contextmanager
def rehearsing(folder: Path, *arguments: str) -> Iterator[tuple[str, int, int]]:
    """The command at work: what it printed, and its ports."""
    saml, oidc = free_port(), free_port()
    with subprocess.Popen(
        [PROGRAM, "rehearse", f"--saml-port={saml}", f"--oidc-port={oidc}", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if "Ctrl-C stops" in line:
                break
        try:
            yield printed, saml, oidc
        finally:
            process.send_signal(signal.SIGTERM)
            assert "authio: stopped." in process.stdout.read()
            assert process.wait(15) == 0


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "rehearse", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_prints_what_to_paste_and_answers_there(tmp_path: Path) -> None:
    with rehearsing(tmp_path) as (printed, saml, oidc):
        metadata = re.search(r"metadata URL +(\S+)", printed)[1]
        issuer = re.search(r"issuer +(\S+)", printed)[1]
        secret = re.search(r"client secret +(\S+)", printed)[1]
        assert metadata == f"http://localhost:{saml}/metadata"
        assert issuer == f"http://localhost:{oidc}"
        assert requests.get(metadata, timeout=10).status_code == 200
        refused = requests.post(
            f"{issuer}/token",
            auth=("rehearsal", secret),
            data={"grant_type": "authorization_code", "code": "x"},
            timeout=10,
        )
        assert refused.json() == {"error": "invalid_grant"}


def test_what_was_set_up_with_it_outlives_a_restart(tmp_path: Path) -> None:
    with rehearsing(tmp_path) as (first, saml, _):
        before = requests.get(f"http://localhost:{saml}/certificate", timeout=10).text
    with rehearsing(tmp_path) as (second, saml, _):
        assert requests.get(f"http://localhost:{saml}/certificate", timeout=10).text == before
    secret = re.compile(r"client secret +(\S+)")
    assert secret.search(first)[1] == secret.search(second)[1]


def test_mistakes_can_be_made_from_the_start(tmp_path: Path) -> None:
    named = run(tmp_path, "--list-mistakes").stdout.split()
    assert {"wrong-audience", "unassigned-user", "wrong-client-secret", "replay"} <= set(named)
    with rehearsing(tmp_path, "--mistake=wrong-audience", "--mistake=replay") as (printed, saml, oidc):
        assert "wrong-audience, replay" in printed
        switches = requests.get(f"http://localhost:{saml}/switches", timeout=10).json()
        assert (switches["audience"], switches["replay"]) == ("wrong", "yes")
        assert requests.get(f"http://localhost:{oidc}/switches", timeout=10).json()["audience"] == "wrong"


def test_what_is_in_the_way_is_a_sentence(tmp_path: Path) -> None:
    done = run(tmp_path, "--mistake=hubris")
    assert (done.returncode, done.stderr) == (
        2,
        "authio: There is no mistake 'hubris': see --list-mistakes.\n",
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(tmp_path, f"--saml-port={port}", f"--oidc-port={free_port()}")
    assert done.returncode == 2
    assert done.stderr == f"authio: Port {port} is in use. Choose another with --saml-port or --oidc-port.\n"
    (tmp_path / "mine.json").write_text("{}", encoding="utf-8")
    done = run(tmp_path, "--keys=mine.json")
    assert done.returncode == 2
    assert "mine.json does not hold what a rehearsal has written" in done.stderr
